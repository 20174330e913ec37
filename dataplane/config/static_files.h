#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/strings.h"
#include "dataplane/config/text_pool.h"
#include "proto/headgate/v1/snapshot.pb.h"

// Routes that answer from files, and files that are held in memory. Immutable; see
// compiled_config.h.
namespace headgate::config {

struct MemoryFile {
  std::string name;
  std::string content;
  std::string etag;  // of the content, with quotes
};

// A Files resource.
class FileSet {
 public:
  explicit FileSet(std::vector<MemoryFile> sorted) : files_(std::move(sorted)) {}
  // Nullptr: there is no such file.
  const MemoryFile* Find(std::string_view name) const;

 private:
  std::vector<MemoryFile> files_;  // by name
};

// By name of the resource ("files/ns/name").
using FileTable = absl::flat_hash_map<std::string, std::shared_ptr<const FileSet>,
                                      TransparentStringHash, TransparentStringEqual>;

// Text belongs to the route's host, like that of CompiledRoute.
struct StaticAction {
  // Name of the FileSet; empty: a directory.
  std::string_view files;
  // Name of a --static-root and a relative path below it, "" for all of it.
  std::string_view root;
  std::string_view directory;
  // The request's path begins with it before the name of the file; no slash at its end.
  std::string_view strip_prefix;
  // Served in place of what is not there; empty: 404.
  std::string_view fallback;
  // Empty: from `expires`.
  std::string_view cache_control;
  std::optional<std::chrono::seconds> expires;
};

// Text that CompileStaticFiles asks the pool for.
void CollectText(const v1::StaticFiles& in, TextPool& text);
absl::StatusOr<std::unique_ptr<const StaticAction>> CompileStaticFiles(const std::string& field,
                                                                       const v1::StaticFiles& in,
                                                                       const TextPool& text);

absl::StatusOr<std::shared_ptr<const FileSet>> CompileFiles(const v1::Files& in);

}  // namespace headgate::config
