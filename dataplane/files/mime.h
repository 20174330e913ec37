#pragma once

#include <string_view>

namespace headgate::files {

struct MimeType {
  // With charset for text.
  std::string_view text;
  // Worth having in a compressed form: text, and formats that are not compressed by themselves.
  bool compressible = false;
};

// The type of a file by the extension of its name, in any case; application/octet-stream when it is
// not known.
MimeType MimeTypeOf(std::string_view name);

}  // namespace headgate::files
