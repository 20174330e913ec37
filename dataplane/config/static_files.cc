#include "dataplane/config/static_files.h"

#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "common/hash.h"
#include "dataplane/config/compile_values.h"

namespace headgate::config {
namespace {

constexpr size_t kMaxPathBytes = 1024;

// Relative, and without segments that lead elsewhere. Who looks files up checks again.
absl::Status CheckRelativePath(const std::string& field, std::string_view path) {
  HEADGATE_RETURN_IF_ERROR(CheckRange(StrCat(field, " length"), path.size(), 1, kMaxPathBytes));
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(field, path));
  std::string_view rest = path;
  while (true) {
    const size_t slash = rest.find('/');
    const std::string_view segment = rest.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") {
      return FieldError(field, "is not a relative path without empty, \".\" and \"..\" segments");
    }
    if (slash == std::string_view::npos) return absl::OkStatus();
    rest.remove_prefix(slash + 1);
  }
}

std::string ETagOf(std::string_view content) {
  char text[24];
  std::snprintf(text, sizeof(text), "\"%016" PRIx64 "\"", ContentHash(content));
  return text;
}

}  // namespace

const MemoryFile* FileSet::Find(std::string_view name) const {
  const auto found = std::lower_bound(
      files_.begin(), files_.end(), name,
      [](const MemoryFile& file, std::string_view wanted) { return file.name < wanted; });
  return found != files_.end() && found->name == name ? &*found : nullptr;
}

void CollectText(const v1::StaticFiles& in, TextPool& text) {
  text.Add(in.files());
  text.Add(in.directory().root());
  text.Add(in.directory().path());
  text.Add(in.strip_prefix());
  text.Add(in.fallback());
  text.Add(in.cache_control());
}

absl::StatusOr<std::unique_ptr<const StaticAction>> CompileStaticFiles(const std::string& field,
                                                                       const v1::StaticFiles& in,
                                                                       const TextPool& text) {
  auto out = std::make_unique<StaticAction>();
  switch (in.source_case()) {
    case v1::StaticFiles::kFiles:
      HEADGATE_RETURN_IF_ERROR(CheckReference(StrCat(field, ".files"), in.files(), "files/"));
      out->files = text.Get(in.files());
      break;
    case v1::StaticFiles::kDirectory: {
      const v1::StaticDirectory& directory = in.directory();
      HEADGATE_RETURN_IF_ERROR(CheckToken(StrCat(field, ".directory.root"), directory.root()));
      if (!directory.path().empty()) {
        HEADGATE_RETURN_IF_ERROR(
            CheckRelativePath(StrCat(field, ".directory.path"), directory.path()));
      }
      out->root = text.Get(directory.root());
      out->directory = text.Get(directory.path());
      break;
    }
    case v1::StaticFiles::SOURCE_NOT_SET:
      return FieldError(field, "neither files nor directory is given");
  }
  const std::string& strip = in.strip_prefix();
  if (!strip.empty() && (strip.front() != '/' || strip.back() == '/')) {
    return FieldError(StrCat(field, ".strip_prefix"), "does not start with '/', or ends with it");
  }
  if (!in.fallback().empty()) {
    HEADGATE_RETURN_IF_ERROR(CheckRelativePath(StrCat(field, ".fallback"), in.fallback()));
  }
  HEADGATE_RETURN_IF_ERROR(CheckPrintable(StrCat(field, ".cache_control"), in.cache_control()));
  if (in.has_expires()) {
    const int64_t seconds = in.expires().seconds();
    constexpr int64_t kTenYears = int64_t{3650} * 24 * 3600;
    if (seconds < 0 || seconds > kTenYears || in.expires().nanos() != 0) {
      return FieldError(StrCat(field, ".expires"), "is not whole seconds up to ten years");
    }
    out->expires = std::chrono::seconds(seconds);
  }
  out->strip_prefix = text.Get(strip);
  out->fallback = text.Get(in.fallback());
  out->cache_control = text.Get(in.cache_control());
  return out;
}

absl::StatusOr<std::shared_ptr<const FileSet>> CompileFiles(const v1::Files& in) {
  std::vector<MemoryFile> files;
  files.reserve(static_cast<size_t>(in.files_size()));
  for (int i = 0; i < in.files_size(); ++i) {
    const v1::File& file = in.files(i);
    const std::string field = StrCat("files[", i, "].name");
    HEADGATE_RETURN_IF_ERROR(CheckRelativePath(field, file.name()));
    if (!files.empty() && files.back().name >= file.name()) {
      return FieldError(field, "is not in order");
    }
    files.push_back({file.name(), file.content(), ETagOf(file.content())});
  }
  return std::make_shared<const FileSet>(std::move(files));
}

}  // namespace headgate::config
