// Large bodies that move from the upstream's socket to the client's within the kernel.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/pipes.h"

namespace headgate::test {
namespace {

using observe::CounterId;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";

class ResponsePipesTest : public PipesTest {
 protected:
  // A client whose request has reached the upstream.
  Peer Ask(Peer& server, std::string_view request = kGet) {
    Peer client = proxy->Connect();
    client.Send(request);
    if (!server.connected()) server = upstream.Accept();
    server.ReadRequest();
    return client;
  }
  uint64_t piped() { return proxy->Count(CounterId::kDownstreamBytesPiped); }
};

TEST_F(ResponsePipesTest, ALargeBodyBypassesOurMemoryAndBothConnectionsGoOn) {
  Peer server;
  Peer client = Ask(server);
  for (uint32_t round = 1; round <= 3; ++round) {
    const std::string body = Body(kSize, round);
    std::thread sender([&] { server.Send(Ok(kSize) + body); });
    EXPECT_TRUE(client.ReadResponse().body == body);
    sender.join();
    client.Send(kGet);
    server.ReadRequest();
    server.Send(Ok(5) + "small");
    EXPECT_EQ(client.ReadResponse().body, "small");
    client.Send(kGet);
    server.ReadRequest();
  }
  EXPECT_GT(piped(), 3 * kSize * 9 / 10);
  EXPECT_EQ(proxy->Count(CounterId::kUpstreamConnections), 1u);
  EXPECT_EQ(proxy->Count(CounterId::kUpstreamBytesRead),
            3 * (Ok(kSize).size() + kSize + Ok(5).size() + 5));
  EXPECT_EQ(proxy->RouteCount("a.example").response_bytes, 3 * (kSize + 5));
}

TEST_F(ResponsePipesTest, ABodyUntilTheEndOfTheConnection) {
  const std::string body = Body(kSize);
  for (const char* version : {"1.0", "1.1"}) {
    const uint64_t before = piped();
    Peer server;
    Peer client = Ask(server, "GET / HTTP/" + std::string(version) + "\r\nHost: a.example\r\n\r\n");
    std::thread sender([&] {
      server.Send("HTTP/1.1 200 OK\r\n\r\n" + body);
      server.Close();
    });
    const Peer::Message response = client.ReadResponse();
    sender.join();
    EXPECT_EQ(response.Field("transfer-encoding"), version[2] == '0' ? "" : "chunked");
    EXPECT_TRUE(response.body == body) << response.body.size() << response.head;
    EXPECT_GT(piped(), before);
  }
}

TEST_F(ResponsePipesTest, ASlowClientHoldsTheUpstreamBack) {
  Peer server;
  Peer client = Ask(server);
  const std::string body = Body(kLarge);
  std::thread sender([&] { server.Send(Ok(kLarge) + body); });
  EXPECT_TRUE(proxy->WaitForCount(CounterId::kDownstreamBytesPiped, 1));
  // What is on the way is in the kernel's buffers, which end somewhere.
  EXPECT_LT(proxy->Count(CounterId::kUpstreamBytesRead), kLarge / 2);
  EXPECT_TRUE(client.ReadResponse().body == body);
  sender.join();
}

// Bytes trickle in and out in small pieces: pipes fill and empty in every possible way.
TEST_F(ResponsePipesTest, SmallPiecesInAndOut) {
  Peer server;
  Peer client = Ask(server);
  const int small = 64 * 1024;
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  const std::string body = Body(1'000'000);
  std::thread sender([&] {
    server.Send(Ok(body.size()));
    for (size_t at = 0, size = 1; at < body.size(); at += size, size = 1 + size * 7 % 4001) {
      server.Send(std::string_view(body).substr(at, size));
    }
  });
  client.ReadHead();
  std::string got;
  for (size_t size = 1; got.size() < body.size(); size = 1 + size * 5 % 997) {
    got += client.Read(std::min(size, body.size() - got.size()));
  }
  EXPECT_TRUE(got == body);
  sender.join();
  EXPECT_GT(piped(), body.size() / 2);
}

TEST_F(ResponsePipesTest, AClientThatLeavesTakesItsBytesWithIt) {
  for (uint32_t round = 1; round <= 3; ++round) {
    Peer server;
    Peer client = Ask(server);
    std::thread sender(
        [&] { server.Send(Ok(kLarge) + Body(kLarge, round)); });  // ends when the proxy hangs up
    EXPECT_TRUE(proxy->WaitForCount(CounterId::kDownstreamBytesPiped, round * 300'000));
    client.Abort();
    sender.join();
    proxy->WaitForClosedUpstreams();

    Peer next_server;
    Peer next = Ask(next_server);
    const std::string body = Body(kSize, 100 + round);
    std::thread next_sender([&] { next_server.Send(Ok(kSize) + body); });
    EXPECT_TRUE(next.ReadResponse().body == body);
    next_sender.join();
    next_server.Close();
    proxy->WaitForClosedUpstreams();
  }
  EXPECT_EQ(proxy->Count(CounterId::kDownstreamResets), 3u);
}

TEST_F(ResponsePipesTest, AnUpstreamThatEndsEarlyBreaksTheResponse) {
  for (const bool abort : {false, true}) {
    Peer server;
    Peer client = Ask(server);
    const std::string body = Body(kSize / 2);
    std::thread sender([&] {
      server.Send(Ok(kSize) + body);
      abort ? server.Abort() : server.Close();
    });
    client.ReadHead();
    const std::string got = client.ReadToEnd();
    sender.join();
    EXPECT_TRUE(body.starts_with(got));
    EXPECT_TRUE(abort || got == body);
  }
  EXPECT_EQ(proxy->Count(CounterId::kUpstreamResets), 2u);
}

TEST_F(ResponsePipesTest, BytesBehindTheBodyReachNobody) {
  Peer server;
  Peer client = Ask(server);
  for (uint32_t round = 1; round <= 5; ++round) {
    const std::string body = Body(200'000, round);
    server.Send(Ok(body.size()));
    const std::string head = client.ReadHead();
    // All of the body and more may be there when the proxy looks.
    server.Send(body + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    EXPECT_TRUE(client.Read(body.size()) == body);
    EXPECT_TRUE(server.Ended());
    client.Send(kGet);
    server = upstream.Accept();
    server.ReadRequest();
  }
  server.Send(Ok(4) + "good");
  EXPECT_EQ(client.ReadResponse().body, "good");
}

TEST_F(ResponsePipesTest, WhoFindsNoPipeCopies) {
  for (const size_t pipes : {0, 1}) {
    Restart(pipes);
    // Holds the only pipe.
    Peer slow_server;
    Peer slow = Ask(slow_server);
    const std::string slow_body = Body(kLarge, 7);
    std::thread slow_sender([&] { slow_server.Send(Ok(kLarge) + slow_body); });
    EXPECT_TRUE(proxy->WaitForCount(CounterId::kUpstreamBytesRead, kLarge / 40));

    Peer server;
    Peer client = Ask(server);
    const std::string body = Body(kSize);
    std::thread sender([&] { server.Send(Ok(kSize) + body); });
    EXPECT_TRUE(client.ReadResponse().body == body);
    sender.join();
    EXPECT_TRUE(slow.ReadResponse().body == slow_body);
    slow_sender.join();
    EXPECT_EQ(piped() > 0, pipes > 0);
  }
}

TEST_F(ResponsePipesTest, SeveralAtOnceDoNotMix) {
  Restart(2);
  constexpr size_t kClients = 5;
  std::vector<Peer> servers(kClients), clients;
  std::vector<std::thread> senders;
  for (size_t i = 0; i < kClients; ++i) {
    clients.push_back(Ask(servers[i]));
    senders.emplace_back(
        [&servers, i] { servers[i].Send(Ok(kSize) + Body(kSize, static_cast<uint32_t>(i))); });
  }
  std::vector<std::string> got(kClients);
  for (Peer& client : clients) client.ReadHead();
  for (size_t at = 0; at < kSize; at += 50'000) {
    for (size_t i = 0; i < kClients; ++i) got[i] += clients[i].Read(50'000);
  }
  for (size_t i = 0; i < kClients; ++i)
    EXPECT_TRUE(got[i] == Body(kSize, static_cast<uint32_t>(i))) << i;
  for (std::thread& sender : senders) sender.join();
}

TEST_F(ResponsePipesTest, ABodyThatIsReadAheadOrChunkedIsCopied) {
  proxy->Route("a.example", {upstream.address()}, "policy { buffering { response: true } }");
  Peer server;
  Peer client = Ask(server);
  const std::string body = Body(kSize);
  std::thread sender([&] { server.Send(Ok(kSize) + body); });
  EXPECT_TRUE(client.ReadResponse().body == body);
  sender.join();
  proxy->Route("a.example", {upstream.address()});
  client.Send(kGet);
  server.ReadRequest();
  std::thread chunked_sender([&] {
    server.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4c4b40\r\n" + body +
                "\r\n0\r\n\r\n");
  });
  EXPECT_TRUE(client.ReadResponse().body == body);
  chunked_sender.join();
  EXPECT_EQ(piped(), 0u);
}

TEST_F(ResponsePipesTest, AConfigurationChangeAndADrainLetItEnd) {
  Peer server;
  Peer client = Ask(server);
  const std::string body = Body(kLarge);
  std::thread sender([&] { server.Send(Ok(kLarge) + body); });
  EXPECT_TRUE(proxy->WaitForCount(CounterId::kDownstreamBytesPiped, 1));
  PeerListener other;
  proxy->Route("a.example", {other.address()});
  std::thread drain([&] { EXPECT_TRUE(proxy->pool().Drain(std::chrono::seconds(10))); });
  EXPECT_TRUE(client.ReadResponse().body == body);
  EXPECT_TRUE(client.Ended());
  sender.join();
  drain.join();
}

}  // namespace
}  // namespace headgate::test
