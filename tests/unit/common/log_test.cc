#include "common/log.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <sstream>
#include <thread>
#include <vector>

#include "common/text.h"

namespace headgate {
namespace {

const absl::Time kTime = absl::FromUnixMicros(1'769'860'800'123'456);

// Sends log lines to memory for the time of a test.
class CapturedLog {
 public:
  explicit CapturedLog(LogLevel level) : fd_(memfd_create("log", 0)) {
    ConfigureLogging({.level = level, .format = LogFormat::kText, .fd = fd_});
  }
  ~CapturedLog() {
    ConfigureLogging({});
    close(fd_);
  }
  std::string Text() const {
    std::string text(static_cast<size_t>(lseek(fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

 private:
  const int fd_;
};

TEST(LogTest, TextLineHasTimeLevelComponentMessageAndFields) {
  EXPECT_EQ(log_internal::Format(LogFormat::kText, kTime, LogLevel::kWarn, "kube", "watch ended",
                                 {{"kind", "Ingress"},
                                  {"count", 12},
                                  {"ok", true},
                                  {"took", absl::Milliseconds(1500)},
                                  {"ratio", 0.5}},
                                 3),
            "2026-01-31T12:00:00.123456Z WARN kube watch ended kind=Ingress count=12 ok=true "
            "took=1.5s ratio=0.5 suppressed=3\n");
}

TEST(LogTest, JsonLineKeepsNumbersBare) {
  EXPECT_EQ(log_internal::Format(LogFormat::kJson, kTime, LogLevel::kInfo, "kube", "listed",
                                 {{"kind", "Ingress"}, {"count", 12}, {"on", false}}, 0),
            "{\"ts\":\"2026-01-31T12:00:00.123456Z\",\"level\":\"info\",\"component\":\"kube\","
            "\"msg\":\"listed\",\"kind\":\"Ingress\",\"count\":12,\"on\":false}\n");
}

TEST(LogTest, TextFromOutsideCannotForgeALineOrAField) {
  const std::string line =
      log_internal::Format(LogFormat::kText, kTime, LogLevel::kInfo, "kube", "bad\nname",
                           {{"name", "a b=\"c\"\nERROR"}, {"empty", ""}, {"raw", "\xFF\x1b"}}, 0);
  EXPECT_EQ(line,
            "2026-01-31T12:00:00.123456Z INFO kube bad\\nname name=\"a b=\\\"c\\\"\\nERROR\" "
            "empty=\"\" raw=\"\xEF\xBF\xBD\\u001b\"\n");
}

TEST(LogTest, NotANumberIsStillJson) {
  const std::string line =
      log_internal::Format(LogFormat::kJson, kTime, LogLevel::kInfo, "c", "m",
                           {{"value", std::numeric_limits<double>::quiet_NaN()}}, 0);
  EXPECT_NE(line.find("\"value\":\"nan\""), std::string::npos) << line;
}

TEST(LogTest, SecretsAndStatusesHaveTheirForms) {
  const CapturedLog log(LogLevel::kInfo);
  HEADGATE_LOG(kInfo, "tls", "loaded", {"key", SecretBytes("hunter2")},
               {"error", absl::NotFoundError("gone")});
  EXPECT_NE(log.Text().find("key=[redacted] error=\"NOT_FOUND: gone\""), std::string::npos);
  EXPECT_EQ(log.Text().find("hunter2"), std::string::npos);
}

TEST(LogTest, ArgumentsOfADisabledLevelAreNotEvaluated) {
  const CapturedLog log(LogLevel::kWarn);
  int evaluated = 0;
  HEADGATE_LOG(kInfo, "test", "off", {"n", ++evaluated});
  HEADGATE_LOG(kError, "test", "on", {"n", ++evaluated});
  EXPECT_EQ(evaluated, 1);
  EXPECT_EQ(log.Text().find("off"), std::string::npos);
  EXPECT_NE(log.Text().find("on n=1"), std::string::npos);
}

TEST(LogTest, ThrottledLineComesOncePerIntervalAndCountsTheOthers) {
  LogThrottle throttle(1000);
  uint64_t suppressed = 99;
  EXPECT_TRUE(throttle.Admit(5000, &suppressed));
  EXPECT_EQ(suppressed, 0u);
  EXPECT_FALSE(throttle.Admit(5001, &suppressed));
  EXPECT_FALSE(throttle.Admit(5999, &suppressed));
  EXPECT_TRUE(throttle.Admit(6000, &suppressed));
  EXPECT_EQ(suppressed, 2u);
}

TEST(LogTest, ThrottleIsPerPlace) {
  const CapturedLog log(LogLevel::kInfo);
  for (int i = 0; i < 5; ++i) HEADGATE_LOG_EVERY(3600, kInfo, "test", "first", {"i", i});
  for (int i = 0; i < 5; ++i) HEADGATE_LOG_EVERY(3600, kInfo, "test", "second", {"i", i});
  EXPECT_NE(log.Text().find("first i=0"), std::string::npos);
  EXPECT_NE(log.Text().find("second i=0"), std::string::npos);
  EXPECT_EQ(log.Text().find("i=1"), std::string::npos);
}

TEST(LogTest, LinesOfManyThreadsStayWhole) {
  const CapturedLog log(LogLevel::kInfo);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 200; ++i) HEADGATE_LOG(kInfo, "test", "line", {"pad", "0123456789"});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream lines(log.Text());
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    ++count;
    EXPECT_EQ(line.substr(line.find(' ')), " INFO test line pad=0123456789");
  }
  EXPECT_EQ(count, 800);
}

TEST(LogTest, LevelsAndFormatsAreReadByName) {
  LogLevel level = LogLevel::kOff;
  EXPECT_TRUE(ParseLogLevel("debug", &level));
  EXPECT_EQ(level, LogLevel::kDebug);
  EXPECT_FALSE(ParseLogLevel("loud", &level));
  EXPECT_EQ(level, LogLevel::kDebug);
  LogFormat format = LogFormat::kText;
  EXPECT_TRUE(ParseLogFormat("json", &format));
  EXPECT_EQ(format, LogFormat::kJson);
  EXPECT_FALSE(ParseLogFormat("xml", &format));
}

TEST(TextTest, KnowsWellFormedUtf8) {
  for (const char* good : {"", "plain", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    EXPECT_TRUE(IsValidUtf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80",
                          "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

TEST(TextTest, EscapesForJson) {
  std::string out;
  AppendJsonEscaped(out, std::string_view("a\"\\\n\t\r\0\x7F\xC3\xA4\xC3", 11));
  EXPECT_EQ(out, "a\\\"\\\\\\n\\t\\r\\u0000\\u007f\xC3\xA4\xEF\xBF\xBD");
}

}  // namespace
}  // namespace headgate
