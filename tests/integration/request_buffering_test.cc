// Request bodies that are held until they are complete, through one proxy and real sockets.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr char kHeld[] = "policy { buffering { request: true } max_request_body_bytes: 0 }";

std::string Body(size_t size) {
  std::string body(size, '\0');
  for (size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i * 131 / 7 % 26);
  return body;
}

std::string Put(size_t length, std::string_view fields = "") {
  return "PUT /up HTTP/1.1\r\nHost: a.example\r\nContent-Length: " + std::to_string(length) +
         "\r\n" + std::string(fields) + "\r\n";
}

std::string PostChunked(std::string_view fields = "") {
  return "POST /up HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n" +
         std::string(fields) + "\r\n";
}

class RequestBufferingTest : public testing::Test {
 protected:
  RequestBufferingTest() { proxy.Route("a.example", {upstream.address()}, kHeld); }

  TestProxy proxy;
  PeerListener upstream;
};

TEST_F(RequestBufferingTest, NoEndpointIsBotheredBeforeTheBodyIsComplete) {
  Peer client = proxy.Connect();
  client.Send(Put(6) + "abc");
  EXPECT_FALSE(upstream.HasConnection());
  client.Send("def");
  Peer server = upstream.Accept();
  EXPECT_EQ(server.ReadRequest().body, "abcdef");
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(RequestBufferingTest, AChunkedBodyIsHeldForAnEndpointOfHttp10) {
  proxy.Route("a.example", {upstream.address()}, "");
  proxy.Apply({R"(name: "cluster/test/a.example/80"
                  cluster { endpoints: "endpoints/test/a.example/80" http_1_0: true })"});
  Peer client = proxy.Connect();
  client.Send(PostChunked() + "3\r\nabc\r\n");
  EXPECT_FALSE(upstream.HasConnection());
  client.Send("0\r\n\r\n");
  Peer server = upstream.Accept();
  const Peer::Message request = server.ReadRequest();
  EXPECT_NE(request.head.find("POST /up HTTP/1.0\r\n"), std::string::npos) << request.head;
  EXPECT_EQ(request.Field("Content-Length"), "3");
  EXPECT_EQ(request.Field("Connection"), "close");
  EXPECT_EQ(request.body, "abc");
  server.Send("HTTP/1.0 200 OK\r\n\r\nok");
  server.Close();
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(RequestBufferingTest, AnEndpointOfHttp10IsAskedForNoUpgradeAndOnceOnly) {
  proxy.Route("a.example", {upstream.address()}, "");
  proxy.Apply({R"(name: "cluster/test/a.example/80"
                  cluster { endpoints: "endpoints/test/a.example/80" http_1_0: true })"});
  Peer client = proxy.Connect();
  for (int i = 0; i < 2; ++i) {
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
    Peer server = upstream.Accept();
    const Peer::Message request = server.ReadRequest();
    EXPECT_EQ(request.Field("TE"), "");
    server.Send("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(client.ReadResponse().status, 200);
    EXPECT_TRUE(server.Ended());
  }
  client.Send(
      "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  Peer server = upstream.Accept();
  EXPECT_EQ(server.ReadRequest().Field("Upgrade"), "");
  server.Send("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(RequestBufferingTest, AChunkedBodyGetsItsLength) {
  Peer client = proxy.Connect();
  client.Send(PostChunked() + "3\r\nabc\r\n");
  client.Send("2\r\nde\r\n0\r\n\r\n");
  Peer server = upstream.Accept();
  const Peer::Message request = server.ReadRequest();
  EXPECT_EQ(request.Field("Content-Length"), "5");
  EXPECT_EQ(request.Field("Transfer-Encoding"), "");
  EXPECT_EQ(request.body, "abcde");
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(RequestBufferingTest, AnEmptyChunkedBodyHasLengthZero) {
  Peer client = proxy.Connect();
  client.Send(PostChunked() + "0\r\n\r\n");
  Peer server = upstream.Accept();
  const Peer::Message request = server.ReadRequest();
  EXPECT_EQ(request.Field("Content-Length"), "0");
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(RequestBufferingTest, TrailersGoOn) {
  Peer client = proxy.Connect();
  client.Send(PostChunked() + "3\r\nabc\r\n0\r\nX-Sum: 5\r\n\r\n");
  Peer server = upstream.Accept();
  EXPECT_NE(server.ReadHead().find("chunked"), std::string::npos);
  EXPECT_EQ(server.Read(23), "3\r\nabc\r\n0\r\nX-Sum: 5\r\n\r\n");
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(RequestBufferingTest, WhoWaitsFor100GetsItAtOnce) {
  Peer client = proxy.Connect();
  client.Send(Put(3, "Expect: 100-continue\r\n"));
  EXPECT_EQ(client.ReadResponse().status, 100);
  EXPECT_FALSE(upstream.HasConnection());
  client.Send("abc");
  Peer server = upstream.Accept();
  EXPECT_EQ(server.ReadRequest().body, "abc");
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(RequestBufferingTest, ALargeBodyGoesThroughAFile) {
  const std::string body = Body(3'000'000);
  Peer client = proxy.Connect();
  client.Send(Put(body.size()) + body.substr(0, 1'000'000));
  EXPECT_FALSE(upstream.HasConnection());
  EXPECT_GT(proxy.pool().spilled_bytes(), 0u);
  client.Send(std::string_view(body).substr(1'000'000));
  Peer server = upstream.Accept();
  EXPECT_TRUE(server.ReadRequest().body == body);
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
  proxy.Count(CounterId::kDownstreamRequests);  // every worker has ended its turn
  EXPECT_EQ(proxy.pool().spilled_bytes(), 0u);
}

TEST_F(RequestBufferingTest, AnAttemptThatFailedIsRepeatedWithTheBody) {
  const std::string body = Body(300'000);
  Peer client = proxy.Connect();
  client.Send(Put(body.size()) + body);
  {
    Peer first = upstream.Accept();
    first.ReadRequest();
    first.Close();
  }
  Peer second = upstream.Accept();
  EXPECT_TRUE(second.ReadRequest().body == body);
  second.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(RequestBufferingTest, WhatIsNotIdempotentIsNotRepeatedOnceSent) {
  Peer client = proxy.Connect();
  client.Send(PostChunked() + "3\r\nabc\r\n0\r\n\r\n");
  Peer first = upstream.Accept();
  first.ReadRequest();
  first.Close();
  EXPECT_EQ(client.ReadResponse().status, 502);
}

TEST_F(RequestBufferingTest, ABodyOverTheLimitIs413WithoutAnEndpoint) {
  proxy.Route("a.example", {upstream.address()},
              "policy { buffering { request: true } max_request_body_bytes: 4 }");
  Peer client = proxy.Connect();
  client.Send(PostChunked() + "3\r\nabc\r\n2\r\nde\r\n");
  EXPECT_EQ(client.ReadResponse().status, 413);
  EXPECT_FALSE(upstream.HasConnection());
}

TEST_F(RequestBufferingTest, AClientThatLeavesIsForgotten) {
  {
    Peer client = proxy.Connect();
    client.Send(Put(1'000'000) + Body(500'000));
    EXPECT_TRUE(proxy.WaitForCount(CounterId::kDownstreamBytesRead, 500'000));
    EXPECT_GT(proxy.pool().spilled_bytes(), 0u);
  }
  EXPECT_TRUE(proxy.WaitForCount(CounterId::kDownstreamResets, 1));
  proxy.Count(CounterId::kDownstreamResets);  // the turn that counted it is over
  EXPECT_EQ(proxy.pool().spilled_bytes(), 0u);
  EXPECT_FALSE(upstream.HasConnection());
}

TEST_F(RequestBufferingTest, AnEarlyAnswerEndsTheBody) {
  const std::string body = Body(20'000'000);
  Peer client = proxy.Connect();
  client.Send(Put(body.size()) + body);
  Peer server = upstream.Accept();
  server.ReadHead();
  server.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(client.ReadResponse().status, 403);
  // The body was received in full, so the client's connection lives on.
  client.Send("GET /next HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer next = upstream.Accept();
  EXPECT_TRUE(next.ReadRequest().head.starts_with("GET /next "));
  next.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(RequestBufferingTest, CallsOfGrpcAreNotHeld) {
  Peer client = proxy.Connect();
  client.Send(PostChunked("Content-Type: application/grpc+proto\r\n") + "3\r\nabc\r\n");
  Peer server = upstream.Accept();
  server.ReadHead();
  EXPECT_EQ(server.Read(8), "3\r\nabc\r\n");
}

TEST_F(RequestBufferingTest, SettingsDecideWhereTheRouteDoesNot) {
  proxy.Apply({"name: \"settings\" settings { buffering { request: true } }"});
  proxy.Route("a.example", {upstream.address()});
  Peer client = proxy.Connect();
  client.Send(Put(6) + "abc");
  EXPECT_FALSE(upstream.HasConnection());

  proxy.Route("a.example", {upstream.address()}, "policy { buffering { request: false } }");
  Peer streaming = proxy.Connect();
  streaming.Send(Put(6) + "abc");
  Peer server = upstream.Accept();
  server.ReadHead();
  EXPECT_EQ(server.Read(3), "abc");
}

TEST(RequestBufferingWithoutRoomTest, TheBodyIsPassedOnAsItComes) {
  TestProxy proxy(1, 100'000);
  PeerListener upstream;
  proxy.Route("a.example", {upstream.address()}, kHeld);
  const std::string body = Body(2'000'000);
  Peer client = proxy.Connect();
  client.Send(Put(body.size()) + body.substr(0, 1'000'000));
  Peer server = upstream.Accept();
  client.Send(std::string_view(body).substr(1'000'000));
  EXPECT_TRUE(server.ReadRequest().body == body);
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

}  // namespace
}  // namespace headgate::test
