// A folder of Kubernetes manifests as the source of objects: `--manifests=DIR`.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/metrics.h"
#include "controller/kube/event_sink.h"
#include "controller/kube/manifest_set.h"

namespace headgate::kube {

struct ManifestSourceOptions {
  std::string folder;
  // After an event, wait until nothing happened for this long, so that files written together are
  // read together.
  absl::Duration hold_off = absl::Milliseconds(10);
  // But not longer than this after the first event.
  absl::Duration hold_off_limit = absl::Milliseconds(200);
  // A file that is open for writing is not read before it is closed, or was left alone for this
  // long.
  absl::Duration writing_limit = absl::Seconds(1);
  // A file that is gone takes its objects along only after this time: some editors save by moving
  // the old file away before they write the new one.
  absl::Duration deletion_grace = absl::Milliseconds(150);
  // Looks at everything this often even without events: inotify says nothing about some file
  // systems and about the targets of symbolic links.
  absl::Duration rescan_interval = absl::Seconds(5);
  // Larger files are refused.
  size_t max_file_bytes = size_t{256} << 20;
};

// Reads *.yaml, *.yml and *.json in the folder and its direct sub-folders (not those whose name
// starts with a dot), and follows changes with inotify. What a broken file does, see ManifestSet;
// if the folder itself goes away, everything stays as it was.
class ManifestSource {
 public:
  // `sink`, `clock` and `metrics` must outlive the source.
  ManifestSource(ManifestSourceOptions options, EventSink& sink, const Clock& clock,
                 MetricsRegistry& metrics);
  ~ManifestSource();  // stops
  ManifestSource(const ManifestSource&) = delete;
  ManifestSource& operator=(const ManifestSource&) = delete;

  // Reads everything and delivers it (a Replacement and OnSynced for each kind) before it returns,
  // then follows changes on a thread of its own. An error when the folder cannot be read; a broken
  // file is no error.
  absl::Status Start();
  // Returns when the thread has ended; no call to the sink after that.
  void Stop();

  // What is wrong in the folder now. Thread: any.
  std::vector<ManifestProblem> Problems() const;

 private:
  struct TrackedFile {
    FileIdentity identity;  // of the content that was loaded
    bool settled = false;   // whether an equal identity means equal content
  };

  void Run();
  // Takes what inotify has; sets the times below.
  void ReadEvents();
  bool IsBeingWritten(const std::string& path);
  // Reads every file that is new or changed into `set_`.
  absl::Status Scan();
  absl::Status ListFolder(const std::string& folder, bool with_sub_folders,
                          std::vector<std::string>* files);
  void LoadIfChanged(const std::string& path);
  // `present`: the files that are there now, sorted.
  void ForgetMissing(const std::vector<std::string>& present);
  void DeliverInitial();
  void PublishProblems();
  absl::Duration NextWake() const;

  const ManifestSourceOptions options_;
  EventSink& sink_;
  const Clock& clock_;
  Gauge& problem_count_;
  Counter& scans_;
  Counter& changes_;

  // Used by Start and then by the thread only.
  ManifestSet set_;
  std::map<std::string, TrackedFile> files_;
  std::map<int, std::string> watches_;                   // inotify watch → folder
  std::map<std::string, absl::Duration> being_written_;  // path → last write
  std::map<std::string, absl::Duration> missing_;        // tracked, but not there → since when
  absl::Duration first_event_ = absl::InfiniteDuration();
  absl::Duration last_event_ = absl::InfiniteDuration();
  absl::Duration last_scan_;

  int inotify_fd_ = -1;
  int stop_fd_ = -1;
  std::thread thread_;

  mutable std::mutex mutex_;
  std::vector<ManifestProblem> problems_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace headgate::kube
