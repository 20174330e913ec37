#pragma once

#include <brotli/decode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dataplane/encoding/coding.h"

namespace headgate::test {

// Decodes what it is given, bit by bit, independently of the encoders.
class Decoder {
 public:
  explicit Decoder(encoding::Coding coding) : coding_(coding) {
    inflateInit2(&gzip_, 16 + MAX_WBITS);
  }
  ~Decoder() {
    inflateEnd(&gzip_);
    BrotliDecoderDestroyInstance(brotli_);
    ZSTD_freeDCtx(zstd_);
  }

  // What comes out for it.
  std::string Decode(std::string_view input) {
    std::string all;
    std::array<char, 4096> out;
    while (!ended_) {
      size_t produced = 0;
      size_t used = 0;
      Step(input, out, &used, &produced);
      input.remove_prefix(used);
      all.append(out.data(), produced);
      if (produced < out.size() && input.empty()) break;
    }
    return all;
  }
  bool ended() const { return ended_; }

 private:
  void Step(std::string_view input, std::span<char> out, size_t* used, size_t* produced) {
    if (coding_ == encoding::Coding::kGzip) {
      gzip_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
      gzip_.avail_in = static_cast<uInt>(input.size());
      gzip_.next_out = reinterpret_cast<Bytef*>(out.data());
      gzip_.avail_out = static_cast<uInt>(out.size());
      const int said = inflate(&gzip_, Z_SYNC_FLUSH);
      EXPECT_TRUE(said == Z_OK || said == Z_STREAM_END || said == Z_BUF_ERROR) << said;
      ended_ = said == Z_STREAM_END;
      *used = input.size() - gzip_.avail_in;
      *produced = out.size() - gzip_.avail_out;
    } else if (coding_ == encoding::Coding::kBrotli) {
      size_t in_left = input.size();
      size_t out_left = out.size();
      const auto* next_in = reinterpret_cast<const uint8_t*>(input.data());
      auto* next_out = reinterpret_cast<uint8_t*>(out.data());
      const auto said =
          BrotliDecoderDecompressStream(brotli_, &in_left, &next_in, &out_left, &next_out, nullptr);
      EXPECT_NE(said, BROTLI_DECODER_RESULT_ERROR);
      ended_ = said == BROTLI_DECODER_RESULT_SUCCESS;
      *used = input.size() - in_left;
      *produced = out.size() - out_left;
    } else {
      ZSTD_inBuffer in = {input.data(), input.size(), 0};
      ZSTD_outBuffer to = {out.data(), out.size(), 0};
      const size_t left = ZSTD_decompressStream(zstd_, &to, &in);
      EXPECT_FALSE(ZSTD_isError(left));
      ended_ = left == 0;
      *used = in.pos;
      *produced = to.pos;
    }
  }

  const encoding::Coding coding_;
  z_stream gzip_ = {};
  BrotliDecoderState* brotli_ = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
  ZSTD_DCtx* zstd_ = ZSTD_createDCtx();
  bool ended_ = false;
};

}  // namespace headgate::test
