#include "dataplane/http2/session.h"

#include "tests/unit/http2/session_support.h"

namespace headgate::http2::testing {
namespace {

using http::BodyLength;

TEST_F(SessionTest, CarriesARequestAndItsResponseOneByteAtATime) {
  http::RequestHead head = Request("POST", "/a?b");
  head.fields.Add("X-Mine", "7");
  head.fields.Add("Connection", "x-gone");
  head.fields.Add({.name = "X-Gone", .value = "1", .hop_by_hop = true});
  head.fields.Add("TE", "gzip, trailers");
  head.body = BodyLength::Fixed(5);
  NotedStream& request = Send(head, false);
  client.session.SendBody(request, "he", false);
  client.session.SendBody(request, "llo", true);
  Talk(1);

  ASSERT_EQ(server.streams.size(), 1u);
  NotedStream& served = *server.streams[0];
  EXPECT_TRUE(served.head_result.ok()) << served.head_result.detail;
  EXPECT_EQ(served.request.method, http::Method::kPost);
  EXPECT_EQ(served.request.target, "/a?b");
  EXPECT_EQ(served.request.authority, "a.example");
  EXPECT_EQ(served.request.version, http::Version::kHttp2);
  EXPECT_EQ(served.request.body, BodyLength::Fixed(5));
  EXPECT_EQ(served.Field("x-mine"), "7");
  EXPECT_EQ(served.Field("x-gone"), "");
  EXPECT_EQ(served.Field("te"), "trailers");
  EXPECT_EQ(served.Field("host"), "a.example");
  EXPECT_EQ(served.body, "hello");
  EXPECT_TRUE(served.ended);

  http::ResponseHead hints;
  hints.status = 103;
  hints.fields.Add("Link", "</x>");
  server.session.SendInformational(served, hints);
  http::ResponseHead response;
  response.status = 201;
  response.fields.Add("X-Theirs", "8");
  response.fields.Add("Transfer-Encoding", "chunked");
  response.body = BodyLength::Chunked();
  server.session.SendResponse(served, response, "today", false, false);
  server.session.SendBody(served, "world", false);
  http::HeaderMap trailers;
  trailers.Add("X-Sum", "9");
  trailers.Add("Content-Length", "99");
  server.session.SendTrailers(served, trailers);
  Talk(1);

  EXPECT_EQ(request.heads, 2);
  EXPECT_TRUE(request.head_result.ok()) << request.head_result.detail;
  EXPECT_EQ(request.response.status, 201);
  EXPECT_EQ(request.Field("x-theirs"), "8");
  EXPECT_EQ(request.Field("date"), "today");
  EXPECT_EQ(request.Field("transfer-encoding"), "");
  EXPECT_EQ(request.body, "world");
  EXPECT_EQ(request.trailers, "x-sum=9;");
  EXPECT_TRUE(request.ended);
  EXPECT_EQ(request.closed, ErrorCode::kNoError);
  EXPECT_TRUE(served.end_sent);
  EXPECT_EQ(served.closed, ErrorCode::kNoError);
}

TEST_F(SessionTest, ABodyStopsWhenItsCreditIsUsedUpAndGoesOnWhenItIsReturned) {
  const std::string body(300'000, 'x');
  http::RequestHead head = Request("POST", "/");
  head.body = BodyLength::Fixed(body.size());
  NotedStream& request = Send(head, false);
  client.session.SendBody(request, body, true);
  Talk();
  NotedStream& served = *server.streams.at(0);
  EXPECT_EQ(served.body.size(), 64u * 1024);
  EXPECT_EQ(request.unsent(), body.size() - served.body.size());
  while (!served.ended) {
    const size_t before = served.body.size();
    server.session.ReturnCredit(served);
    Talk();
    ASSERT_GT(served.body.size(), before);
  }
  EXPECT_EQ(served.body, body);
}

TEST_F(SessionTest, OneStuckStreamLeavesCreditToOthers) {
  NotedStream& stuck = Send(Request("POST", "/1"), false);
  client.session.SendBody(stuck, std::string(200'000, 'x'), false);
  NotedStream& other = Send(Request("POST", "/2"), false);
  client.session.SendBody(other, "abc", true);
  Talk();
  ASSERT_EQ(server.streams.size(), 2u);
  EXPECT_EQ(server.streams[1]->body, "abc");
}

TEST_F(SessionTest, CreditOfAStreamThatIsResetReturnsToTheConnection) {
  // More than the connection's credit in all.
  for (int i = 0; i < 30; ++i) {
    NotedStream& stream = Send(Request("POST", "/"), false);
    client.session.SendBody(stream, std::string(64 * 1024, 'x'), false);
    Talk();
    NotedStream& served = *server.streams.back();
    ASSERT_EQ(served.body.size(), 64u * 1024) << i;
    server.session.Reset(served, ErrorCode::kCancel);
    Talk();
    EXPECT_EQ(stream.closed, ErrorCode::kCancel);
    EXPECT_EQ(served.closed, ErrorCode::kCancel);
  }
}

TEST_F(SessionTest, AnnouncesItsEndAndFinishesWhatItHas) {
  NotedStream& first = Send(Request("GET", "/1"), true);
  Talk();
  server.session.AnnounceShutdown();
  Talk();
  EXPECT_EQ(server.ping_acks, 1);
  EXPECT_EQ(client.goaway, ErrorCode::kNoError);
  EXPECT_EQ(client.goaway_last, INT32_MAX);
  server.session.Shutdown();
  Talk();
  EXPECT_EQ(client.goaway_last, first.id());
  NotedStream& late = client.NewStream();
  EXPECT_FALSE(client.session.SendRequest(late, Request("GET", "/2"), "https", true));
  http::ResponseHead response;
  server.session.SendResponse(*server.streams.at(0), response, {}, false, true);
  Talk();
  EXPECT_EQ(first.closed, ErrorCode::kNoError);
  EXPECT_FALSE(client.session.alive());
  EXPECT_FALSE(server.session.alive());
}

TEST_F(SessionTest, AnUpgradeIsAnExtendedConnect) {
  Talk();  // the server's settings allow it
  http::RequestHead head = Request("GET", "/chat");
  head.upgrade = "websocket";
  NotedStream& request = Send(head, false);
  Talk();
  NotedStream& served = *server.streams.at(0);
  EXPECT_TRUE(served.head_result.ok()) << served.head_result.detail;
  EXPECT_EQ(served.request.method, http::Method::kGet);
  EXPECT_EQ(served.request.upgrade, "websocket");
  EXPECT_EQ(served.request.target, "/chat");
  EXPECT_EQ(served.request.body, BodyLength::None());
  http::ResponseHead response;
  response.status = 101;
  server.session.SendResponse(served, response, {}, false, false);
  server.session.SendBody(served, "frame", false);
  Talk();
  EXPECT_EQ(request.response.status, 200);
  EXPECT_EQ(request.body, "frame");
}

TEST_F(SessionTest, GarbageEndsTheSession) {
  server.session.Receive("GET / HTTP/1.1\r\nHost: a\r\n\r\n", now);
  server.Take();
  EXPECT_FALSE(server.session.alive());
}

}  // namespace
}  // namespace headgate::http2::testing
