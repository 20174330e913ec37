#include "controller/kube/manifest_source.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "common/check.h"
#include "common/log.h"
#include "common/strings.h"

namespace headgate::kube {
namespace {

constexpr uint32_t kWatched = IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                              IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;

bool IsHidden(const std::filesystem::path& path) { return path.filename().native()[0] == '.'; }

}  // namespace

ManifestSource::ManifestSource(ManifestSourceOptions options, EventSink& sink, const Clock& clock,
                               MetricsRegistry& metrics)
    : options_(std::move(options)),
      sink_(sink),
      clock_(clock),
      problem_count_(metrics.AddGauge("headgate_manifest_problems",
                                      "Files, documents and objects of the manifest folder that "
                                      "are not in order now.")),
      scans_(metrics.AddCounter("headgate_manifest_scans_total",
                                "Times the manifest folder was read.")),
      changes_(metrics.AddCounter("headgate_manifest_changes_total",
                                  "Objects that were added, changed or removed in the manifest "
                                  "folder since the start.")) {}

ManifestSource::~ManifestSource() { Stop(); }

absl::Status ManifestSource::Start() {
  HEADGATE_CHECK(inotify_fd_ < 0, "started twice");
  inotify_fd_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  stop_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (inotify_fd_ < 0 || stop_fd_ < 0) {
    return absl::ErrnoToStatus(errno, "cannot watch the manifest folder");
  }
  if (absl::Status status = Scan(); !status.ok()) return status;
  DeliverInitial();
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void ManifestSource::Stop() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    HEADGATE_CHECK(write(stop_fd_, &one, sizeof one) == sizeof one);
    thread_.join();
  }
  if (inotify_fd_ >= 0) close(inotify_fd_);
  if (stop_fd_ >= 0) close(stop_fd_);
  inotify_fd_ = stop_fd_ = -1;
}

std::vector<ManifestProblem> ManifestSource::Problems() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return problems_;
}

void ManifestSource::Run() {
  while (true) {
    pollfd waited[] = {{inotify_fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
    const absl::Duration pause = std::max(NextWake() - clock_.MonotonicNow(), absl::ZeroDuration());
    // Rounded up: a wait of zero milliseconds would spin until the time has come.
    poll(waited, 2, static_cast<int>(absl::ToInt64Milliseconds(pause + absl::Microseconds(999))));
    if (waited[1].revents != 0) return;
    ReadEvents();
    if (clock_.MonotonicNow() < NextWake()) continue;
    if (const absl::Status status = Scan(); !status.ok()) {
      HEADGATE_LOG_EVERY(60, kError, "manifests",
                         "cannot read the folder, objects stay as they were",
                         {"folder", options_.folder}, {"error", status});
    }
    std::vector<Change> changes = set_.TakeChanges();
    PublishProblems();
    if (changes.empty()) continue;
    changes_.Add(changes.size());
    HEADGATE_LOG(kInfo, "manifests", "objects changed", {"count", changes.size()});
    sink_.OnChanges(std::move(changes));
  }
}

absl::Duration ManifestSource::NextWake() const {
  absl::Duration wake = last_scan_ + options_.rescan_interval;
  wake = std::min(wake, last_event_ + options_.hold_off);
  wake = std::min(wake, first_event_ + options_.hold_off_limit);
  for (const auto& [path, time] : being_written_) {
    wake = std::min(wake, time + options_.writing_limit);
  }
  for (const auto& [path, since] : missing_) {
    wake = std::min(wake, since + options_.deletion_grace);
  }
  return wake;
}

void ManifestSource::ReadEvents() {
  alignas(inotify_event) char buffer[16384];
  while (true) {
    const ssize_t got = read(inotify_fd_, buffer, sizeof buffer);
    if (got <= 0) return;
    const absl::Duration now = clock_.MonotonicNow();
    for (const char* at = buffer; at < buffer + got;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      const char* name = at + sizeof event;
      at = name + event.len;
      const auto folder = watches_.find(event.wd);
      std::string path;
      if (folder != watches_.end() && event.len > 0) path = StrCat(folder->second, "/", name);
      if ((event.mask & IN_IGNORED) != 0 && folder != watches_.end()) watches_.erase(folder);
      if ((event.mask & IN_Q_OVERFLOW) != 0) being_written_.clear();
      if ((event.mask & IN_MODIFY) != 0) {
        being_written_[path] = now;
        continue;  // the end of writing is what counts
      }
      if ((event.mask & (IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)) != 0) {
        being_written_.erase(path);
      }
      first_event_ = std::min(first_event_, now);
      last_event_ = now;
    }
  }
}

bool ManifestSource::IsBeingWritten(const std::string& path) {
  const auto entry = being_written_.find(path);
  return entry != being_written_.end() &&
         clock_.MonotonicNow() - entry->second < options_.writing_limit;
}

absl::Status ManifestSource::Scan() {
  scans_.Add();
  last_scan_ = clock_.MonotonicNow();
  first_event_ = last_event_ = absl::InfiniteDuration();
  std::vector<std::string> paths;
  const absl::Status status = ListFolder(options_.folder, /*with_sub_folders=*/true, &paths);
  if (!status.ok()) {
    // Nothing is known of single files any more; their times must not wake us again and again.
    being_written_.clear();
    missing_.clear();
    return status;
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    if (!IsBeingWritten(path)) LoadIfChanged(path);
  }
  std::erase_if(being_written_, [&](const auto& entry) {
    return last_scan_ - entry.second >= options_.writing_limit;
  });
  ForgetMissing(paths);
  return absl::OkStatus();
}

void ManifestSource::ForgetMissing(const std::vector<std::string>& present) {
  for (auto file = files_.begin(); file != files_.end();) {
    const std::string& path = file->first;
    if (std::binary_search(present.begin(), present.end(), path)) {
      missing_.erase(path);
      ++file;
      continue;
    }
    const absl::Duration since = missing_.emplace(path, last_scan_).first->second;
    if (last_scan_ - since < options_.deletion_grace) {
      ++file;
      continue;
    }
    set_.Remove(path);
    missing_.erase(path);
    file = files_.erase(file);
  }
}

absl::Status ManifestSource::ListFolder(const std::string& folder, bool with_sub_folders,
                                        std::vector<std::string>* files) {
  // First watch, then list: what comes in between is seen at least once.
  const int watch = inotify_add_watch(inotify_fd_, folder.c_str(), kWatched | IN_ONLYDIR);
  if (watch < 0) return absl::ErrnoToStatus(errno, StrCat("cannot watch ", folder));
  watches_[watch] = folder;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::filesystem::path& path = entry->path();
    if (IsHidden(path)) continue;
    std::error_code ignored;  // a file that vanished meanwhile is neither
    if (entry->is_directory(ignored)) {
      // A sub-folder that vanished or may not be read does not spoil the others, but its objects
      // must not vanish.
      if (!with_sub_folders) continue;
      const absl::Status status = ListFolder(path.native(), false, files);
      if (!status.ok() && std::filesystem::exists(path, ignored)) return status;
    } else if (IsManifestName(path.native())) {
      files->push_back(path.native());
    }
  }
  if (error) return absl::UnavailableError(StrCat("cannot list ", folder, ": ", error.message()));
  return absl::OkStatus();
}

void ManifestSource::LoadIfChanged(const std::string& path) {
  const auto known = files_.find(path);
  const absl::StatusOr<FileIdentity> identity = IdentifyFile(path);
  if (identity.ok() && known != files_.end() && known->second.settled &&
      known->second.identity == *identity) {
    return;
  }
  const bool settled = identity.ok() && identity->IsSettled();
  const absl::StatusOr<std::string> content = ReadFile(path, options_.max_file_bytes);
  if (identity.ok() && content.ok()) {
    set_.Load(path, *content);
    files_[path] = {*identity, settled};
    return;
  }
  const absl::Status& status = identity.ok() ? content.status() : identity.status();
  set_.LoadFailed(path, std::string(ToStd(status.message())));
  files_[path] = {};
}

void ManifestSource::DeliverInitial() {
  std::vector<Replacement> replacements(kKindCount);
  for (size_t i = 0; i < kKindCount; ++i) replacements[i].kind = static_cast<Kind>(i);
  for (Change& change : set_.TakeChanges()) {
    if (auto* object = std::get_if<Object>(&change)) {
      replacements[object->index()].objects.push_back(std::move(*object));
    } else if (auto* malformed = std::get_if<MalformedObject>(&change)) {
      replacements[static_cast<size_t>(malformed->kind)].malformed.push_back(std::move(*malformed));
    }
  }
  PublishProblems();
  for (Replacement& replacement : replacements) {
    const Kind kind = replacement.kind;
    changes_.Add(replacement.objects.size());
    sink_.OnReplace(std::move(replacement));
    sink_.OnSynced(kind);
  }
}

void ManifestSource::PublishProblems() {
  std::vector<ManifestProblem> problems = set_.Problems();
  problem_count_.Set(static_cast<double>(problems.size()));
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const ManifestProblem& problem : problems) {
    if (std::find(problems_.begin(), problems_.end(), problem) != problems_.end()) continue;
    HEADGATE_LOG(kError, "manifests", "problem in a manifest", {"file", problem.file},
                 {"document", problem.document}, {"error", problem.message});
  }
  problems_ = std::move(problems);
}

}  // namespace headgate::kube
