#include "dataplane/encoding/encoder.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "common/check.h"

namespace headgate::encoding {
namespace {

// zlib counts in 32 bits; pieces are far smaller.
constexpr size_t kMostAtOnce = 1 << 30;

class GzipEncoder final : public Encoder {
 public:
  GzipEncoder() : Encoder(Coding::kGzip) {}
  ~GzipEncoder() override {
    if (level_ != 0) deflateEnd(&stream_);
  }

  bool Start(int level) override {
    if (level == level_) return deflateReset(&stream_) == Z_OK;
    if (level_ != 0) deflateEnd(&stream_);
    stream_ = {};
    constexpr int kGzipFormat = 16;
    const int made =
        deflateInit2(&stream_, level, Z_DEFLATED, kGzipFormat + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    level_ = made == Z_OK ? level : 0;
    return level_ != 0;
  }

  Result Encode(std::string_view& input, Op op, std::span<char> out) override {
    const size_t offered = std::min(input.size(), kMostAtOnce);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(offered);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int mode = op == Op::kContinue ? Z_NO_FLUSH : op == Op::kFlush ? Z_SYNC_FLUSH : Z_FINISH;
    const int said = deflate(&stream_, mode);
    input.remove_prefix(offered - stream_.avail_in);
    Result result;
    result.produced = out.size() - stream_.avail_out;
    result.done =
        op == Op::kFinish ? said == Z_STREAM_END : input.empty() && stream_.avail_out != 0;
    result.failed = said == Z_STREAM_ERROR;
    return result;
  }

  void Stop() override {}

 private:
  z_stream stream_ = {};
  int level_ = 0;  // 0: no stream
};

class BrotliEncoder final : public Encoder {
 public:
  BrotliEncoder() : Encoder(Coding::kBrotli) {}
  ~BrotliEncoder() override { Stop(); }

  bool Start(int level) override {
    Stop();  // it knows no reset
    state_ = BrotliEncoderCreateInstance(nullptr, nullptr, nullptr);
    if (state_ == nullptr) return false;
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, static_cast<uint32_t>(level));
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, 18);
    // It works when a block is full: small ones, so that no call takes long.
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGBLOCK, BROTLI_MIN_INPUT_BLOCK_BITS);
    return true;
  }

  Result Encode(std::string_view& input, Op op, std::span<char> out) override {
    const auto mode = op == Op::kContinue ? BROTLI_OPERATION_PROCESS
                      : op == Op::kFlush  ? BROTLI_OPERATION_FLUSH
                                          : BROTLI_OPERATION_FINISH;
    size_t in_left = input.size();
    const auto* next_in = reinterpret_cast<const uint8_t*>(input.data());
    size_t out_left = out.size();
    auto* next_out = reinterpret_cast<uint8_t*>(out.data());
    Result result;
    result.failed = BrotliEncoderCompressStream(state_, mode, &in_left, &next_in, &out_left,
                                                &next_out, nullptr) == BROTLI_FALSE;
    input.remove_prefix(input.size() - in_left);
    result.produced = out.size() - out_left;
    result.done = op == Op::kFinish
                      ? BrotliEncoderIsFinished(state_) == BROTLI_TRUE
                      : input.empty() && BrotliEncoderHasMoreOutput(state_) == BROTLI_FALSE;
    return result;
  }

  void Stop() override {
    if (state_ != nullptr) BrotliEncoderDestroyInstance(state_);
    state_ = nullptr;
  }

 private:
  BrotliEncoderState* state_ = nullptr;
};

class ZstdEncoder final : public Encoder {
 public:
  ZstdEncoder() : Encoder(Coding::kZstd), context_(ZSTD_createCCtx()) {}
  ~ZstdEncoder() override { ZSTD_freeCCtx(context_); }

  bool Start(int level) override {
    if (context_ == nullptr) return false;
    ZSTD_CCtx_reset(context_, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_windowLog, 17);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_hashLog, 16);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_chainLog, 16);
    return true;
  }

  Result Encode(std::string_view& input, Op op, std::span<char> out) override {
    const auto mode = op == Op::kContinue ? ZSTD_e_continue
                      : op == Op::kFlush  ? ZSTD_e_flush
                                          : ZSTD_e_end;
    ZSTD_inBuffer in = {input.data(), input.size(), 0};
    ZSTD_outBuffer to = {out.data(), out.size(), 0};
    const size_t left = ZSTD_compressStream2(context_, &to, &in, mode);
    input.remove_prefix(in.pos);
    Result result;
    result.produced = to.pos;
    result.failed = ZSTD_isError(left) != 0;
    result.done = input.empty() && (op == Op::kContinue ? to.pos < to.size : left == 0);
    return result;
  }

  void Stop() override {}

 private:
  ZSTD_CCtx* const context_;
};

}  // namespace

std::unique_ptr<Encoder> MakeEncoder(Coding coding) {
  switch (coding) {
    case Coding::kGzip: return std::make_unique<GzipEncoder>();
    case Coding::kBrotli: return std::make_unique<BrotliEncoder>();
    case Coding::kZstd: return std::make_unique<ZstdEncoder>();
    case Coding::kIdentity: break;
  }
  HEADGATE_CHECK(false);
  return nullptr;
}

int MaxLevel(Coding coding) { return coding == Coding::kBrotli ? 6 : 9; }

size_t EncoderMemory(Coding coding, int level) {
  constexpr size_t kKiB = 1024;
  switch (coding) {
    case Coding::kGzip: return 272 * kKiB;
    case Coding::kBrotli: return (level <= 3 ? 1100 : level == 4 ? 2400 : 5600) * kKiB;
    case Coding::kZstd: return 1408 * kKiB;
    case Coding::kIdentity: break;
  }
  return 0;
}

}  // namespace headgate::encoding
