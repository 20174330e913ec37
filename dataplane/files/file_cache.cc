#include "dataplane/files/file_cache.h"

#include <sys/stat.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <utility>

namespace headgate::files {
namespace {

FileLookup LookUp(const StaticRoot& root, const std::string& path) {
  using Kind = FileLookup::Kind;
  auto file = std::make_shared<OpenFile>();
  file->fd = root.OpenBelow(path);
  if (!file->fd) {
    const bool ours = errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EAGAIN;
    return {ours ? Kind::kFailed : Kind::kAbsent, nullptr};
  }
  struct stat status;
  if (fstat(file->fd.get(), &status) != 0) return {Kind::kFailed, nullptr};
  if (S_ISDIR(status.st_mode)) return {Kind::kDirectory, nullptr};
  if (!S_ISREG(status.st_mode)) return {Kind::kAbsent, nullptr};
  file->size = static_cast<uint64_t>(status.st_size);
  file->modified = status.st_mtim.tv_sec;
  const uint64_t nanoseconds = static_cast<uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000u +
                               static_cast<uint64_t>(status.st_mtim.tv_nsec);
  char etag[64];
  std::snprintf(etag, sizeof(etag), "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"",
                static_cast<uint64_t>(status.st_ino), file->size, nanoseconds);
  file->etag = etag;
  return {Kind::kFile, std::move(file)};
}

}  // namespace

FileLookup FileCache::Find(const StaticRoot& root, std::string_view path, net::TimePoint now) {
  std::string key = root.name();  // a token: it holds no '/'
  key.append("/").append(path);
  if (const auto known = index_.find(key); known != index_.end()) {
    const auto entry = known->second;
    if (now - entry->checked < kFresh) {
      entries_.splice(entries_.begin(), entries_, entry);
      return entry->found;
    }
    index_.erase(known);
    entries_.erase(entry);
  }
  FileLookup found = LookUp(root, std::string(path));
  if (found.kind == FileLookup::Kind::kFailed) {
    // Descriptors are better spent on connections.
    index_.clear();
    entries_.clear();
    return found;
  }
  if (entries_.size() >= capacity_) {
    index_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({std::move(key), found, now});
  index_.emplace(entries_.front().key, entries_.begin());
  return found;
}

}  // namespace headgate::files
