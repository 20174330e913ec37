#pragma once

#include <string_view>

#include "dataplane/base/arena.h"

namespace headgate::files {

// What a request's path says about a file.
struct FilePath {
  enum class Kind : unsigned char {
    kFile,       // `path` names a file (or, as the disk will tell, a directory without its slash)
    kDirectory,  // ended in a slash; `path` is the directory's index
    kBareRoot,   // nothing was left of it, not even a slash
    kHidden,     // not served, whether it is there or not
  };
  Kind kind = Kind::kHidden;
  // Relative, without empty, "." or ".." segments: safe to be looked up below a root.
  std::string_view path;
};

inline constexpr std::string_view kIndexName = "index.html";

// `normal_path` is http::NormalPath::match. `strip` is cut off in front (config::StaticAction);
// `directory` ("" or "a/b", trusted) is put there. Hidden are: what does not begin with `strip` at
// a segment's end, segments that begin with a dot (except ".well-known", RFC 8615), what is too
// long for a file system, and whatever a normal path cannot hold: NUL and control bytes, '\', and
// empty or dot segments. That they cannot occur is not relied upon.
FilePath MapPath(std::string_view normal_path, std::string_view strip, std::string_view directory,
                 base::Arena& arena);

// Whether `path` is relative and made of nothing but segments that MapPath lets through.
bool IsSafePath(std::string_view path);

}  // namespace headgate::files
