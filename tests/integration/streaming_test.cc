// Answers that come piece by piece: each piece is with the client before the next is sent.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

class StreamingTest : public testing::Test {
 protected:
  StreamingTest() { proxy.Route("a.example", {upstream.address()}); }

  // A request that has its answer's head, at both ends.
  void Open(Peer& client, Peer& server, std::string_view fields, std::string_view version = "1.1") {
    client = proxy.Connect();
    client.Send("GET /events HTTP/" + std::string(version) +
                "\r\nHost: a.example\r\nAccept: text/event-stream\r\n\r\n");
    server = upstream.Accept();
    server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + std::string(fields) +
                "\r\n");
    EXPECT_NE(client.ReadHead().find("text/event-stream"), std::string::npos);
  }

  TestProxy proxy;
  PeerListener upstream;
};

TEST_F(StreamingTest, EachEventArrivesBeforeTheNextIsSent) {
  Peer client, server;
  Open(client, server, "Transfer-Encoding: chunked\r\n");
  for (int i = 0; i < 200; ++i) {
    const std::string chunk = "9\r\ndata: " + std::to_string(i % 10) + "\n\n\r\n";
    server.Send(chunk);
    ASSERT_EQ(client.Read(chunk.size()), chunk) << i;
  }
  server.Send("0\r\n\r\n");
  EXPECT_EQ(client.Read(5), "0\r\n\r\n");
}

TEST_F(StreamingTest, EventsUntilTheEndOfTheConnectionToo) {
  for (const char* version : {"1.0", "1.1"}) {
    Peer client, server;
    Open(client, server, "", version);
    for (int i = 0; i < 100; ++i) {
      server.Send("data: x\n\n");
      const std::string expected = version[2] == '0' ? "data: x\n\n" : "9\r\ndata: x\n\n\r\n";
      ASSERT_EQ(client.Read(expected.size()), expected) << i;
    }
    server.Close();
    if (version[2] == '0') {
      EXPECT_TRUE(client.Ended());
    } else {
      EXPECT_EQ(client.Read(5), "0\r\n\r\n");
    }
  }
}

TEST_F(StreamingTest, TheHeadOfALongPollDoesNotWaitForItsBody) {
  Peer client, server;
  Open(client, server, "Content-Length: 5\r\n");  // which has seen the head at the client
  EXPECT_TRUE(client.Silent());
  server.Send("later");
  EXPECT_EQ(client.Read(5), "later");
}

TEST_F(StreamingTest, EachPieceOfARequestArrivesBeforeTheNextIsSent) {
  Peer client = proxy.Connect();
  client.Send("POST /up HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n");
  Peer server = upstream.Accept();
  server.ReadHead();
  for (int i = 0; i < 100; ++i) {
    client.Send("1\r\nx\r\n");
    ASSERT_EQ(server.Read(6), "1\r\nx\r\n") << i;
  }
}

}  // namespace
}  // namespace headgate::test
