// Just enough HTTP/1.1 for two programs that trust each other but check the proxy between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace headgate::bench {

struct MessageHead {
  // Bytes of the head with its empty line; 0 while it is incomplete, and then nothing else is set.
  size_t size = 0;
  // Without line end. Points into the parsed text.
  std::string_view first_line;
  // -1: no such field.
  int64_t content_length = -1;
  bool chunked = false;
  // "Connection: close" is present.
  bool close = false;
};

// Parses the head at the beginning of `text`.
MessageHead ParseHead(std::string_view text);

}  // namespace headgate::bench
