#include "dataplane/control/snapshot_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "common/strings.h"
#include "dataplane/control/record_log.h"

namespace headgate::control {
namespace {

constexpr size_t kIoBytes = size_t{1} << 20;
// Below this a rewrite saves nothing worth having.
constexpr uint64_t kCompactionMinBytes = uint64_t{1} << 20;

absl::Status ErrnoStatus(const char* what, const std::string& path) {
  return absl::ErrnoToStatus(errno, StrCat(what, " ", path));
}

absl::Status WriteAt(int fd, std::string_view bytes, uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus("cannot write", path);
    }
    bytes.remove_prefix(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return absl::OkStatus();
}

// Appends up to `size` bytes; fewer only at the end of the file.
absl::Status ReadAt(int fd, uint64_t offset, size_t size, const std::string& path,
                    std::string& out) {
  const size_t start = out.size();
  out.resize(start + size);
  size_t done = 0;
  while (done < size) {
    const ssize_t n =
        pread(fd, out.data() + start + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0) {
      if (errno == EINTR) continue;
      out.resize(start);
      return ErrnoStatus("cannot read", path);
    }
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  out.resize(start + done);
  return absl::OkStatus();
}

// Gathers frames and writes them in large pieces at the end of a file.
class Appender {
 public:
  Appender(int fd, uint64_t offset, const std::string& path)
      : fd_(fd), offset_(offset), path_(path) {}

  // Where the next frame begins in the file.
  uint64_t position() const { return offset_ + buffer_.size(); }
  std::string& buffer() { return buffer_; }

  absl::Status FlushIfLarge() { return buffer_.size() < kIoBytes ? absl::OkStatus() : Flush(); }
  absl::Status Flush() {
    if (absl::Status written = WriteAt(fd_, buffer_, offset_, path_); !written.ok()) return written;
    offset_ += buffer_.size();
    buffer_.clear();
    return absl::OkStatus();
  }

 private:
  const int fd_;
  uint64_t offset_;
  const std::string& path_;
  std::string buffer_;
};

// Reads frames one after the other.
class FrameReader {
 public:
  FrameReader(int fd, const std::string& path) : fd_(fd), path_(path) {}

  // The next record, valid until the next call; nullopt at the end of what is sound.
  absl::StatusOr<std::optional<Record>> Next() {
    at_ += size_;
    size_ = 0;
    size_t wanted = 0;
    while (true) {
      const Frame frame = ParseFrame(std::string_view(buffer_).substr(at_));
      if (frame.state == FrameState::kComplete) {
        size_ = frame.needed;
        return frame.record;
      }
      if (frame.state == FrameState::kCorrupt || exhausted_) return std::nullopt;
      buffer_.erase(0, at_);
      base_ += at_;
      at_ = 0;
      wanted = std::max(kIoBytes, frame.needed - buffer_.size());
      if (absl::Status read = Fill(wanted); !read.ok()) return read;
    }
  }

  // Of the record last returned.
  uint64_t frame_offset() const { return base_ + at_; }
  size_t frame_size() const { return size_; }

 private:
  // In steps, so that a damaged length does not make us ask for memory that the file cannot fill.
  absl::Status Fill(size_t wanted) {
    while (wanted > 0) {
      const size_t step = std::min(wanted, kIoBytes);
      const size_t before = buffer_.size();
      if (absl::Status read = ReadAt(fd_, base_ + before, step, path_, buffer_); !read.ok()) {
        return read;
      }
      if (buffer_.size() - before < step) {
        exhausted_ = true;
        return absl::OkStatus();
      }
      wanted -= step;
    }
    return absl::OkStatus();
  }

  const int fd_;
  const std::string& path_;
  std::string buffer_;
  uint64_t base_ = 0;  // file offset of buffer_[0]
  size_t at_ = 0;      // of the current frame in buffer_
  size_t size_ = 0;
  bool exhausted_ = false;
};

void CloseIfOpen(int fd) {
  if (fd >= 0) close(fd);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SnapshotStore>> SnapshotStore::Open(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::FailedPreconditionError(
        StrCat("cannot create directory ", directory, ": ", error.message()));
  }
  std::unique_ptr<SnapshotStore> store(new SnapshotStore);
  store->path_ = StrCat(directory, "/snapshot.log");
  store->directory_fd_ = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (store->directory_fd_ < 0) return ErrnoStatus("cannot open directory", directory);
  store->lock_fd_ = openat(store->directory_fd_, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (store->lock_fd_ < 0) return ErrnoStatus("cannot open the lock file in", directory);
  if (flock(store->lock_fd_, LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        StrCat("directory ", directory, " is in use by another process"));
  }
  store->fd_ = open(store->path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (store->fd_ < 0) return ErrnoStatus("cannot open", store->path_);
  if (absl::Status replayed = store->Replay(); !replayed.ok()) return replayed;
  return store;
}

std::unique_ptr<SnapshotStore> SnapshotStore::InMemory() {
  return std::unique_ptr<SnapshotStore>(new SnapshotStore);
}

SnapshotStore::~SnapshotStore() {
  CloseIfOpen(fd_);
  CloseIfOpen(lock_fd_);
  CloseIfOpen(directory_fd_);
}

absl::Status SnapshotStore::Replay() {
  FrameReader reader(fd_, path_);
  absl::StatusOr<std::optional<Record>> record = reader.Next();
  if (!record.ok()) return record.status();
  if (!record->has_value() || (*record)->type != RecordType::kHeader ||
      !IsKnownHeader((*record)->payload)) {
    return StartNewFile();
  }
  file_size_ = reader.frame_size();

  std::vector<Pending> pending;
  while (true) {
    record = reader.Next();
    if (!record.ok()) return record.status();
    if (!record->has_value()) break;
    const Record& found = **record;
    if (found.type == RecordType::kCommit) {
      TakeIn(std::move(pending));
      pending.clear();
      version_ = std::string(found.payload);
      file_size_ = reader.frame_offset() + reader.frame_size();
    } else if (found.type == RecordType::kRemove) {
      pending.push_back({std::string(found.payload), std::nullopt});
    } else if (found.type == RecordType::kUpsert) {
      const std::optional<Upsert> upsert = ParseUpsert(found.payload);
      if (!upsert) break;
      pending.push_back(
          {std::string(upsert->name), Held{.hash = upsert->hash,
                                           .offset = reader.frame_offset(),
                                           .size = static_cast<uint32_t>(reader.frame_size())}});
    } else {
      break;
    }
  }
  // The rest is a commit that was never finished, or damage.
  if (ftruncate(fd_, static_cast<off_t>(file_size_)) != 0) return ErrnoStatus("cannot cut", path_);
  return absl::OkStatus();
}

absl::Status SnapshotStore::StartNewFile() {
  std::string header;
  AppendHeader(header);
  if (ftruncate(fd_, 0) != 0) return ErrnoStatus("cannot cut", path_);
  if (absl::Status written = WriteAt(fd_, header, 0, path_); !written.ok()) return written;
  if (fsync(fd_) != 0 || fsync(directory_fd_) != 0) return ErrnoStatus("cannot flush", path_);
  file_size_ = header.size();
  return absl::OkStatus();
}

void SnapshotStore::TakeIn(std::vector<Pending> pending) {
  for (const Pending& change : pending) {
    const auto found = held_.find(change.name);
    if (found != held_.end()) live_bytes_ -= (*found)->size;
    if (change.held) {
      live_bytes_ += change.held->size;
      if (found != held_.end()) {
        static_cast<Held&>(**found) = *change.held;
      } else {
        held_.insert(Entry::Make(change.name, *change.held));
      }
    } else if (found != held_.end()) {
      held_.erase(found);
    }
  }
}

std::vector<SnapshotStore::HeldName> SnapshotStore::Inventory() const {
  std::vector<HeldName> names;
  names.reserve(held_.size());
  for (const auto& entry : held_) {
    const bool missed = missed_.contains(ToAbsl(entry->name()));
    names.push_back({entry->name(), missed ? 0 : entry->hash});
  }
  return names;
}

std::vector<SnapshotStore::Entry*> SnapshotStore::InFileOrder() const {
  std::vector<Entry*> entries;
  entries.reserve(held_.size());
  for (const auto& entry : held_) {
    if (entry->size > 0) entries.push_back(entry.get());
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry* a, const Entry* b) { return a->offset < b->offset; });
  return entries;
}

absl::StatusOr<v1::Resource> SnapshotStore::Read(const Entry& entry) const {
  std::string bytes;
  if (absl::Status read = ReadAt(fd_, entry.offset, entry.size, path_, bytes); !read.ok())
    return read;
  const Frame frame = ParseFrame(bytes);
  if (frame.state != FrameState::kComplete || frame.record.type != RecordType::kUpsert) {
    return absl::DataLossError(StrCat("damaged record of ", entry.name()));
  }
  const std::optional<Upsert> upsert = ParseUpsert(frame.record.payload);
  v1::Resource resource;
  if (!upsert || upsert->name != entry.name() ||
      !resource.ParseFromArray(upsert->body.data(), static_cast<int>(upsert->body.size()))) {
    return absl::DataLossError(StrCat("unreadable record of ", entry.name()));
  }
  return resource;
}

std::vector<v1::Resource> SnapshotStore::Load() {
  const std::vector<Entry*> entries = InFileOrder();
  std::vector<v1::Resource> resources;
  resources.reserve(entries.size());
  for (const Entry* entry : entries) {
    absl::StatusOr<v1::Resource> resource = Read(*entry);
    if (resource.ok()) {
      resources.push_back(*std::move(resource));
    } else {
      Forget(std::string(entry->name()));
    }
  }
  return resources;
}

void SnapshotStore::Forget(const std::string& name) {
  const auto found = held_.find(name);
  if (found == held_.end()) return;
  live_bytes_ -= (*found)->size;
  if ((*found)->size > 0) missed_.emplace(name);
  held_.erase(found);
}

bool SnapshotStore::CoversMissed(absl::Span<const v1::Resource* const> upserts,
                                 absl::Span<const std::string> removed) const {
  if (missed_.empty()) return true;
  absl::flat_hash_set<std::string> covered(removed.begin(), removed.end());
  for (const v1::Resource* resource : upserts) covered.insert(resource->name());
  return std::all_of(missed_.begin(), missed_.end(), [&](const std::string& name) {
    return covered.contains(name) || !held_.contains(name);
  });
}

absl::Status SnapshotStore::Append(std::string_view version,
                                   absl::Span<const v1::Resource* const> upserts,
                                   absl::Span<const std::string> removed) {
  Appender log(fd_, file_size_, path_);
  std::vector<Pending> pending;
  pending.reserve(upserts.size() + removed.size() + missed_.size());
  std::string body;
  for (const std::string& name : missed_) {
    // What comes again in `upserts` below wins, being later in the log.
    AppendRemove(name, log.buffer());
    pending.push_back({name, std::nullopt});
  }
  for (const v1::Resource* resource : upserts) {
    if (resource->name().size() > kMaxNameBytes || !resource->SerializeToString(&body)) {
      return absl::InvalidArgumentError("a resource that cannot be stored");
    }
    const uint64_t offset = log.position();
    AppendUpsert(resource->name(), resource->hash(), body, log.buffer());
    pending.push_back(
        {resource->name(), Held{.hash = resource->hash(),
                                .offset = offset,
                                .size = static_cast<uint32_t>(log.position() - offset)}});
    if (absl::Status written = log.FlushIfLarge(); !written.ok()) return written;
  }
  for (const std::string& name : removed) {
    if (!held_.contains(name)) continue;
    AppendRemove(name, log.buffer());
    pending.push_back({name, std::nullopt});
  }
  AppendCommit(version, log.buffer());
  if (absl::Status written = log.Flush(); !written.ok()) return written;
  file_size_ = log.position();
  missed_.clear();
  TakeIn(std::move(pending));
  return absl::OkStatus();
}

absl::Status SnapshotStore::Commit(std::string_view version,
                                   absl::Span<const v1::Resource* const> upserts,
                                   absl::Span<const std::string> removed) {
  version_ = std::string(version);
  absl::Status written = absl::OkStatus();
  if (fd_ >= 0 && CoversMissed(upserts, removed)) {
    written = Append(version, upserts, removed);
    if (written.ok()) return CompactionPays() ? Compact() : absl::OkStatus();
    // What was written of it has no commit, so that it would never count; cutting it off frees the
    // space.
    if (ftruncate(fd_, static_cast<off_t>(file_size_)) != 0)
      written = ErrnoStatus("cannot cut", path_);
  }
  std::vector<Pending> pending;
  pending.reserve(upserts.size() + removed.size());
  for (const v1::Resource* resource : upserts) {
    if (fd_ >= 0) missed_.insert(resource->name());
    pending.push_back({resource->name(), Held{.hash = resource->hash()}});
  }
  for (const std::string& name : removed) {
    if (fd_ >= 0 && held_.contains(name)) missed_.insert(name);
    pending.push_back({name, std::nullopt});
  }
  TakeIn(std::move(pending));
  return written;
}

bool SnapshotStore::CompactionPays() const {
  return file_size_ >= kCompactionMinBytes && file_size_ >= compaction_floor_ &&
         file_size_ / 2 > live_bytes_;
}

absl::Status SnapshotStore::Compact() {
  // Not again before the log has grown as much once more, should this fail.
  compaction_floor_ = 2 * file_size_;
  const std::string new_path = StrCat(path_, ".new");
  const int new_fd = open(new_path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (new_fd < 0) return ErrnoStatus("cannot open", new_path);
  std::vector<Moved> moved;
  uint64_t new_size = 0;
  absl::Status done = CopyLive(new_fd, new_path, moved, new_size);
  if (done.ok() && fsync(new_fd) != 0) done = ErrnoStatus("cannot flush", new_path);
  if (done.ok() && rename(new_path.c_str(), path_.c_str()) != 0) {
    done = ErrnoStatus("cannot rename", new_path);
  }
  if (!done.ok()) {
    close(new_fd);
    unlink(new_path.c_str());
    return done;
  }
  close(fd_);
  fd_ = new_fd;
  for (const Moved& each : moved) each.entry->offset = each.offset;
  file_size_ = new_size;
  compaction_floor_ = 0;
  if (fsync(directory_fd_) != 0) return ErrnoStatus("cannot flush the directory of", path_);
  return absl::OkStatus();
}

absl::Status SnapshotStore::CopyLive(int new_fd, const std::string& new_path,
                                     std::vector<Moved>& moved, uint64_t& new_size) {
  const std::vector<Entry*> entries = InFileOrder();
  Appender log(new_fd, 0, new_path);
  AppendHeader(log.buffer());
  moved.reserve(entries.size());
  for (Entry* entry : entries) {
    const uint64_t offset = log.position();
    const size_t in_buffer = log.buffer().size();
    if (absl::Status read = ReadAt(fd_, entry->offset, entry->size, path_, log.buffer());
        !read.ok()) {
      return read;
    }
    const std::string_view copied = std::string_view(log.buffer()).substr(in_buffer);
    if (ParseFrame(copied).state != FrameState::kComplete) {
      // The disk went bad under us. Have it sent again.
      missed_.emplace(std::string(entry->name()));
      return absl::DataLossError(StrCat("damaged record of ", entry->name(), " in ", path_));
    }
    moved.push_back({entry, offset});
    if (absl::Status written = log.FlushIfLarge(); !written.ok()) return written;
  }
  AppendCommit(version_, log.buffer());
  if (absl::Status written = log.Flush(); !written.ok()) return written;
  new_size = log.position();
  return absl::OkStatus();
}

}  // namespace headgate::control
