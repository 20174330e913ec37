#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A message head read in the plainest way there is, for checking what we write. Shares no code with
// the parsers.
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

}  // namespace headgate::testing
