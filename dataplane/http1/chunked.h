#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/base/byte_buffer.h"
#include "dataplane/http/header_map.h"

namespace headgate::http1 {

// Takes the chunked coding apart (RFC 9112 section 7.1), strictly: sizes of at most 16 digits, CRLF
// only, no blanks around sizes. Extensions are checked for control characters, bounded, and
// dropped. Works on any split of the input.
class ChunkedDecoder {
 public:
  enum class Step : uint8_t {
    kData,   // `piece` is body
    kMore,   // all input used up
    kEnd,    // the message ends at what is left of the input; see trailers
    kError,  // malformed; see error()
  };

  // What extensions may cost: bytes in one line and in one message.
  static constexpr size_t kMaxExtensionLine = 1024;
  static constexpr size_t kMaxExtensions = 16 * 1024;

  void Start(uint32_t max_trailer_bytes);

  // Uses up some of `input`. Call again with the rest after kData. `piece` is a part of `input`.
  Step Next(std::string_view& input, std::string_view& piece);

  std::string_view error() const { return error_; }

  // After kEnd: the trailer section with its empty line ("\r\n" alone if there is none), until
  // Clear. Parsed by ParseTrailers.
  std::string_view trailer_section() const { return trailers_.view(); }
  bool has_trailers() const { return trailers_.size() > 2; }
  // Gives back the memory of the trailer section.
  void Clear() { trailers_.Clear(); }

 private:
  enum class State : uint8_t {
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailers,
    kEnd,
    kError,
  };

  Step Fail(std::string_view error);
  Step ReadTrailers(std::string_view& input);

  State state_ = State::kSize;
  uint8_t digits_ = 0;
  uint8_t trailer_match_ = 0;  // how much of CRLF CRLF has been seen, see ReadTrailers
  uint32_t max_trailer_bytes_ = 0;
  uint32_t extension_line_ = 0;
  uint32_t extensions_ = 0;
  uint64_t left_ = 0;  // of the chunk
  std::string_view error_;
  base::ByteBuffer trailers_;
};

// Parses a trailer section; fields that may not stand there (framing, routing, connection control:
// RFC 9110 section 6.5.1) are dropped. `section` must outlive the views. False: malformed.
bool ParseTrailers(std::string_view section, uint32_t max_fields, http::HeaderMap& trailers);

// Writes "<hex size>\r\n" to `out` (kMaxChunkHead bytes) and returns its size. REQUIRES: size > 0.
constexpr size_t kMaxChunkHead = 18;
size_t WriteChunkHead(uint64_t size, char* out);
constexpr std::string_view kChunkEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace headgate::http1
