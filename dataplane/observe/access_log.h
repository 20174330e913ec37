#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/observe/access_log_line.h"
#include "dataplane/observe/counters.h"
#include "dataplane/observe/log_format.h"

namespace headgate::observe {

class AccessLog;

// The file (or standard output) that the access log goes to, and the thread that writes it. Workers
// never wait for it: it collects their buffers once a second, or when one is half full, and writes
// each with one call, so that lines of several workers do not mix.
//
// Thread: any, unless said otherwise. Outlives its AccessLogs.
class AccessLogFile {
 public:
  // `path` "-": standard output. A file is appended to and made if needed.
  static absl::StatusOr<std::unique_ptr<AccessLogFile>> Open(std::string path);
  // Writes what is left.
  ~AccessLogFile();
  AccessLogFile(const AccessLogFile&) = delete;
  AccessLogFile& operator=(const AccessLogFile&) = delete;

  // After log rotation: opens the path anew. If that fails, the open file stays in use. No effect
  // on standard output.
  absl::Status Reopen();
  // Returns when everything written to the logs before this call has been given to the kernel.
  void Flush();

  // Writes that failed (disk full); what they held is lost.
  uint64_t write_errors() const { return write_errors_.load(std::memory_order_relaxed); }

 private:
  friend class AccessLog;
  AccessLogFile(std::string path, int fd);

  void Add(AccessLog& log);
  void Remove(AccessLog& log);
  // A log has something. `soon`: it is filling up.
  void Wake(bool soon);
  void Run();
  // Takes and writes what every log has.
  void Collect();
  void WriteAll(std::string_view bytes);

  const std::string path_;
  std::atomic<uint64_t> write_errors_{0};

  // Held while collecting and writing: Remove and Reopen wait for that.
  std::mutex file_mutex_;
  int fd_ ABSL_GUARDED_BY(file_mutex_);
  std::vector<AccessLog*> logs_ ABSL_GUARDED_BY(file_mutex_);
  std::vector<char> spare_ ABSL_GUARDED_BY(file_mutex_);

  std::mutex wake_mutex_;
  std::condition_variable wake_;
  bool has_data_ ABSL_GUARDED_BY(wake_mutex_) = false;
  bool soon_ ABSL_GUARDED_BY(wake_mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(wake_mutex_) = false;
  std::thread thread_;
};

// One worker's part of the access log: formats lines into a buffer. When the file cannot keep up,
// lines are dropped and counted, requests never wait.
class AccessLog {
 public:
  // Both outlive this.
  AccessLog(AccessLogFile& file, CounterShard& counters);
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // The worker's thread.
  void Write(const RequestRecord& record, AccessLogFormat format);
  // A line of the record's note if it has one, else of `format`.
  void Write(const RequestRecord& record, const LogFormat& format);

  static constexpr size_t kCapacity = 256 * 1024;

 private:
  friend class AccessLogFile;

  // `write(out)` writes a line of at most `bound` bytes and returns its end.
  template <typename F>
  void Append(const RequestRecord& record, size_t bound, F write);

  AccessLogFile& file_;
  CounterShard& counters_;
  LogTime time_;

  // Held by the worker for the time of one line and by the file for the time of a swap.
  std::mutex mutex_;
  std::vector<char> buffer_ ABSL_GUARDED_BY(mutex_);
  size_t size_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace headgate::observe
