#include "dataplane/observe/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/log.h"
#include "common/strings.h"

namespace headgate::observe {
namespace {

constexpr std::chrono::seconds kInterval{1};

absl::StatusOr<int> OpenPath(const std::string& path) {
  const int fd = path == "-" ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
                             : open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) {
    return absl::UnavailableError(
        StrCat("cannot open access log ", path, ": ", std::string_view(strerror(errno))));
  }
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<AccessLogFile>> AccessLogFile::Open(std::string path) {
  const absl::StatusOr<int> fd = OpenPath(path);
  if (!fd.ok()) return fd.status();
  return std::unique_ptr<AccessLogFile>(new AccessLogFile(std::move(path), *fd));
}

AccessLogFile::AccessLogFile(std::string path, int fd)
    : path_(std::move(path)), fd_(fd), spare_(AccessLog::kCapacity), thread_([this] { Run(); }) {}

AccessLogFile::~AccessLogFile() {
  {
    std::lock_guard lock(wake_mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  Collect();
  std::lock_guard lock(file_mutex_);
  close(fd_);
}

absl::Status AccessLogFile::Reopen() {
  if (path_ == "-") return absl::OkStatus();
  const absl::StatusOr<int> fd = OpenPath(path_);
  if (!fd.ok()) return fd.status();
  std::lock_guard lock(file_mutex_);
  close(std::exchange(fd_, *fd));
  return absl::OkStatus();
}

void AccessLogFile::Flush() { Collect(); }

void AccessLogFile::Add(AccessLog& log) {
  std::lock_guard lock(file_mutex_);
  logs_.push_back(&log);
}

void AccessLogFile::Remove(AccessLog& log) {
  Collect();
  std::lock_guard lock(file_mutex_);
  std::erase(logs_, &log);
}

void AccessLogFile::Wake(bool soon) {
  {
    std::lock_guard lock(wake_mutex_);
    has_data_ = true;
    soon_ |= soon;
  }
  wake_.notify_one();
}

void AccessLogFile::Run() {
  std::unique_lock lock(wake_mutex_);
  while (!stopping_) {
    wake_.wait(lock, [this] { return has_data_ || stopping_; });
    // Let lines gather.
    wake_.wait_for(lock, kInterval, [this] { return soon_ || stopping_; });
    has_data_ = soon_ = false;
    lock.unlock();
    Collect();
    lock.lock();
  }
}

void AccessLogFile::Collect() {
  std::lock_guard file_lock(file_mutex_);
  for (AccessLog* log : logs_) {
    size_t size = 0;
    {
      std::lock_guard lock(log->mutex_);
      if (log->size_ == 0) continue;
      size = std::exchange(log->size_, 0);
      log->buffer_.swap(spare_);
    }
    WriteAll({spare_.data(), size});
  }
}

void AccessLogFile::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      // Standard output may have been made non-blocking by whoever shares it.
      pollfd waiting{.fd = fd_, .events = POLLOUT, .revents = 0};
      poll(&waiting, 1, 1000);
    } else if (errno != EINTR) {
      if (write_errors_.fetch_add(1, std::memory_order_relaxed) == 0) {
        HEADGATE_LOG(kError, "access_log", "lines are lost: cannot write", {"path", path_},
                     {"error", std::string_view(strerror(errno))});
      }
      return;
    }
  }
}

AccessLog::AccessLog(AccessLogFile& file, CounterShard& counters)
    : file_(file), counters_(counters), buffer_(kCapacity) {
  file_.Add(*this);
}

AccessLog::~AccessLog() { file_.Remove(*this); }

template <typename F>
void AccessLog::Append(const RequestRecord& record, size_t bound, F write) {
  // The line bears the time of its writing, the end of the request.
  time_.Set(std::chrono::floor<std::chrono::seconds>(record.end()).count());

  bool was_empty = false;
  bool filling_up = false;
  {
    std::lock_guard lock(mutex_);
    if (bound > kCapacity - size_) {
      counters_[CounterId::kAccessLogDropped].Add();
      return;
    }
    char* const at = buffer_.data() + size_;
    const auto line = static_cast<size_t>(write(at) - at);
    was_empty = size_ == 0;
    filling_up = size_ < kCapacity / 2 && size_ + line >= kCapacity / 2;
    size_ += line;
  }
  if (was_empty || filling_up) file_.Wake(filling_up);
}

void AccessLog::Write(const RequestRecord& record, AccessLogFormat format) {
  Append(record, AccessLogLineBound(record),
         [&](char* out) { return WriteAccessLogLine(record, format, time_, out); });
}

void AccessLog::Write(const RequestRecord& record, const LogFormat& format) {
  const LogNote* const note = record.note;
  const LogFormat& wanted = note == nullptr ? format : note->format;
  Append(record, LogLineBound(record, wanted, note),
         [&](char* out) { return WriteLogLine(record, wanted, note, time_, out); });
}

}  // namespace headgate::observe
