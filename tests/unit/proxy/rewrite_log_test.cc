#include "dataplane/proxy/rewrite_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "common/log.h"

namespace headgate::proxy {
namespace {

class RewriteLogTest : public ::testing::Test {
 protected:
  RewriteLogTest() {
    ConfigureLogging({.level = LogLevel::kInfo, .format = LogFormat::kText, .fd = fileno(file_)});
  }
  ~RewriteLogTest() override {
    ConfigureLogging({});
    fclose(file_);
  }

  std::string Text() {
    std::string text(1 << 20, '\0');
    const ssize_t size = pread(fileno(file_), text.data(), text.size(), 0);
    text.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
    return text;
  }
  size_t Lines() {
    const std::string text = Text();
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  FILE* file_ = tmpfile();
  net::TimePoint now_ = net::TimePoint(std::chrono::hours(1));
  RewriteLog log_;
  RewriteDecision decision_{.what = "rewritten",
                            .ingress = "shop",
                            .ns = "default",
                            .client = "192.0.2.1",
                            .host = "a.test",
                            .method = "GET",
                            .target = "/api/x?y",
                            .request_id = "1f",
                            .pattern = "/api(.*)",
                            .path = "/api/x",
                            .result = "/x?y"};
};

TEST_F(RewriteLogTest, ALineSaysWhatBecameOfARequest) {
  log_.Write(decision_, now_);
  EXPECT_NE(
      Text().find(
          " INFO rewrite rewritten ingress=default/shop client=192.0.2.1 host=a.test method=GET "
          "target=/api/x?y pattern=/api(.*) path=/api/x result=/x?y request_id=1f left_out=0\n"),
      std::string::npos)
      << Text();
}

TEST_F(RewriteLogTest, NothingThatAClientSendsIsMoreThanAValue) {
  decision_.host = "a.test\n2026-01-01T00:00:00Z INFO app stopped";
  decision_.path = "/x\" result=\"/y\x1b[2J";
  decision_.target = "/\xff\xfe left_out=9";
  log_.Write(decision_, now_);
  EXPECT_EQ(Lines(), 1u);
  const std::string text = Text();
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find(R"(host="a.test\n2026-01-01T00:00:00Z INFO app stopped")"), std::string::npos)
      << text;
  EXPECT_NE(text.find(R"(path="/x\" result=\"/y)"), std::string::npos) << text;
}

TEST_F(RewriteLogTest, LongTextsAreCut) {
  const std::string longest(100'000, 'a');
  decision_.host = decision_.target = decision_.pattern = decision_.path = decision_.result =
      decision_.request_id = longest;
  decision_.method = longest;
  log_.Write(decision_, now_);
  EXPECT_LT(Text().size(), 8 * RewriteLog::kMaxText);
}

TEST_F(RewriteLogTest, ASecondHasSoManyLinesAndTheNextOneSaysWhatIsMissing) {
  for (uint32_t i = 0; i < RewriteLog::kLinesPerSecond + 7; ++i) log_.Write(decision_, now_);
  EXPECT_EQ(Lines(), RewriteLog::kLinesPerSecond);
  log_.Write(decision_, now_ + std::chrono::milliseconds(999));
  EXPECT_EQ(Lines(), RewriteLog::kLinesPerSecond);
  log_.Write(decision_, now_ + std::chrono::seconds(1));
  EXPECT_EQ(Lines(), RewriteLog::kLinesPerSecond + 1);
  EXPECT_TRUE(Text().ends_with(" left_out=8\n")) << Text();
}

}  // namespace
}  // namespace headgate::proxy
