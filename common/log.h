// Levelled, structured logging to one file descriptor (stderr by default).
//
//   HEADGATE_LOG(kInfo, "kube", "listed", {"kind", kind}, {"count", items.size()});
//
// Text:  2026-01-31T12:00:00.123456Z INFO kube listed kind=Ingress count=12
// JSON:
// {"ts":"2026-01-31T12:00:00.123456Z","level":"info","component":"kube","msg":"listed","kind":"Ingress","count":12}
//
// One write(2) a line; text from outside cannot break a line or forge a field. When the level is
// off, a statement costs one relaxed atomic load and its arguments are not evaluated. Thread: any.
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/secret_bytes.h"

namespace headgate {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat : uint8_t { kText, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  int fd = 2;  // not owned
};

// Sets what every later line obeys. Called by main before threads start, and by tests.
void ConfigureLogging(const LogOptions& options);

// "debug", "info", "warn", "error", "off"; false (and *level untouched) for anything else.
bool ParseLogLevel(std::string_view text, LogLevel* level);
// "text" or "json".
bool ParseLogFormat(std::string_view text, LogFormat* format);

// One key=value of a line. The key is a literal of ours: [a-z0-9_]+.
struct LogField {
  template <std::integral T>
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)), quoted(false) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), quoted(false) {}
  LogField(std::string_view k, double v);
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  template <std::same_as<absl::string_view> T>
  requires(!std::same_as<absl::string_view, std::string_view>) LogField(std::string_view k, T v)
      : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  LogField(std::string_view k, absl::Duration v) : key(k), value(absl::FormatDuration(v)) {}
  LogField(std::string_view k, const absl::Status& v);
  LogField(std::string_view k, const SecretBytes&) : key(k), value("[redacted]") {}

  std::string_view key;
  std::string value;
  bool quoted = true;  // false: a number or boolean, written bare in JSON
};

namespace log_internal {
extern std::atomic<LogLevel> threshold;
void Write(LogLevel level, std::string_view component, std::string_view message,
           std::initializer_list<LogField> fields, uint64_t suppressed);
// The line itself, with its newline. Apart so that tests can give the time.
std::string Format(LogFormat format, absl::Time now, LogLevel level, std::string_view component,
                   std::string_view message, std::initializer_list<LogField> fields,
                   uint64_t suppressed);
}  // namespace log_internal

inline bool LogEnabled(LogLevel level) {
  return level >= log_internal::threshold.load(std::memory_order_relaxed);
}

// Lets one event through per interval and counts the others. Thread: any.
class LogThrottle {
 public:
  explicit constexpr LogThrottle(int64_t interval_ns) : interval_ns_(interval_ns) {}

  // True if a line is due; *suppressed is then how many were swallowed since the last one. `now_ns`
  // is monotonic.
  bool Admit(int64_t now_ns, uint64_t* suppressed);
  // The same with the monotonic clock of the system.
  bool Admit(uint64_t* suppressed);

 private:
  const int64_t interval_ns_;
  std::atomic<int64_t> next_ns_{INT64_MIN};
  std::atomic<uint64_t> suppressed_{0};
};

}  // namespace headgate

// HEADGATE_LOG(kWarn, "component", "message", {"key", value}...)
#define HEADGATE_LOG(level, component, message, ...)                                   \
  do {                                                                                 \
    if (::headgate::LogEnabled(::headgate::LogLevel::level)) {                         \
      ::headgate::log_internal::Write(::headgate::LogLevel::level, component, message, \
                                      {__VA_ARGS__}, 0);                               \
    }                                                                                  \
  } while (false)

// As HEADGATE_LOG, but at most one line per `seconds` from this place; the line says how many were
// left out.
#define HEADGATE_LOG_EVERY(seconds, level, component, message, ...)                          \
  do {                                                                                       \
    if (::headgate::LogEnabled(::headgate::LogLevel::level)) {                               \
      static ::headgate::LogThrottle headgate_throttle(static_cast<int64_t>((seconds)*1e9)); \
      uint64_t headgate_suppressed = 0;                                                      \
      if (headgate_throttle.Admit(&headgate_suppressed)) {                                   \
        ::headgate::log_internal::Write(::headgate::LogLevel::level, component, message,     \
                                        {__VA_ARGS__}, headgate_suppressed);                 \
      }                                                                                      \
    }                                                                                        \
  } while (false)
