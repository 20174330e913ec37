// Copies of requests that go to a mirror.

#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

class MirrorTest : public testing::Test {
 protected:
  void Serve(const std::string& mirror) {
    ASSERT_TRUE(
        proxy
            .Apply({R"(name: "vhost/a.example" virtual_host { host: "a.example" routes {
                                match { prefix_path: "/" } policy { max_request_body_bytes: 0 mirror { cluster: "cluster/m" host: "shadow" )" +
                        mirror + R"( } } forward { clusters { cluster: "cluster/a" } } } })",
                    R"(name: "cluster/a" cluster { endpoints: "endpoints/a" })",
                    R"(name: "cluster/m" cluster { endpoints: "endpoints/m" })",
                    EndpointsText("endpoints/a", {upstream.address()}),
                    EndpointsText("endpoints/m", {mirror_end.address()})})
            .empty());
  }

  static constexpr const char* kTarget =
      R"(target { parts { literal: "/copy" } parts { variable: REQUEST_URI } })";

  TestProxy proxy;
  PeerListener upstream;
  PeerListener mirror_end;
};

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST_F(MirrorTest, ACopyOfTheClientsRequestGoesToTheMirror) {
  Serve(kTarget);
  Peer client = proxy.Connect();
  client.Send(
      "POST /x?q=1 HTTP/1.1\r\nHost: a.example\r\nX-Client: 1\r\nContent-Length: 5\r\n\r\nhello");
  Peer mirror = mirror_end.Accept();
  const Peer::Message copy = mirror.ReadRequest();
  EXPECT_TRUE(copy.head.starts_with("POST /copy/x?q=1 HTTP/1.1\r\n")) << copy.head;
  EXPECT_EQ(copy.Field("Host"), "shadow");
  EXPECT_EQ(copy.Field("X-Client"), "1");
  EXPECT_EQ(copy.Field("X-Forwarded-For"), "");
  EXPECT_EQ(copy.body, "hello");
  mirror.Send("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops");
  Peer server = upstream.Accept();
  EXPECT_EQ(server.ReadRequest().body, "hello");
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(MirrorTest, AMirrorThatDoesNotAnswerDelaysNobody) {
  Serve(kTarget);
  Peer client = proxy.Connect();
  Peer server;
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
    if (!server.connected()) server = upstream.Accept();
    server.ReadRequest();
    server.Send(kOk);
    EXPECT_EQ(client.ReadResponse().body, "ok");
  }
}

TEST_F(MirrorTest, WithoutAMirrorNothingIsMissing) {
  Serve(kTarget);
  ASSERT_TRUE(proxy.Apply({}, {"endpoints/m"}).empty());
  Peer client = proxy.Connect();
  client.Send("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(MirrorTest, TheBodyCanBeLeftOut) {
  Serve(std::string(kTarget) + " without_body: true");
  Peer client = proxy.Connect();
  client.Send("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello");
  Peer mirror = mirror_end.Accept();
  EXPECT_EQ(mirror.ReadRequest().body, "");
}

TEST_F(MirrorTest, ACopyWhoseRequestBreaksOffIsDropped) {
  Serve(kTarget);
  Peer client = proxy.Connect();
  client.Send("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhe");
  Peer mirror = mirror_end.Accept();
  mirror.ReadHead();
  client.Close();
  EXPECT_EQ(mirror.ReadToEnd(), "he");
}

TEST_F(MirrorTest, WhatAMirrorDoesNotTakeIsNotPiledUp) {
  Serve(kTarget);
  Peer client = proxy.Connect();
  constexpr size_t kSize = 16 * 1024 * 1024;
  client.Send("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: " + std::to_string(kSize) +
              "\r\n\r\n");
  Peer server = upstream.Accept();
  server.ReadHead();
  std::thread sender([&] { client.Send(std::string(kSize, 'a')); });
  EXPECT_EQ(server.Read(kSize).size(), kSize);
  sender.join();
  // What has two readers passes through our memory.
  EXPECT_EQ(proxy.Count(observe::CounterId::kUpstreamBytesPiped), 0u);
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

}  // namespace
}  // namespace headgate::test
