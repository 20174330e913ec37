#include "dataplane/http1/chunked.h"

#include <algorithm>

#include "dataplane/http/chars.h"
#include "dataplane/http1/field_parser.h"

namespace headgate::http1 {

void ChunkedDecoder::Start(uint32_t max_trailer_bytes) {
  state_ = State::kSize;
  digits_ = 0;
  trailer_match_ = 0;
  max_trailer_bytes_ = max_trailer_bytes;
  extension_line_ = 0;
  extensions_ = 0;
  left_ = 0;
  error_ = {};
  trailers_.Clear();
}

ChunkedDecoder::Step ChunkedDecoder::Fail(std::string_view error) {
  state_ = State::kError;
  error_ = error;
  return Step::kError;
}

ChunkedDecoder::Step ChunkedDecoder::Next(std::string_view& input, std::string_view& piece) {
  while (true) {
    if (state_ == State::kEnd) return Step::kEnd;
    if (state_ == State::kError) return Step::kError;
    if (input.empty()) return Step::kMore;
    const char c = input.front();
    switch (state_) {
      case State::kSize:
        if (http::IsHexDigit(c)) {
          // Sixteen digits could be followed by data near 2^64; nothing real is that large.
          if (++digits_ > 16 || (left_ >> 58) != 0) return Fail("chunk size too large");
          left_ = left_ << 4 | http::HexValue(c);
        } else if (digits_ == 0) {
          return Fail("malformed chunk size");
        } else if (c == '\r') {
          state_ = State::kSizeLf;
        } else if (c == ';') {
          extension_line_ = 0;
          state_ = State::kExtension;
        } else {
          return Fail("malformed chunk size");
        }
        input.remove_prefix(1);
        break;
      case State::kExtension: {
        const char* stop = http::FindValueEnd(input.data(), input.data() + input.size());
        const auto size = static_cast<size_t>(stop - input.data());
        if (size > kMaxExtensionLine - extension_line_ || size > kMaxExtensions - extensions_) {
          return Fail("chunk extensions too large");
        }
        extension_line_ += static_cast<uint32_t>(size);
        extensions_ += static_cast<uint32_t>(size);
        input.remove_prefix(size);
        if (input.empty()) return Step::kMore;
        if (input.front() != '\r') return Fail("control character in a chunk extension");
        input.remove_prefix(1);
        state_ = State::kSizeLf;
        break;
      }
      case State::kSizeLf:
        if (c != '\n') return Fail("chunk size line does not end with CRLF");
        input.remove_prefix(1);
        digits_ = 0;
        state_ = left_ == 0 ? State::kTrailers : State::kData;
        break;
      case State::kData: {
        const size_t size = static_cast<size_t>(std::min<uint64_t>(left_, input.size()));
        piece = input.substr(0, size);
        input.remove_prefix(size);
        left_ -= size;
        if (left_ == 0) state_ = State::kDataCr;
        return Step::kData;
      }
      case State::kDataCr:
        if (c != '\r') return Fail("chunk does not end with CRLF");
        input.remove_prefix(1);
        state_ = State::kDataLf;
        break;
      case State::kDataLf:
        if (c != '\n') return Fail("chunk does not end with CRLF");
        input.remove_prefix(1);
        state_ = State::kSize;
        break;
      case State::kTrailers: return ReadTrailers(input);
      case State::kEnd:
      case State::kError: break;
    }
  }
}

// Collects lines until an empty one. `trailer_match_`: 0 inside a line, 1 after its CR, 2 at the
// start of a line, 3 after a CR there. A section starts at the start of a line.
ChunkedDecoder::Step ChunkedDecoder::ReadTrailers(std::string_view& input) {
  size_t used = 0;
  if (trailers_.empty()) trailer_match_ = 2;
  while (used < input.size()) {
    const char c = input[used++];
    if (c == '\n') {
      if (trailer_match_ == 3) {
        trailers_.Append(input.substr(0, used));
        input.remove_prefix(used);
        state_ = State::kEnd;
        return Step::kEnd;
      }
      if (trailer_match_ != 1) return Fail("bare LF in the trailer section");
      trailer_match_ = 2;
    } else if (trailer_match_ == 1 || trailer_match_ == 3) {
      return Fail("bare CR in the trailer section");
    } else if (c == '\r') {
      trailer_match_ = trailer_match_ == 2 ? 3 : 1;
    } else {
      trailer_match_ = 0;
    }
    if (trailers_.size() + used > max_trailer_bytes_) return Fail("trailer section too large");
  }
  trailers_.Append(input);
  input = {};
  return Step::kMore;
}

bool ParseTrailers(std::string_view section, uint32_t max_fields, http::HeaderMap& trailers) {
  trailers.Clear();
  http::HeaderMap all;
  const FieldLinesResult lines = ParseFieldLines(section.data(), section.data() + section.size(),
                                                 {.max_fields = max_fields}, all);
  if (lines.error != FieldLinesError::kNone) return false;
  for (const http::Field& field : all) {
    if (!http::IsForbiddenTrailer(field.id)) trailers.Add(field);
  }
  return true;
}

size_t WriteChunkHead(uint64_t size, char* out) {
  char digits[16];
  size_t count = 0;
  for (; size != 0; size >>= 4) digits[count++] = "0123456789abcdef"[size & 15];
  for (size_t i = 0; i < count; ++i) out[i] = digits[count - 1 - i];
  out[count] = '\r';
  out[count + 1] = '\n';
  return count + 2;
}

}  // namespace headgate::http1
