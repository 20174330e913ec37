#include "dataplane/http1/serializer.h"

#include <gtest/gtest.h>

#include <string>

#include "dataplane/base/arena.h"
#include "dataplane/http1/request_parser.h"

namespace headgate::http1 {
namespace {

using Connection = ResponseWireOptions::Connection;

template <typename Head, typename Options, typename Writer>
std::string Written(const Head& head, const Options& options, size_t bound, Writer write) {
  std::string out(bound, '\0');
  const size_t size = static_cast<size_t>(write(head, options, out.data()) - out.data());
  EXPECT_LE(size, bound);
  out.resize(size);
  return out;
}

std::string Request(const http::RequestHead& head, const RequestWireOptions& options = {}) {
  return Written(head, options, RequestHeadBound(head), WriteRequestHead);
}

std::string Response(const http::ResponseHead& head, const ResponseWireOptions& options = {}) {
  return Written(head, options, ResponseHeadBound(head), WriteResponseHead);
}

http::RequestHead Get() {
  http::RequestHead head;
  head.method_text = "GET";
  head.target = "/a?b";
  head.authority = "example.com";
  return head;
}

TEST(WriteRequestHeadTest, HostComesFirstAndFramingLast) {
  http::RequestHead head = Get();
  head.fields.Add("Host", "other");
  head.fields.Add("Accept", "*/*");
  head.fields.Add("Content-Length", "77");
  EXPECT_EQ(Request(head, {.framing = WireFraming::kContentLength, .length = 5}),
            "GET /a?b HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(Request(head, {.framing = WireFraming::kChunked}),
            "GET /a?b HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nTransfer-Encoding: "
            "chunked\r\n\r\n");
  EXPECT_EQ(Request(head, {.close = true}),
            "GET /a?b HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\nConnection: close\r\n\r\n");
}

TEST(WriteRequestHeadTest, FieldsAreWrittenTheSameHoweverTheyStoodInTheirLine) {
  base::BlockPool pool;
  base::Arena arena(pool);
  http::RequestHead head;
  constexpr std::string_view kLines = "A:1\r\nB: 2\r\nC:\t3\r\nD:  4\r\nE: 5 \r\nF:\r\nG: \r\nH: 6";
  ASSERT_TRUE(ParseRequestHead(
                  arena.Copy("GET / HTTP/1.1\r\nHost: x\r\n" + std::string(kLines) + "\r\n\r\n"),
                  {}, arena, head)
                  .ok());
  EXPECT_EQ(Request(head),
            "GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: \r\nG: \r\nH: "
            "6\r\n\r\n");
}

TEST(WriteRequestHeadTest, HopByHopFieldsStayHere) {
  http::RequestHead head = Get();
  for (const char* name : {"Connection", "Keep-Alive", "Proxy-Connection", "TE",
                           "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "Trailer", "Expect"}) {
    head.fields.Add(name, "x");
  }
  head.fields.Add({.name = "X-Nominated", .value = "1", .hop_by_hop = true});
  head.fields.Add("X-Kept", "2");
  EXPECT_EQ(Request(head), "GET /a?b HTTP/1.1\r\nHost: example.com\r\nX-Kept: 2\r\n\r\n");
}

TEST(WriteRequestHeadTest, TrailersAreAskedForWhenTheClientTakesThem) {
  http::RequestHead head = Get();
  head.fields.Add("TE", "gzip;q=1, Trailers");
  EXPECT_EQ(Request(head),
            "GET /a?b HTTP/1.1\r\nHost: example.com\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
  EXPECT_EQ(
      Request(head, {.close = true}),
      "GET /a?b HTTP/1.1\r\nHost: example.com\r\nTE: trailers\r\nConnection: TE, close\r\n\r\n");
}

TEST(WriteRequestHeadTest, AClientCannotMakeUsDropOurOwnFields) {
  base::BlockPool pool;
  base::Arena arena(pool);
  http::RequestHead head;
  ASSERT_TRUE(
      ParseRequestHead("GET / HTTP/1.1\r\nHost: a\r\nConnection: x-added, x-forwarded-for, host\r\n"
                       "X-Added: theirs\r\n\r\n",
                       {}, arena, head)
          .ok());
  head.fields.Add("X-Added", "ours");
  head.fields.Add("X-Forwarded-For", "192.0.2.1");
  EXPECT_EQ(Request(head),
            "GET / HTTP/1.1\r\nHost: a\r\nX-Added: ours\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
}

TEST(WriteResponseHeadTest, WritesFramingDateAndConnection) {
  http::ResponseHead head;
  head.fields.Add("Content-Type", "text/plain");
  head.fields.Add("Content-Length", "77");
  head.fields.Add("Connection", "x");
  head.fields.Add("Transfer-Encoding", "x");
  head.fields.Add("Keep-Alive", "x");
  head.fields.Add("Upgrade", "h2c");
  EXPECT_EQ(Response(head, {.framing = WireFraming::kContentLength,
                            .length = 3,
                            .connection = Connection::kClose,
                            .date = "today"}),
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nDate: today\r\n"
            "Connection: close\r\n\r\n");
  EXPECT_EQ(
      Response(head, {.framing = WireFraming::kChunked, .connection = Connection::kKeepAlive}),
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
      "Connection: keep-alive\r\n\r\n");
  EXPECT_EQ(Response(head), "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n");
}

TEST(WriteResponseHeadTest, AnOwnDateIsKept) {
  http::ResponseHead head;
  head.status = 404;
  head.reason = "Gone Fishing";
  head.fields.Add("Date", "theirs");
  EXPECT_EQ(Response(head, {.date = "ours"}), "HTTP/1.1 404 Gone Fishing\r\nDate: theirs\r\n\r\n");
}

TEST(WriteResponseHeadTest, AResponseWithoutBodyKeepsItsLength) {
  http::ResponseHead head;
  head.fields.Add("Content-Length", "77");
  head.fields.Add("Content-Length", "78");
  EXPECT_EQ(Response(head, {.framing = WireFraming::kAsReceived}),
            "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n");
}

TEST(WriteInformationalHeadTest, HasNoFraming) {
  http::ResponseHead head;
  head.status = 103;
  head.fields.Add("Link", "</a>");
  head.fields.Add("Content-Length", "5");
  head.fields.Add("Connection", "close");
  std::string out(ResponseHeadBound(head), '\0');
  out.resize(static_cast<size_t>(WriteInformationalHead(head, out.data()) - out.data()));
  EXPECT_EQ(out, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

TEST(WriteLastChunkTest, LeavesOutForbiddenTrailers) {
  http::HeaderMap trailers;
  trailers.Add("X-Sum", "1");
  trailers.Add("Content-Length", "5");
  std::string out(TrailersBound(trailers), '\0');
  out.resize(static_cast<size_t>(WriteLastChunk(trailers, out.data()) - out.data()));
  EXPECT_EQ(out, "0\r\nX-Sum: 1\r\n\r\n");
}

}  // namespace
}  // namespace headgate::http1
