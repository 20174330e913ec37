#include "bench/compare/load/message_head.h"

#include <strings.h>

#include <charconv>
#include <cstring>

namespace headgate::bench {
namespace {

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

MessageHead ParseHead(std::string_view text) {
  MessageHead head;
  const size_t end = text.find("\r\n\r\n");
  if (end == std::string_view::npos) return head;
  head.size = end + 4;
  size_t line_end = text.find("\r\n");
  head.first_line = text.substr(0, line_end);
  while (line_end < end) {
    const size_t start = line_end + 2;
    line_end = text.find("\r\n", start);
    const std::string_view line = text.substr(start, line_end - start);
    const char first = static_cast<char>(line.empty() ? 0 : line[0] | 0x20);
    if (first != 'c' && first != 't') continue;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = Trim(line.substr(colon + 1));
    if (EqualsIgnoreCase(name, "content-length")) {
      int64_t length = -1;
      std::from_chars(value.data(), value.data() + value.size(), length);
      head.content_length = length;
    } else if (EqualsIgnoreCase(name, "transfer-encoding")) {
      head.chunked = true;
    } else if (EqualsIgnoreCase(name, "connection")) {
      head.close = EqualsIgnoreCase(value, "close");
    }
  }
  return head;
}

}  // namespace headgate::bench
