#include "controller/translate/annotations/static_files.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

constexpr size_t kMaxValue = 512;
constexpr int64_t kMaxExpires = int64_t{3650} * 24 * 3600;

bool IsShortText(std::string_view text) { return text.size() <= kMaxValue && IsPrintable(text); }

// Segments that are names, none of them hidden or leading elsewhere.
bool IsRelativePath(std::string_view path) {
  if (path.empty() || !IsShortText(path) || path.find('\\') != std::string_view::npos) return false;
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (segment.empty() || segment.front() == '.') return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool IsRootName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

// A number of seconds, or one with a unit s, m, h or d; "epoch" is 0.
std::optional<uint32_t> ParseExpires(std::string_view text) {
  if (text == "epoch") return 0;
  int64_t unit = 1;
  if (!text.empty()) {
    constexpr std::string_view kUnits = "smhd";
    constexpr std::array<int64_t, 4> kSeconds = {1, 60, 3600, 24 * 3600};
    if (const size_t at = kUnits.find(text.back()); at != std::string_view::npos) {
      unit = kSeconds[at];
      text.remove_suffix(1);
    }
  }
  const std::optional<int64_t> number = ParseInt(text);
  if (!number || *number < 0 || *number > kMaxExpires / unit) return std::nullopt;
  return static_cast<uint32_t>(*number * unit);
}

void ReadRoot(AnnotationReader& reader, IngressSettings& settings) {
  const std::string* value = reader.Find(kStaticFilesNames[0]);
  if (value == nullptr) return;
  std::string_view path = Trim(*value);
  const size_t slash = std::min(path.find('/'), path.size());
  StaticRoot root{std::string(path.substr(0, slash)), ""};
  path.remove_prefix(slash);
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  root.path = std::string(path);
  if (!IsRootName(root.name) || (!path.empty() && !IsRelativePath(path))) {
    reader.RefuseValue(kStaticFilesNames[0],
                       "NAME or NAME/DIRECTORY, NAME being one of the data plane's --static-root");
    return;
  }
  settings.static_root = std::move(root);
}

}  // namespace

void ReadStaticFiles(AnnotationReader& reader, IngressSettings& settings) {
  ReadRoot(reader, settings);
  if (const std::string* value = reader.Find(kStaticFilesNames[1])) {
    std::string_view path = Trim(*value);
    if (path.starts_with('/')) path.remove_prefix(1);
    if (IsRelativePath(path)) {
      settings.static_fallback = std::string(path);
    } else {
      reader.Ignore(kStaticFilesNames[1], "the path of a file, such as index.html");
    }
  }
  if (const std::string* value = reader.Find(kStaticFilesNames[2])) {
    const std::string_view text = Trim(*value);
    if (!text.empty() && IsShortText(text)) {
      settings.cache_control = std::string(text);
    } else {
      reader.Ignore(kStaticFilesNames[2], "a value of Cache-Control, such as public, max-age=3600");
    }
  }
  if (const std::string* value = reader.Find(kStaticFilesNames[3])) {
    settings.expires = ParseExpires(Trim(*value));
    if (!settings.expires) {
      reader.Ignore(kStaticFilesNames[3], "seconds, or a number and s, m, h or d, or epoch");
    }
  }
}

}  // namespace headgate::translate
