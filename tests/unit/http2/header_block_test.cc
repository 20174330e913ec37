#include "dataplane/http2/header_block.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace headgate::http2 {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using http::BodyLength;

class HeaderBlockTest : public ::testing::Test {
 protected:
  HeadResult Request(const Fields& fields, bool end = true, const HeadLimits& limits = {}) {
    block.Start(arena, limits);
    for (const auto& [name, value] : fields) EXPECT_TRUE(block.Add(name, value));
    return MakeRequestHead(block, limits, end, arena, request);
  }
  // A good request with these fields, or with one of its own replaced.
  HeadResult With(const Fields& more, bool end = true, const HeadLimits& limits = {}) {
    Fields fields = {
        {":method", "GET"}, {":scheme", "https"}, {":authority", "a.example"}, {":path", "/"}};
    for (const auto& field : more) {
      bool replaced = false;
      for (auto& own : fields) {
        if (own.first != field.first || field.first[0] != ':') continue;
        own.second = field.second;
        replaced = true;
      }
      if (!replaced) fields.push_back(field);
    }
    return Request(fields, end, limits);
  }
  HeadResult Response(const Fields& fields, bool head_request = false, bool end = false) {
    block.Start(arena, {});
    for (const auto& [name, value] : fields) EXPECT_TRUE(block.Add(name, value));
    return MakeResponseHead(block, head_request, end, response);
  }

  base::BlockPool pool;
  base::Arena arena{pool};
  HeaderBlock block;
  http::RequestHead request;
  http::ResponseHead response;
};

TEST_F(HeaderBlockTest, ReadsARequest) {
  ASSERT_TRUE(
      With({{"x-a", "1"}, {"content-length", "3"}, {"expect", "100-continue"}}, false).ok());
  EXPECT_EQ(request.method, http::Method::kGet);
  EXPECT_EQ(request.authority, "a.example");
  EXPECT_EQ(request.body, BodyLength::Fixed(3));
  EXPECT_TRUE(request.expect_continue);
  EXPECT_EQ(request.fields.Get("host"), "a.example");
  EXPECT_EQ(request.fields.Get("x-a"), "1");
}

TEST_F(HeaderBlockTest, TheBodyEndsAsTheFramesSay) {
  ASSERT_TRUE(With({}, true).ok());
  EXPECT_EQ(request.body, BodyLength::None());
  ASSERT_TRUE(With({}, false).ok());
  EXPECT_EQ(request.body, BodyLength::Chunked());
  EXPECT_EQ(With({{"content-length", "1"}}, true).status, 400);
  for (const char* bad :
       {"+1", "-1", "1 ", "1,1", "0x1", "", "9223372036854775808", "99999999999999999999"}) {
    EXPECT_EQ(With({{"content-length", bad}}, false).status, 400) << bad;
  }
  EXPECT_EQ(With({{"content-length", "1"}, {"content-length", "1"}}, false).status, 400);
}

TEST_F(HeaderBlockTest, RefusesWhatHttp1WouldReadInAnotherWay) {
  const std::string nul("\0", 1);
  for (const std::string& bad :
       {std::string("\r"), std::string("\n"), nul, std::string("\r\n"), std::string("\x7f")}) {
    EXPECT_EQ(With({{"x-a", "1" + bad + "2"}}).status, 400);
    EXPECT_EQ(With({{"x-a" + bad, "1"}}).status, 400);
    for (const char* name : {":method", ":scheme", ":authority", ":path"}) {
      EXPECT_EQ(With({{name, "GET" + bad}}).status, 400) << name;
    }
  }
  for (const char* name : {"", "x a", "x:a", "X-Capital", "x\"", "\xc3\xa4"}) {
    EXPECT_EQ(With({{name, "1"}}).status, 400) << name;
  }
  EXPECT_EQ(With({{"x-a", " 1"}}).status, 400);
  EXPECT_EQ(With({{"x-a", "1\t"}}).status, 400);
  EXPECT_TRUE(With({{"x-a", "\xc3\xa4 b"}}).ok());
}

TEST_F(HeaderBlockTest, RefusesConnectionSpecificFields) {
  for (const char* name :
       {"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"}) {
    EXPECT_EQ(With({{name, "x"}}).status, 400) << name;
  }
  EXPECT_EQ(With({{"te", "gzip"}}).status, 400);
  EXPECT_EQ(With({{"te", "trailers, gzip"}}).status, 400);
  EXPECT_TRUE(With({{"te", "trailers"}}).ok());
}

TEST_F(HeaderBlockTest, RefusesBadPseudoHeaderFields) {
  EXPECT_EQ(With({{":unknown", "1"}}).status, 400);
  EXPECT_EQ(With({{":status", "200"}}).status, 400);
  EXPECT_EQ(With({{":method", ""}}).status, 400);
  EXPECT_EQ(With({{":method", "G T"}}).status, 400);
  EXPECT_EQ(With({{":scheme", "ftp"}}).status, 400);
  for (const char* path : {"", "a", "/a b", "/a#b", "*", "http://a.example/"}) {
    EXPECT_EQ(With({{":path", path}}).status, 400) << path;
  }
  EXPECT_TRUE(With({{":method", "OPTIONS"}, {":path", "*"}}).ok());
  for (const char* name : {":method", ":path", ":scheme"}) {
    Fields fields = {{":method", "GET"}, {":scheme", "https"}, {":authority", "a"}, {":path", "/"}};
    std::erase_if(fields, [name](const auto& field) { return field.first == name; });
    EXPECT_EQ(Request(fields).status, 400) << name;
  }
  EXPECT_EQ(Request({{":method", "GET"},
                     {":method", "GET"},
                     {":scheme", "https"},
                     {":authority", "a"},
                     {":path", "/"}})
                .status,
            400);
  EXPECT_EQ(Request({{":method", "GET"},
                     {":scheme", "https"},
                     {":authority", "a"},
                     {"x-a", "1"},
                     {":path", "/"}})
                .status,
            400);
}

TEST_F(HeaderBlockTest, OneAuthority) {
  EXPECT_EQ(With({{":authority", ""}}).status, 400);
  EXPECT_EQ(With({{":authority", "user@a.example"}}).status, 400);
  EXPECT_EQ(With({{":authority", "a.example/b"}}).status, 400);
  EXPECT_TRUE(With({{"host", "A.example:443"}}).ok());
  EXPECT_EQ(With({{"host", "b.example"}}).status, 400);
  EXPECT_EQ(With({{"host", "a.example:80"}}).status, 400);
  EXPECT_EQ(With({{"host", "a.example"}, {"host", "a.example"}}).status, 400);
  ASSERT_TRUE(
      Request({{":method", "GET"}, {":scheme", "https"}, {":path", "/"}, {"host", "h.example"}})
          .ok());
  EXPECT_EQ(request.authority, "h.example");
}

TEST_F(HeaderBlockTest, JoinsCookies) {
  ASSERT_TRUE(With({{"cookie", "a=1"}, {"x-a", "1"}, {"cookie", "b=2"}, {"cookie", "c=3"}}).ok());
  EXPECT_EQ(request.fields.Get("cookie"), "a=1; b=2; c=3");
  EXPECT_EQ(request.fields.Count(http::FieldId::kCookie), 1u);
  ASSERT_TRUE(With({{"cookie", ""}, {"cookie", "a=1"}, {"cookie", ""}}).ok());
  EXPECT_EQ(request.fields.Get("cookie"), "a=1") << "no blank at the end";
}

TEST_F(HeaderBlockTest, LimitsAreAnswered) {
  EXPECT_EQ(With({{"x-a", std::string(2000, 'a')}}, true, {.max_head_bytes = 1000}).status, 431);
  EXPECT_EQ(With({{"a", "1"}, {"b", "2"}, {"c", "3"}}, true, {.max_fields = 2}).status, 431);
  EXPECT_EQ(With({{":path", "/" + std::string(200, 'a')}}, true, {.max_line_bytes = 100}).status,
            414);
}

TEST_F(HeaderBlockTest, UnderscoresAreDroppedUnlessWanted) {
  using http::Underscores;
  const Fields fields = {{"a_b", "1"}, {"x_forwarded_for", "2"}, {"x_request-id", "3"}};
  ASSERT_TRUE(With(fields, true, {.underscores = Underscores::kDropped}).ok());
  EXPECT_EQ(request.fields.size(), 1u) << "Host";
  ASSERT_TRUE(With(fields, true, {.underscores = Underscores::kKeptUnlessKnown}).ok());
  EXPECT_EQ(request.fields.size(), 2u);
  EXPECT_EQ(request.fields.Get("a_b"), "1");
}

TEST_F(HeaderBlockTest, Connect) {
  EXPECT_EQ(Request({{":method", "CONNECT"}, {":authority", "a.example:443"}}).status, 405);
  ASSERT_TRUE(With({{":method", "CONNECT"}, {":protocol", "websocket"}}, false).ok());
  EXPECT_EQ(request.upgrade, "websocket");
  EXPECT_EQ(request.method_text, "GET");
  EXPECT_EQ(request.body, BodyLength::None());
  EXPECT_EQ(With({{":protocol", "websocket"}}).status, 400);
  EXPECT_EQ(With({{":method", "CONNECT"}, {":protocol", "web socket"}}).status, 400);
  // What is never passed on as an Upgrade of HTTP/1.1 is not passed on from here either.
  for (const char* protocol : {"h2c", "H2C", "HTTP/2.0", "TLS/1.0"}) {
    EXPECT_EQ(With({{":method", "CONNECT"}, {":protocol", protocol}}, false).status, 501)
        << protocol;
  }
  EXPECT_EQ(
      With({{":method", "CONNECT"}, {":protocol", "websocket"}, {"content-length", "1"}}, false)
          .status,
      400);
}

TEST_F(HeaderBlockTest, ReadsAResponse) {
  ASSERT_TRUE(Response({{":status", "200"}, {"content-length", "5"}}).ok());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, BodyLength::Fixed(5));
  ASSERT_TRUE(Response({{":status", "200"}}).ok());
  EXPECT_EQ(response.body, BodyLength::Chunked());
  ASSERT_TRUE(Response({{":status", "200"}, {"content-length", "5"}}, true, true).ok());
  EXPECT_EQ(response.body, BodyLength::None());
  ASSERT_TRUE(Response({{":status", "103"}}).ok());
  for (const char* bad : {"", "2", "20x", "0200", "099", "101", "600", "999"}) {
    EXPECT_EQ(Response({{":status", bad}}).status, 400) << bad;
  }
  EXPECT_EQ(Response({{"x-a", "1"}}).status, 400);
  EXPECT_EQ(Response({{":status", "200"}, {":path", "/"}}).status, 400);
  EXPECT_EQ(Response({{":status", "200"}, {"connection", "close"}}).status, 400);
  EXPECT_EQ(Response({{":status", "200"}, {"content-length", "5"}}, false, true).status, 400);
  EXPECT_EQ(Response({{":status", "103"}}, false, true).status, 400);
}

}  // namespace
}  // namespace headgate::http2
