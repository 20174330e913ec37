#include "common/log.h"

#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>

#include "absl/time/clock.h"
#include "common/strings.h"
#include "common/text.h"

namespace headgate {
namespace {

std::atomic<LogFormat> line_format{LogFormat::kText};
std::atomic<int> line_fd{STDERR_FILENO};
// Lines longer than PIPE_BUF may be written in parts; the lock keeps the parts of two threads
// apart.
std::mutex write_mutex;

std::string_view UpperName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "DEBUG";
    case LogLevel::kInfo: return "INFO";
    case LogLevel::kWarn: return "WARN";
    case LogLevel::kError: return "ERROR";
    case LogLevel::kOff: break;
  }
  return "OFF";
}

std::string_view LowerName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarn: return "warn";
    case LogLevel::kError: return "error";
    case LogLevel::kOff: break;
  }
  return "off";
}

bool NeedsQuotes(std::string_view value) {
  if (value.empty()) return true;
  for (const char c : value) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7F)
      return true;  // also bytes >= 0x80
  }
  return false;
}

void AppendTextValue(std::string& out, std::string_view value) {
  if (!NeedsQuotes(value)) {
    out.append(value);
    return;
  }
  out.push_back('"');
  AppendJsonEscaped(out, value);
  out.push_back('"');
}

void AppendText(std::string& out, std::string_view time, LogLevel level, std::string_view component,
                std::string_view message, std::initializer_list<LogField> fields,
                uint64_t suppressed) {
  StrAppend(&out, time, " ", UpperName(level), " ", component, " ");
  AppendJsonEscaped(out, message);
  for (const LogField& field : fields) {
    StrAppend(&out, " ", field.key, "=");
    AppendTextValue(out, field.value);
  }
  if (suppressed > 0) StrAppend(&out, " suppressed=", suppressed);
}

void AppendJson(std::string& out, std::string_view time, LogLevel level, std::string_view component,
                std::string_view message, std::initializer_list<LogField> fields,
                uint64_t suppressed) {
  StrAppend(&out, "{\"ts\":\"", time, "\",\"level\":\"", LowerName(level), "\",\"component\":\"",
            component, "\",\"msg\":\"");
  AppendJsonEscaped(out, message);
  out.push_back('"');
  for (const LogField& field : fields) {
    StrAppend(&out, ",\"", field.key, "\":");
    if (field.quoted) out.push_back('"');
    AppendJsonEscaped(out, field.value);
    if (field.quoted) out.push_back('"');
  }
  if (suppressed > 0) StrAppend(&out, ",\"suppressed\":", suppressed);
  out.push_back('}');
}

}  // namespace

namespace log_internal {

std::atomic<LogLevel> threshold{LogLevel::kInfo};

std::string Format(LogFormat format, absl::Time now, LogLevel level, std::string_view component,
                   std::string_view message, std::initializer_list<LogField> fields,
                   uint64_t suppressed) {
  const std::string time = absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", now, absl::UTCTimeZone());
  std::string line;
  line.reserve(160);
  (format == LogFormat::kJson ? AppendJson : AppendText)(line, time, level, component, message,
                                                         fields, suppressed);
  line.push_back('\n');
  return line;
}

void Write(LogLevel level, std::string_view component, std::string_view message,
           std::initializer_list<LogField> fields, uint64_t suppressed) {
  const absl::Time now = absl::Now();  // lint: allow(wall-clock) for people to read
  const std::string line = Format(line_format.load(std::memory_order_relaxed), now, level,
                                  component, message, fields, suppressed);
  const int fd = line_fd.load(std::memory_order_relaxed);
  std::string_view rest = line;
  const std::lock_guard<std::mutex> lock(write_mutex);
  while (!rest.empty()) {
    const ssize_t written = write(fd, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody reads the log; there is nowhere to complain
    rest.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace log_internal

LogField::LogField(std::string_view k, double v) : key(k), value(StrCat(v)), quoted(false) {
  if (value.find_first_of("nN") != std::string::npos) quoted = true;  // nan, inf: not JSON numbers
}

LogField::LogField(std::string_view k, const absl::Status& v) : key(k), value(v.ToString()) {}

void ConfigureLogging(const LogOptions& options) {
  line_format.store(options.format, std::memory_order_relaxed);
  line_fd.store(options.fd, std::memory_order_relaxed);
  log_internal::threshold.store(options.level, std::memory_order_relaxed);
}

bool ParseLogLevel(std::string_view text, LogLevel* level) {
  for (const LogLevel candidate :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError, LogLevel::kOff}) {
    if (text == LowerName(candidate)) {
      *level = candidate;
      return true;
    }
  }
  return false;
}

bool ParseLogFormat(std::string_view text, LogFormat* format) {
  if (text != "text" && text != "json") return false;
  *format = text == "json" ? LogFormat::kJson : LogFormat::kText;
  return true;
}

bool LogThrottle::Admit(int64_t now_ns, uint64_t* suppressed) {
  int64_t next = next_ns_.load(std::memory_order_relaxed);
  if (now_ns < next ||
      !next_ns_.compare_exchange_strong(next, now_ns + interval_ns_, std::memory_order_relaxed)) {
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  *suppressed = suppressed_.exchange(0, std::memory_order_relaxed);
  return true;
}

bool LogThrottle::Admit(uint64_t* suppressed) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return Admit(static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec, suppressed);
}

}  // namespace headgate
