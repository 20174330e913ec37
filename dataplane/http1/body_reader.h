#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "dataplane/http/message.h"
#include "dataplane/http1/chunked.h"

namespace headgate::http1 {

// Finds the body of one message in the bytes that follow its head, whatever its framing.
class BodyReader {
 public:
  using Step = ChunkedDecoder::Step;

  void Start(const http::BodyLength& length, uint32_t max_trailer_bytes) {
    length_ = length;
    if (length.kind == http::BodyLength::Kind::kChunked) chunks_.Start(max_trailer_bytes);
  }

  // As ChunkedDecoder::Next. An until-close body gives kData and kMore only: its end is the
  // stream's.
  Step Next(std::string_view& input, std::string_view& piece) {
    using Kind = http::BodyLength::Kind;
    switch (length_.kind) {
      case Kind::kNone: return Step::kEnd;
      case Kind::kFixed: {
        if (length_.size == 0) return Step::kEnd;
        if (input.empty()) return Step::kMore;
        const auto size = static_cast<size_t>(std::min<uint64_t>(length_.size, input.size()));
        piece = input.substr(0, size);
        input.remove_prefix(size);
        length_.size -= size;
        return Step::kData;
      }
      case Kind::kChunked: return chunks_.Next(input, piece);
      case Kind::kUntilClose:
        if (input.empty()) return Step::kMore;
        piece = input;
        input = {};
        return Step::kData;
    }
    return Step::kError;
  }

  // For bodies that are not cut into chunks: how much of what follows belongs to them as it is, and
  // that so much of it was taken elsewhere.
  uint64_t plain_bytes() const { return fixed() ? length_.size : until_close() ? ~uint64_t{0} : 0; }
  void Skip(uint64_t size) {
    if (fixed()) length_.size -= size;
  }

  bool until_close() const { return length_.kind == http::BodyLength::Kind::kUntilClose; }
  bool chunked() const { return length_.kind == http::BodyLength::Kind::kChunked; }
  // Fixed bodies: bytes still to come.
  uint64_t left() const { return length_.size; }
  bool fixed() const { return length_.kind == http::BodyLength::Kind::kFixed; }
  ChunkedDecoder& chunks() { return chunks_; }

 private:
  http::BodyLength length_;
  ChunkedDecoder chunks_;
};

}  // namespace headgate::http1
