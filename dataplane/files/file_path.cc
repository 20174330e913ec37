#include "dataplane/files/file_path.h"

#include <algorithm>
#include <cstddef>

namespace headgate::files {
namespace {

constexpr size_t kMaxPath = 4000;    // PATH_MAX with room for the suffix of a compressed form
constexpr size_t kMaxSegment = 250;  // NAME_MAX likewise

bool IsSafeSegment(std::string_view segment) {
  if (segment.empty() || segment.size() > kMaxSegment) return false;
  if (segment.front() == '.' && segment != ".well-known") return false;
  return std::none_of(segment.begin(), segment.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '\\' || c == '/';
  });
}

}  // namespace

bool IsSafePath(std::string_view path) {
  if (path.size() > kMaxPath) return false;
  while (true) {
    const size_t slash = path.find('/');
    if (!IsSafeSegment(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

FilePath MapPath(std::string_view normal_path, std::string_view strip, std::string_view directory,
                 base::Arena& arena) {
  if (!normal_path.starts_with(strip)) return {};
  std::string_view below = normal_path.substr(strip.size());
  if (below.empty()) return {FilePath::Kind::kBareRoot, {}};
  if (below.front() != '/') return {};
  below.remove_prefix(1);
  const bool is_root = below.empty();
  const bool is_directory = is_root || below.back() == '/';
  if (is_directory && !is_root) below.remove_suffix(1);
  if (!is_root && !IsSafePath(below)) return {};

  std::string_view path = below;
  if (!directory.empty()) path = is_root ? directory : arena.Join(directory, "/", below);
  if (is_directory) path = path.empty() ? kIndexName : arena.Join(path, "/", kIndexName);
  if (path.size() > kMaxPath) return {};
  return {is_directory ? FilePath::Kind::kDirectory : FilePath::Kind::kFile, path};
}

}  // namespace headgate::files
