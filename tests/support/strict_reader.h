#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Messages read in the plainest way there is, for checking what we write: one reading or none.
// Shares no code with the parsers.
namespace headgate::testing {

struct StrictHead {
  std::string start_line;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
};

// Nothing when `text` has any second reading: a line that does not end with CRLF, a CR or LF
// elsewhere, a line without colon, a name that is no token, a blank at either end of a value, text
// behind the empty line.
inline std::optional<StrictHead> ReadStrictly(std::string text) {
  StrictHead head;
  bool first = true;
  while (true) {
    const size_t end = text.find("\r\n");
    if (end == std::string::npos) return std::nullopt;
    const std::string line = text.substr(0, end);
    text = text.substr(end + 2);
    if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) return std::nullopt;
    if (first) {
      head.start_line = line;
      first = false;
      continue;
    }
    if (line.empty()) {
      if (!text.empty()) return std::nullopt;
      return head;
    }
    const size_t colon = line.find(':');
    if (colon == std::string::npos || colon == 0) return std::nullopt;
    std::string name = line.substr(0, colon);
    for (char& c : name) {
      if (c <= ' ' || c == 0x7f ||
          std::string_view("\"(),/:;<=>?@[\\]{}").find(c) != std::string::npos) {
        return std::nullopt;
      }
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    std::string value = line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value = value.substr(1);
    if (!value.empty() && (value.front() == ' ' || value.front() == '\t' || value.back() == ' ' ||
                           value.back() == '\t')) {
      return std::nullopt;
    }
    head.fields.emplace_back(std::move(name), std::move(value));
  }
}

// A whole message from the front of a stream.
struct StrictMessage {
  enum class Reading : uint8_t {
    kComplete,    // and taken off the stream
    kIncomplete,  // may become a message with more bytes
    kAmbiguous,   // two readers could disagree about it
  };
  Reading reading = Reading::kIncomplete;
  StrictHead head;
  std::string body;
  std::vector<std::pair<std::string, std::string>> trailers;

  bool complete() const { return reading == Reading::kComplete; }
  std::vector<std::string> Values(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [field, value] : head.fields) {
      if (field == name) values.push_back(value);
    }
    return values;
  }
};

enum class StrictKind : uint8_t { kRequest, kResponse, kResponseToHead };

namespace strict_reader_internal {

using Reading = StrictMessage::Reading;

inline bool AllOf(std::string_view text, std::string_view set) {
  return !text.empty() && text.find_first_not_of(set) == std::string_view::npos;
}

// Method SP target SP HTTP/1.1, or HTTP/1.1 SP 3DIGIT SP reason.
inline bool StartLineIsSound(const std::string& line, StrictKind kind) {
  const size_t first = line.find(' ');
  if (first == std::string::npos || first == 0) return false;
  if (kind != StrictKind::kRequest) {
    return line.starts_with("HTTP/1.1 ") && line.size() >= 13 &&
           AllOf(line.substr(9, 3), "0123456789") && line[12] == ' ';
  }
  const size_t second = line.find(' ', first + 1);
  if (second == std::string::npos || second == first + 1) return false;
  for (const char c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return false;
  }
  return line.substr(second) == " HTTP/1.1";
}

// The chunked coding without extensions. Takes it off `rest`.
inline Reading TakeChunked(std::string& rest, StrictMessage& message) {
  while (true) {
    const size_t end = rest.find("\r\n");
    if (end == std::string::npos) {
      return AllOf(rest.empty() ? "0" : rest.substr(0, rest.find('\r')), "0123456789abcdef")
                 ? Reading::kIncomplete
                 : Reading::kAmbiguous;
    }
    const std::string digits = rest.substr(0, end);
    if (!AllOf(digits, "0123456789abcdef") || digits.size() > 15) return Reading::kAmbiguous;
    const size_t size = std::stoull(digits, nullptr, 16);
    rest = rest.substr(end + 2);
    if (size == 0) break;
    if (rest.size() < size + 2) return Reading::kIncomplete;
    if (rest.substr(size, 2) != "\r\n") return Reading::kAmbiguous;
    message.body += rest.substr(0, size);
    rest = rest.substr(size + 2);
  }
  // The trailer section has the form of a head without start line.
  const size_t end = rest.starts_with("\r\n") ? 0 : rest.find("\r\n\r\n");
  if (end == std::string::npos) return Reading::kIncomplete;
  const size_t size = end == 0 ? 2 : end + 4;
  const auto trailers = ReadStrictly("trailers\r\n" + rest.substr(0, size));
  if (!trailers) return Reading::kAmbiguous;
  message.trailers = trailers->fields;
  rest = rest.substr(size);
  return Reading::kComplete;
}

}  // namespace strict_reader_internal

// Takes the first message off `stream`. Of responses without Content-Length or chunked coding those
// without body alone are understood.
inline StrictMessage TakeStrictly(std::string& stream, StrictKind kind) {
  using Reading = StrictMessage::Reading;
  namespace internal = strict_reader_internal;
  StrictMessage message;
  const size_t head_end = stream.find("\r\n\r\n");
  if (head_end == std::string::npos) return message;
  const auto head = ReadStrictly(stream.substr(0, head_end + 4));
  message.reading = Reading::kAmbiguous;
  if (!head || !internal::StartLineIsSound(head->start_line, kind)) return message;
  message.head = *head;

  const std::vector<std::string> lengths = message.Values("content-length");
  const std::vector<std::string> codings = message.Values("transfer-encoding");
  if (lengths.size() + codings.size() > 1) return message;
  if (kind == StrictKind::kRequest && message.Values("host").size() != 1) return message;
  if (!lengths.empty() && (!internal::AllOf(lengths[0], "0123456789") || lengths[0].size() > 18))
    return message;
  if (!codings.empty() && codings[0] != "chunked") return message;

  std::string rest = stream.substr(head_end + 4);
  const std::string status = kind == StrictKind::kRequest ? "" : head->start_line.substr(9, 3);
  const bool bodiless = kind == StrictKind::kResponseToHead || status.starts_with("1") ||
                        status == "204" || status == "304";
  if (!bodiless && !codings.empty()) {
    message.reading = internal::TakeChunked(rest, message);
    if (!message.complete()) return message;
  } else if (!bodiless && !lengths.empty()) {
    const size_t size = std::stoull(lengths[0]);
    if (rest.size() < size) {
      message.reading = Reading::kIncomplete;
      return message;
    }
    message.body = rest.substr(0, size);
    rest = rest.substr(size);
  } else if (!bodiless && kind == StrictKind::kResponse) {
    return message;  // until close: the caller knows better
  }
  message.reading = Reading::kComplete;
  stream = rest;
  return message;
}

}  // namespace headgate::testing
