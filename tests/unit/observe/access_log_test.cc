#include "dataplane/observe/access_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace headgate::observe {
namespace {

RequestRecord FullRecord() {
  RequestRecord record;
  record.received = {.tv_sec = 784111777, .tv_nsec = 0};  // Sun, 06 Nov 1994 08:49:37 GMT
  record.duration = std::chrono::microseconds(12'345);
  record.client_ip = "192.0.2.7";
  record.user = "alice";
  record.method = "GET";
  record.target = "/a?b=c";
  record.version = "HTTP/1.1";
  record.host = "example.com";
  record.referer = "https://example.com/";
  record.user_agent = "curl/8";
  record.request_id = "0123456789abcdef";
  record.status = 200;
  record.request_bytes = 321;
  record.response_body_bytes = 1024;
  record.upstream_name = "shop-web-80";
  record.attempt_storage[0] = {.address = "10.0.0.1:80",
                               .status = 502,
                               .response_bytes = 0,
                               .response_time = std::chrono::microseconds(1999)};
  record.attempt_storage[1] = {.address = "10.0.0.2:80",
                               .status = 200,
                               .response_bytes = 1024,
                               .response_time = std::chrono::microseconds(1'010'000)};
  record.attempt_count = 2;
  return record;
}

class AccessLogLineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
    time_.Set(784111777);
  }
  std::string Line(const RequestRecord& record, AccessLogFormat format = AccessLogFormat::kText) {
    std::string out(AccessLogLineBound(record), '\0');
    out.resize(
        static_cast<size_t>(WriteAccessLogLine(record, format, time_, out.data()) - out.data()));
    return out;
  }
  nlohmann::json Json(const RequestRecord& record) {
    const std::string line = Line(record, AccessLogFormat::kJson);
    EXPECT_EQ(line.back(), '\n');
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    return nlohmann::json::parse(line, nullptr, false);
  }
  LogTime time_;
};

TEST_F(AccessLogLineTest, TextIsTheDefaultLineOfIngressNginx) {
  EXPECT_EQ(Line(FullRecord()),
            "192.0.2.7 - alice [06/Nov/1994:08:49:37 +0000] \"GET /a?b=c HTTP/1.1\" 200 1024 "
            "\"https://example.com/\" \"curl/8\" 321 0.012 [shop-web-80] [] "
            "10.0.0.1:80, 10.0.0.2:80 0, 1024 0.001, 1.010 502, 200 0123456789abcdef\n");
}

TEST_F(AccessLogLineTest, WhatIsMissingIsADash) {
  RequestRecord record;
  record.status = 400;
  EXPECT_EQ(
      Line(record),
      "- - - [06/Nov/1994:08:49:37 +0000] \"-\" 400 0 \"-\" \"-\" 0 0.000 [-] [] - - - - -\n");
}

TEST_F(AccessLogLineTest, WhatWasNoRequestIsLoggedAsItCame) {
  RequestRecord record;
  record.method = "\x16\x03\x01 junk";
  EXPECT_NE(Line(record).find("\"\\x16\\x03\\x01 junk\" 0"), std::string::npos);
}

TEST_F(AccessLogLineTest, AnAttemptWithoutAnswerHasTheStatusThatItCountsAs) {
  RequestRecord record = FullRecord();
  record.attempt_storage[0].status = 0;
  EXPECT_NE(Line(record).find(" -, 200 "), std::string::npos);  // given up
  record.attempt_storage[0].failed_as = 504;
  EXPECT_NE(Line(record).find(" 504, 200 "), std::string::npos);
}

TEST_F(AccessLogLineTest, TextEscapesEveryByteThatCouldForgeALine) {
  for (int byte = 0; byte < 256; ++byte) {
    // At every place of a 16-byte block, for the fast path.
    for (size_t position : {size_t{0}, size_t{7}, size_t{15}, size_t{16}, size_t{31}}) {
      std::string agent(32, 'a');
      agent[position] = static_cast<char>(byte);
      RequestRecord record;
      record.user_agent = agent;
      std::string escaped = agent.substr(0, position);
      if (byte < 32 || byte > 126 || byte == '"' || byte == '\\') {
        char hex[5];
        snprintf(hex, sizeof(hex), "\\x%02X", byte);
        escaped += hex;
      } else {
        escaped += static_cast<char>(byte);
      }
      escaped += agent.substr(position + 1);
      EXPECT_NE(Line(record).find("\"-\" \"" + escaped + "\" "), std::string::npos) << byte;
    }
  }
}

TEST_F(AccessLogLineTest, EscapesInEveryPlaceOfATextOfEveryLength) {
  for (size_t size = 1; size <= 70; ++size) {
    for (size_t at = 0; at <= size; ++at) {
      std::string agent(size, 'a');
      for (size_t i = 0; i < size; ++i) agent[i] = static_cast<char>('a' + i % 26);
      std::string escaped = agent;
      if (at < size) {
        agent[at] = '"';
        escaped.replace(at, 1, "\\x22");
      }
      RequestRecord record = FullRecord();
      record.user_agent = agent;
      EXPECT_NE(Line(record).find(" \"" + escaped + "\" 321 "), std::string::npos)
          << size << " " << at;
    }
  }
}

TEST_F(AccessLogLineTest, JsonHasTheSameFacts) {
  const nlohmann::json line = Json(FullRecord());
  ASSERT_TRUE(line.is_object());
  EXPECT_EQ(line["time"], "1994-11-06T08:49:37+00:00");
  EXPECT_EQ(line["remote_addr"], "192.0.2.7");
  EXPECT_EQ(line["request"], "GET /a?b=c HTTP/1.1");
  EXPECT_EQ(line["host"], "example.com");
  EXPECT_EQ(line["status"], 200);
  EXPECT_EQ(line["body_bytes_sent"], 1024);
  EXPECT_EQ(line["request_time"], 0.012);
  EXPECT_EQ(line["upstream_addr"], "10.0.0.1:80, 10.0.0.2:80");
  EXPECT_EQ(line["upstream_status"], "502, 200");
  EXPECT_EQ(line["req_id"], "0123456789abcdef");
  EXPECT_FALSE(line.contains("failure"));
}

TEST_F(AccessLogLineTest, JsonStaysJsonWhateverTheBytes) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string agent = std::string(20, 'x') + static_cast<char>(byte) + "y";
    RequestRecord record;
    record.user_agent = agent;
    record.target = agent;
    record.method = agent;
    const nlohmann::json line = Json(record);
    ASSERT_TRUE(line.is_object()) << byte;
    if (byte < 128) {
      EXPECT_EQ(line["http_user_agent"], agent);
    }
  }
}

TEST_F(AccessLogLineTest, TheBoundHoldsForTheWorstText) {
  const std::string bad(5000, '\xff');
  RequestRecord record = FullRecord();
  record.client_ip = record.user = record.method = record.target = record.version = bad;
  record.host = record.referer = record.user_agent = record.request_id = record.upstream_name = bad;
  record.failure = bad;
  record.request_bytes = record.response_body_bytes = UINT64_MAX;
  record.duration = std::chrono::microseconds::max();
  for (AttemptRecord& attempt : record.attempt_storage) {
    attempt = {.address = bad,
               .status = 65535,
               .response_bytes = UINT64_MAX,
               .response_time = std::chrono::microseconds::max()};
  }
  record.attempt_count = RequestRecord::kMaxAttempts;
  EXPECT_LE(Line(record).size(), AccessLogLineBound(record));
  EXPECT_LE(Line(record, AccessLogFormat::kJson).size(), AccessLogLineBound(record));
}

class AccessLogFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "access_log_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override {
    for (const char* name : {"/log", "/log.1"}) unlink((directory_ + name).c_str());
    rmdir(directory_.c_str());
  }
  std::string Read(const std::string& name) {
    std::ifstream file(directory_ + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static size_t Lines(const std::string& text) {
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  std::string directory_;
  CounterShard counters_;
};

TEST_F(AccessLogFileTest, LinesOfSeveralWorkersArriveWhole) {
  auto file = AccessLogFile::Open(directory_ + "/log");
  ASSERT_TRUE(file.ok());
  constexpr int kWorkers = 3;
  constexpr int kLines = 5000;
  std::array<CounterShard, kWorkers> counters;
  std::vector<std::thread> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.emplace_back([&, i] {
      AccessLog log(**file, counters[static_cast<size_t>(i)]);
      const RequestRecord record = FullRecord();
      for (int line = 0; line < kLines; ++line) log.Write(record, AccessLogFormat::kText);
    });
  }
  for (std::thread& worker : workers) worker.join();
  file->reset();
  const std::string text = Read("/log");
  uint64_t dropped = 0;
  for (const CounterShard& shard : counters) dropped += shard[CounterId::kAccessLogDropped].value();
  EXPECT_EQ(Lines(text) + dropped, size_t{kWorkers * kLines});
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    ASSERT_TRUE(line.starts_with("192.0.2.7 - alice [")) << line;
    ASSERT_TRUE(line.ends_with(" 0123456789abcdef")) << line;
  }
}

TEST_F(AccessLogFileTest, FlushGivesEverythingToTheKernel) {
  auto file = AccessLogFile::Open(directory_ + "/log");
  ASSERT_TRUE(file.ok());
  AccessLog log(**file, counters_);
  log.Write(FullRecord(), AccessLogFormat::kText);
  (*file)->Flush();
  EXPECT_EQ(Lines(Read("/log")), 1u);
}

TEST_F(AccessLogFileTest, ReopenFollowsARotation) {
  auto file = AccessLogFile::Open(directory_ + "/log");
  ASSERT_TRUE(file.ok());
  AccessLog log(**file, counters_);
  log.Write(FullRecord(), AccessLogFormat::kText);
  (*file)->Flush();
  ASSERT_EQ(rename((directory_ + "/log").c_str(), (directory_ + "/log.1").c_str()), 0);
  ASSERT_TRUE((*file)->Reopen().ok());
  log.Write(FullRecord(), AccessLogFormat::kText);
  (*file)->Flush();
  EXPECT_EQ(Lines(Read("/log.1")), 1u);
  EXPECT_EQ(Lines(Read("/log")), 1u);
}

TEST_F(AccessLogFileTest, AFullBufferDropsAndCounts) {
  auto file = AccessLogFile::Open("/dev/full");
  ASSERT_TRUE(file.ok());
  AccessLog log(**file, counters_);
  const std::string target(AccessLog::kCapacity, 'a');
  RequestRecord record = FullRecord();
  record.target = target;
  log.Write(record, AccessLogFormat::kText);
  EXPECT_EQ(counters_[CounterId::kAccessLogDropped].value(), 1u);
  log.Write(FullRecord(), AccessLogFormat::kText);
  (*file)->Flush();
  EXPECT_EQ((*file)->write_errors(), 1u);
}

TEST(AccessLogFileOpenTest, AnUnwritablePathIsAnError) {
  const auto file = AccessLogFile::Open("/nonexistent/log");
  ASSERT_FALSE(file.ok());
  EXPECT_NE(file.status().ToString().find("/nonexistent/log"), std::string::npos);
}

}  // namespace
}  // namespace headgate::observe
