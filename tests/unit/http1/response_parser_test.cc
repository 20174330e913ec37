#include "dataplane/http1/response_parser.h"

#include <gtest/gtest.h>

#include <string>

namespace headgate::http1 {
namespace {

using http::BodyLength;

class ResponseParserTest : public ::testing::Test {
 protected:
  bool Parse(std::string_view text, bool head_request = false) {
    text_ = text;
    const ResponseParseResult result = ParseResponseHead(text_, limits_, head_request, response_);
    keep_alive_ = result.keep_alive;
    return result.ok();
  }
  bool WithStatusLine(std::string_view line) { return Parse(std::string(line) + "\r\n\r\n"); }
  bool WithLines(std::string_view lines, std::string_view status_line = "HTTP/1.1 200 OK") {
    return Parse(std::string(status_line) + "\r\n" + std::string(lines) + "\r\n");
  }

  codec::ResponseLimits limits_;
  std::string text_;
  http::ResponseHead response_;
  bool keep_alive_ = false;
};

TEST_F(ResponseParserTest, TakesAResponseApart) {
  ASSERT_TRUE(WithLines("Content-Length: 5\r\nX: y\r\n", "HTTP/1.1 404 Not There"));
  EXPECT_EQ(response_.status, 404);
  EXPECT_EQ(response_.reason, "Not There");
  EXPECT_EQ(response_.body, BodyLength::Fixed(5));
  EXPECT_EQ(response_.fields.size(), 2u);
  EXPECT_TRUE(keep_alive_);
}

TEST_F(ResponseParserTest, StatusLines) {
  EXPECT_TRUE(WithStatusLine("HTTP/1.1 200 OK"));
  EXPECT_TRUE(WithStatusLine("HTTP/1.0 200 OK"));
  EXPECT_TRUE(WithStatusLine("HTTP/1.1 200 "));
  EXPECT_TRUE(WithStatusLine("HTTP/1.1 200"));
  EXPECT_TRUE(WithStatusLine("HTTP/1.1 100 x"));
  EXPECT_TRUE(WithStatusLine("HTTP/1.1 599 x"));
  for (const std::string_view line :
       {"HTTP/1.1 099 x",     "HTTP/1.1 600 x",       "HTTP/1.1 999 x",   "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",   "HTTP/1.1  200 OK",     "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK",
        "HTTP/2.0 200 OK",    "HTTP/1.2 200 OK",      "http/1.1 200 OK",  "HTTP/1.1 +20 OK",
        "HTTP/1.1 2x0 OK",    "ICY 200 OK everybody", "HTTP/1.1200 OK",   " HTTP/1.1 200 OK",
        "HTTP/1.1 200 a\x01", "HTTP/1.1 200 a\x7f",   "HTTP/1.1",         ""}) {
    EXPECT_FALSE(WithStatusLine(line)) << line;
  }
  EXPECT_FALSE(Parse("HTTP/1.1 200 OK\n\r\n"));
  EXPECT_FALSE(Parse("\r\nHTTP/1.1 200 OK\r\n\r\n"));
}

TEST_F(ResponseParserTest, FieldLinesAreAsStrictAsInRequests) {
  EXPECT_FALSE(WithLines("X : a\r\n"));
  EXPECT_FALSE(WithLines("X: a\r\n b\r\n"));
  EXPECT_FALSE(WithLines("X: a\nY: b\r\n"));
  EXPECT_FALSE(WithLines("X: a\rb\r\n"));
  EXPECT_FALSE(WithLines(std::string_view("X: \0\r\n", 6)));
  EXPECT_FALSE(WithLines("no colon\r\n"));
  limits_.max_fields = 1;
  EXPECT_FALSE(WithLines("A: 1\r\nB: 2\r\n"));
  limits_.max_head_bytes = 20;
  EXPECT_FALSE(WithLines("A: 1234567890\r\n"));
}

TEST_F(ResponseParserTest, BodyLengths) {
  EXPECT_TRUE(WithLines("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(response_.body, BodyLength::Chunked());
  EXPECT_TRUE(keep_alive_);
  EXPECT_TRUE(WithLines(""));
  EXPECT_EQ(response_.body, BodyLength::UntilClose());
  EXPECT_FALSE(keep_alive_);
  EXPECT_TRUE(WithLines("Content-Length: 0\r\n"));
  EXPECT_EQ(response_.body, BodyLength::Fixed(0));
}

TEST_F(ResponseParserTest, SomeResponsesHaveNoBodyWhateverTheySay) {
  for (const char* status : {"100", "103", "204", "304"}) {
    ASSERT_TRUE(WithLines("Content-Length: 5\r\n", std::string("HTTP/1.1 ") + status + " x"))
        << status;
    EXPECT_EQ(response_.body, BodyLength::None()) << status;
    EXPECT_TRUE(keep_alive_);
  }
  ASSERT_TRUE(Parse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true));
  EXPECT_EQ(response_.body, BodyLength::None());
  ASSERT_TRUE(Parse("HTTP/1.1 200 OK\r\n\r\n", true));
  EXPECT_EQ(response_.body, BodyLength::None());
}

TEST_F(ResponseParserTest, LengthAmbiguitiesAreRefused) {
  EXPECT_FALSE(WithLines("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_FALSE(WithLines("Content-Length: 5\r\nContent-Length: 5\r\n"));
  EXPECT_FALSE(WithLines("Content-Length: 5, 5\r\n"));
  EXPECT_FALSE(WithLines("Content-Length: -5\r\n"));
  EXPECT_FALSE(WithLines("Transfer-Encoding: gzip\r\n"));
  EXPECT_FALSE(WithLines("Transfer-Encoding: gzip, chunked\r\n"));
  EXPECT_FALSE(WithLines("Transfer-Encoding: chunked, chunked\r\n"));
  EXPECT_FALSE(WithLines("Transfer-Encoding: chunked\r\n", "HTTP/1.0 200 OK"));
  // Also where there is no body.
  EXPECT_FALSE(WithLines("Content-Length: x\r\n", "HTTP/1.1 304 x"));
  EXPECT_FALSE(
      Parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", true));
}

TEST_F(ResponseParserTest, KeepAliveFollowsVersionAndConnection) {
  EXPECT_TRUE(WithLines("Content-Length: 0\r\nConnection: close\r\n"));
  EXPECT_FALSE(keep_alive_);
  EXPECT_TRUE(WithLines("Content-Length: 0\r\n", "HTTP/1.0 200 OK"));
  EXPECT_FALSE(keep_alive_);
  EXPECT_TRUE(WithLines("Content-Length: 0\r\nConnection: keep-alive\r\n", "HTTP/1.0 200 OK"));
  EXPECT_TRUE(keep_alive_);
  EXPECT_TRUE(WithLines("Content-Length: 0\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"));
  EXPECT_TRUE(response_.fields.Find("x-hop")->hop_by_hop);
}

}  // namespace
}  // namespace headgate::http1
