// The lexical form of NGINX's configuration language: directives, their words and their blocks.
// Nothing is known here of what any of them means. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace headgate::translate {

// "name word word;" or "name word { ... }".
struct NginxDirective {
  size_t line = 1;  // of its name
  std::vector<std::string>
      words;  // without quotation marks and escapes; the name first, never empty
  bool has_block = false;
  std::vector<NginxDirective> block;

  const std::string& name() const { return words.front(); }
};

struct NginxText {
  std::vector<NginxDirective> directives;
  // Not empty: it is not of that form, and there are no directives.
  std::string problem;
};

// As ngx_conf_read_token reads it. Beyond 64 KiB, a nesting of 8 or 1000 directives it is not read
// at all.
NginxText ParseNginx(std::string_view text);

}  // namespace headgate::translate
