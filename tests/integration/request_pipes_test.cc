// Large bodies that move from the client's socket to the upstream's within the kernel.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/pipes.h"

namespace headgate::test {
namespace {

using observe::CounterId;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

std::string Put(size_t length) {
  return "PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: " + std::to_string(length) +
         "\r\n\r\n";
}

class RequestPipesTest : public PipesTest {
 protected:
  RequestPipesTest() { Route(); }

  void Route(const std::string& policy = "") {
    proxy->Route("a.example", {upstream.address()},
                 "policy { max_request_body_bytes: 0 " + policy + " }");
  }
  uint64_t piped() { return proxy->Count(CounterId::kUpstreamBytesPiped); }
};

TEST_F(RequestPipesTest, ALargeBodyBypassesOurMemoryAndBothConnectionsGoOn) {
  Peer client = proxy->Connect();
  Peer server;
  for (uint32_t round = 1; round <= 3; ++round) {
    const std::string body = Body(kSize, round);
    std::thread sender([&] { client.Send(Put(kSize) + body); });
    if (!server.connected()) server = upstream.Accept();
    EXPECT_TRUE(server.ReadRequest().body == body);
    sender.join();
    server.Send(Ok(4) + "done");
    EXPECT_EQ(client.ReadResponse().body, "done");
    client.Send(Put(5) + "small");
    EXPECT_EQ(server.ReadRequest().body, "small");
    server.Send(Ok(2) + "ok");
    EXPECT_EQ(client.ReadResponse().body, "ok");
  }
  EXPECT_GT(piped(), 3 * kSize * 9 / 10);
  EXPECT_EQ(proxy->Count(CounterId::kUpstreamConnections), 1u);
  EXPECT_EQ(proxy->Count(CounterId::kDownstreamBytesRead),
            3 * (Put(kSize).size() + kSize + Put(5).size() + 5));
  EXPECT_EQ(proxy->RouteCount("a.example").request_bytes,
            3 * (Put(kSize).size() + kSize + Put(5).size() + 5));
}

TEST_F(RequestPipesTest, ASlowUpstreamHoldsTheClientBack) {
  Peer client = proxy->Connect();
  const std::string body = Body(kLarge);
  std::thread sender([&] { client.Send(Put(kLarge) + body); });
  Peer server = upstream.Accept();
  EXPECT_TRUE(proxy->WaitForCount(CounterId::kUpstreamBytesPiped, 1));
  // What is on the way is in the kernel's buffers, which end somewhere.
  EXPECT_LT(proxy->Count(CounterId::kDownstreamBytesRead), kLarge / 2);
  EXPECT_TRUE(server.ReadRequest().body == body);
  sender.join();
  server.Send(Ok(2) + "ok");
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

// Bytes trickle in and out in small pieces: pipes fill and empty in every possible way.
TEST_F(RequestPipesTest, SmallPiecesInAndOut) {
  Peer client = proxy->Connect();
  const std::string body = Body(1'000'000);
  std::thread sender([&] {
    client.Send(Put(body.size()));
    for (size_t at = 0, size = 1; at < body.size(); at += size, size = 1 + size * 7 % 4001) {
      client.Send(std::string_view(body).substr(at, size));
    }
  });
  Peer server = upstream.Accept();
  const int small = 64 * 1024;
  setsockopt(server.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  server.ReadHead();
  std::string got;
  for (size_t size = 1; got.size() < body.size(); size = 1 + size * 5 % 997) {
    got += server.Read(std::min(size, body.size() - got.size()));
  }
  EXPECT_TRUE(got == body);
  sender.join();
  EXPECT_GT(piped(), body.size() / 2);
  server.Send(Ok(2) + "ok");
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(RequestPipesTest, WhatFollowsTheBodyIsTheNextRequest) {
  Peer client = proxy->Connect();
  Peer server;
  for (uint32_t round = 1; round <= 5; ++round) {
    const std::string body = Body(200'000, round);
    // All of the body and more may be there when the proxy looks.
    std::thread sender([&] { client.Send(Put(body.size()) + body + kGet + Put(2) + "!!"); });
    if (!server.connected()) server = upstream.Accept();
    EXPECT_TRUE(server.ReadRequest().body == body);
    sender.join();
    server.Send(Ok(3) + "put");
    EXPECT_EQ(client.ReadResponse().body, "put");
    EXPECT_EQ(server.ReadRequest().head.substr(0, 4), "GET ");
    server.Send(Ok(3) + "get");
    EXPECT_EQ(client.ReadResponse().body, "get");
    EXPECT_EQ(server.ReadRequest().body, "!!");
    server.Send(Ok(2) + "ok");
    EXPECT_EQ(client.ReadResponse().body, "ok");
  }
  EXPECT_GT(piped(), 0u);
}

TEST_F(RequestPipesTest, AClientThatEndsEarlyBreaksTheRequest) {
  for (const bool abort : {false, true}) {
    Peer client = proxy->Connect();
    const std::string body = Body(kSize / 2);
    std::thread sender([&] {
      client.Send(Put(kSize) + body);
      abort ? client.Abort() : client.Close();
    });
    Peer server = upstream.Accept();
    server.ReadHead();
    const std::string got = server.ReadToEnd();
    sender.join();
    EXPECT_TRUE(body.starts_with(got));
    proxy->WaitForClosedUpstreams();
  }
  EXPECT_EQ(proxy->Count(CounterId::kDownstreamResets), 2u);

  // Nothing of it is in the pipes that the next body takes.
  Peer client = proxy->Connect();
  const std::string body = Body(kSize, 7);
  std::thread sender([&] { client.Send(Put(kSize) + body); });
  EXPECT_TRUE(upstream.Accept().ReadRequest().body == body);
  sender.join();
}

TEST_F(RequestPipesTest, AnUpstreamThatLeavesTakesItsBytesWithIt) {
  for (uint32_t round = 1; round <= 3; ++round) {
    const uint64_t before = piped();
    Peer client = proxy->Connect();
    std::thread sender([&] { client.Send(Put(kLarge) + Body(kLarge, round)); });
    Peer server = upstream.Accept();
    EXPECT_TRUE(proxy->WaitForCount(CounterId::kUpstreamBytesPiped, before + 300'000));
    server.Abort();
    EXPECT_EQ(client.ReadResponse().status, 502);
    client.Abort();
    sender.join();

    Peer next = proxy->Connect();
    const std::string body = Body(kSize, 100 + round);
    std::thread next_sender([&] { next.Send(Put(kSize) + body); });
    Peer next_server = upstream.Accept();
    EXPECT_TRUE(next_server.ReadRequest().body == body);
    next_sender.join();
    next_server.Close();
    proxy->WaitForClosedUpstreams();
  }
}

// What the upstream says counts, also when it does not want the rest.
TEST_F(RequestPipesTest, AnEarlyAnswerEndsTheBody) {
  Peer client = proxy->Connect();
  std::thread sender([&] { client.Send(Put(kLarge) + Body(kLarge)); });
  Peer server = upstream.Accept();
  EXPECT_TRUE(proxy->WaitForCount(CounterId::kUpstreamBytesPiped, 1));
  server.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "no");
  client.Abort();
  sender.join();
  proxy->WaitForClosedUpstreams();
}

TEST_F(RequestPipesTest, ATimeLimitHoldsForBodiesInPipes) {
  Route("send_timeout { nanos: 200000000 }");
  Peer client = proxy->Connect();
  std::thread sender([&] { client.Send(Put(kLarge) + Body(kLarge)); });
  Peer server = upstream.Accept();
  EXPECT_EQ(client.ReadResponse().status, 504);
  client.Abort();
  sender.join();
  EXPECT_GT(piped(), 0u);
}

TEST_F(RequestPipesTest, WhoFindsNoPipeCopies) {
  for (const size_t pipes : {0, 1}) {
    Restart(pipes);
    Route();
    // Holds the only pipe.
    Peer slow = proxy->Connect();
    const std::string slow_body = Body(kLarge, 7);
    std::thread slow_sender([&] { slow.Send(Put(kLarge) + slow_body); });
    Peer slow_server = upstream.Accept();
    EXPECT_TRUE(proxy->WaitForCount(CounterId::kDownstreamBytesRead, kLarge / 40));

    Peer client = proxy->Connect();
    const std::string body = Body(kSize);
    std::thread sender([&] { client.Send(Put(kSize) + body); });
    EXPECT_TRUE(upstream.Accept().ReadRequest().body == body);
    sender.join();
    EXPECT_TRUE(slow_server.ReadRequest().body == slow_body);
    slow_sender.join();
    EXPECT_EQ(piped() > 0, pipes > 0);
  }
}

TEST_F(RequestPipesTest, BothDirectionsAtOnce) {
  Peer client = proxy->Connect();
  const std::string up = Body(kSize, 1), down = Body(kSize, 2);
  std::thread sender([&] { client.Send(Put(kSize) + up); });
  Peer server = upstream.Accept();
  server.ReadHead();
  std::string got;
  std::thread server_reader([&] { got = server.Read(kSize); });
  // All but the end: an answer that is complete would end the body.
  std::thread server_sender([&] { server.Send(Ok(kSize) + down.substr(0, kSize - 1)); });
  client.ReadHead();
  EXPECT_TRUE(client.Read(kSize - 1) == down.substr(0, kSize - 1));
  sender.join();
  server_sender.join();
  server_reader.join();
  server.Send(down.substr(kSize - 1));
  EXPECT_EQ(client.Read(1), down.substr(kSize - 1));
  EXPECT_TRUE(got == up);
  EXPECT_GT(piped(), 0u);
  EXPECT_GT(proxy->Count(CounterId::kDownstreamBytesPiped), 0u);
}

TEST_F(RequestPipesTest, ABodyThatIsHeldOrChunkedIsCopied) {
  const std::string body = Body(kSize);
  const auto send = [&](const std::string& head, const std::string& text) {
    Peer client = proxy->Connect();
    std::thread sender([&] { client.Send(head + text); });
    Peer server = upstream.Accept();
    EXPECT_TRUE(server.ReadRequest().body == body);
    sender.join();
  };
  Route("buffering { request: true }");
  send(Put(kSize), body);
  Route();
  send("PUT / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n",
       "4c4b40\r\n" + body + "\r\n0\r\n\r\n");
  EXPECT_EQ(piped(), 0u);
}

}  // namespace
}  // namespace headgate::test
