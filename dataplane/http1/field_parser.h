#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/http/header_map.h"

// What heads of requests and responses and trailer sections have in common. Internal to http1.
namespace headgate::http1 {

// Parses field lines from `at` up to and including the empty line, which must be the end of the
// input (RFC 9112 section 5). Returns nullptr and leaves the fields in `fields`, or what is wrong:
// static text.
struct FieldLinesOptions {
  uint32_t max_fields = 100;
  http::Underscores underscores = http::Underscores::kKept;
};
enum class FieldLinesError : uint8_t { kNone, kMalformed, kTooMany };
struct FieldLinesResult {
  FieldLinesError error = FieldLinesError::kNone;
  std::string_view detail;
};
FieldLinesResult ParseFieldLines(const char* at, const char* end, const FieldLinesOptions& options,
                                 http::HeaderMap& fields);

// What the Connection fields of a message say. Nominated fields have been marked hop_by_hop, except
// those that every recipient needs (Host, the length of the body, what proxies add): naming them is
// an attack.
struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  bool valid = true;  // false: not a list of tokens, or unreasonably many
};
ConnectionOptions ReadConnectionOptions(http::HeaderMap& fields);

// The fields that frame a message (RFC 9112 section 6).
struct Framing {
  enum class Error : uint8_t {
    kNone,
    kBothLengths,     // Transfer-Encoding with Content-Length
    kBadLength,       // malformed, negative, too large
    kSeveralLengths,  // also when they are equal
    kBadCoding,       // chunked missing, repeated or not last
    kUnknownCoding,   // a coding besides chunked
  };
  Error error = Error::kNone;
  bool has_length = false;
  uint64_t length = 0;
  bool chunked = false;
};
Framing ReadFraming(const http::HeaderMap& fields);
std::string_view FramingErrorText(Framing::Error error);

// Digits only, at most 2^63 - 1.
bool ParseContentLength(std::string_view text, uint64_t& length);

// Calls `f` for each element of a comma-separated list, without its blanks; empty elements are
// skipped (RFC 9110 section 5.6.1).
template <typename F>
void ForEachListElement(std::string_view list, F f) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    while (!element.empty() && (element.front() == ' ' || element.front() == '\t')) {
      element.remove_prefix(1);
    }
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t')) {
      element.remove_suffix(1);
    }
    if (!element.empty()) f(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace headgate::http1
