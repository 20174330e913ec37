// Responses that are read ahead of a slow client, through one proxy and real sockets.

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;

std::string Body(size_t size) {
  std::string body(size, '\0');
  for (size_t i = 0; i < size; ++i) body[i] = static_cast<char>('a' + i * 131 / 7 % 26);
  return body;
}

std::string Ok(size_t length) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
// More than all socket buffers on the way hold.
constexpr size_t kLarge = 40'000'000;

class ResponseBufferingTest : public testing::Test {
 protected:
  void Route(const std::string& buffering) {
    proxy.Route("a.example", {upstream.address()}, "policy { buffering { " + buffering + " } }");
  }

  TestProxy proxy;
  PeerListener upstream;
};

TEST_F(ResponseBufferingTest, TheEndpointIsFreeBeforeASlowClientHasRead) {
  Route("response: true");
  const std::string body = Body(kLarge);
  Peer slow = proxy.Connect();
  slow.Send(kGet);
  Peer server = upstream.Accept();
  server.ReadRequest();
  ASSERT_TRUE(server.Send(Ok(kLarge) + body));  // would not come back if the proxy did not read

  // The same connection serves somebody else, while the slow client has not read a byte.
  Peer other = proxy.Connect();
  other.Send("GET /other HTTP/1.1\r\nHost: a.example\r\n\r\n");
  EXPECT_TRUE(server.ReadRequest().head.starts_with("GET /other "));
  server.Send(Ok(2) + "ok");
  EXPECT_EQ(other.ReadResponse().body, "ok");
  EXPECT_GT(proxy.pool().spilled_bytes(), kLarge / 2);

  EXPECT_TRUE(slow.ReadResponse().body == body);
  proxy.Count(CounterId::kDownstreamRequests);
  EXPECT_EQ(proxy.pool().spilled_bytes(), 0u);
  EXPECT_EQ(proxy.RouteCount("a.example").response_bytes, kLarge + 2);
}

TEST_F(ResponseBufferingTest, WithoutAFileTheEndpointWaitsForTheClient) {
  Route("response: true response_file_bytes: 0");
  const std::string body = Body(kLarge);
  Peer slow = proxy.Connect();
  slow.Send(kGet);
  Peer server = upstream.Accept();
  server.ReadRequest();
  std::thread sender([&] { server.Send(Ok(kLarge) + body); });
  EXPECT_TRUE(proxy.WaitForCount(CounterId::kUpstreamBytesRead, 16 * 1024));
  EXPECT_TRUE(slow.ReadResponse().body == body);
  EXPECT_EQ(proxy.pool().spilled_bytes(), 0u);
  sender.join();
}

TEST_F(ResponseBufferingTest, PiecesPassAtOnce) {
  Route("response: true");
  Peer client = proxy.Connect();
  client.Send(kGet);
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.ReadHead();
  for (int i = 0; i < 3; ++i) {
    server.Send("4\r\ntick\r\n");
    EXPECT_EQ(client.Read(9), "4\r\ntick\r\n");
  }
}

TEST_F(ResponseBufferingTest, ChunksAndTrailersArriveInOrder) {
  Route("response: true");
  const std::string body = Body(kLarge);
  Peer slow = proxy.Connect();
  slow.Send(kGet);
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2625a00\r\n" + body +
              "\r\n0\r\nX-Sum: 7\r\n\r\n");
  const Peer::Message response = slow.ReadResponse();
  EXPECT_TRUE(response.body == body);
  EXPECT_EQ(response.Field("X-Sum"), "7");
}

TEST_F(ResponseBufferingTest, ATruncatedResponseIsShownAsBroken) {
  Route("response: true");
  Peer slow = proxy.Connect();
  slow.Send(kGet);
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send(Ok(kLarge) + Body(kLarge / 2));
  server.Close();
  EXPECT_LT(slow.ReadToEnd().size(), kLarge);
  proxy.Count(CounterId::kDownstreamRequests);
  EXPECT_EQ(proxy.pool().spilled_bytes(), 0u);
}

TEST_F(ResponseBufferingTest, AClientThatLeavesIsForgotten) {
  Route("response: true");
  {
    Peer slow = proxy.Connect();
    slow.Send(kGet);
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send(Ok(kLarge) + Body(kLarge));
    EXPECT_GT(proxy.pool().spilled_bytes(), 0u);
    slow.Abort();
    EXPECT_TRUE(proxy.WaitForCount(CounterId::kDownstreamResets, 1));
    proxy.Count(CounterId::kDownstreamResets);  // the turn that counted it is over
  }
  EXPECT_EQ(proxy.pool().spilled_bytes(), 0u);
}

}  // namespace
}  // namespace headgate::test
