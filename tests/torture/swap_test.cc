// The configuration changes as fast as it can while clients keep asking: nobody may notice.

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

// An endpoint that answers every request on every connection with its own name.
class NamedUpstream {
 public:
  explicit NamedUpstream(std::string name) : name_(std::move(name)) {
    acceptor_ = std::thread([this] {
      while (!stopping_) {
        if (!listener_.HasConnection()) continue;
        connections_.emplace_back([this, peer = listener_.Accept()]() mutable { Serve(peer); });
      }
    });
  }
  ~NamedUpstream() {
    stopping_ = true;
    acceptor_.join();
    for (std::thread& connection : connections_) connection.join();
  }
  const base::Address& address() const { return listener_.address(); }

 private:
  void Serve(Peer& peer) {
    while (!stopping_) {
      if (peer.Silent()) continue;
      if (peer.ReadRequest().head.empty()) return;
      peer.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(name_.size()) + "\r\n\r\n" +
                name_);
    }
  }

  const std::string name_;
  PeerListener listener_;
  std::atomic<bool> stopping_{false};
  std::thread acceptor_;
  std::vector<std::thread> connections_;
};

TEST(SwapTortureTest, NoRequestFailsAndNoConnectionClosesWhileEverythingChanges) {
  constexpr int kSwaps = 400;
  NamedUpstream a("a1"), b("a2"), c("b1");
  TestProxy proxy(2);
  proxy.Apply({"name: \"settings\" settings { limits { max_requests_per_connection: 0 } }"});
  proxy.Route("a.example", {a.address()});
  proxy.Route("b.example", {c.address()});

  std::atomic<bool> stop{false};
  std::atomic<int> requests{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([&, host = i % 2 == 0 ? "a" : "b"] {
      Peer client = proxy.Connect();
      while (!stop) {
        if (!client.Send("GET / HTTP/1.1\r\nHost: " + std::string(host) + ".example\r\n\r\n")) {
          ADD_FAILURE() << "the connection was closed";
          return;
        }
        const Peer::Message response = client.ReadResponse();
        ASSERT_EQ(response.status, 200) << response.head;
        ASSERT_EQ(response.body.substr(0, 1), host);
        ++requests;
      }
    });
  }

  std::mt19937 random(1);
  for (int i = 0; i < kSwaps; ++i) {
    switch (random() % 4) {
      case 0:  // endpoints of the loaded cluster come and go
        proxy.Apply({EndpointsText("endpoints/test/a.example/80", {a.address(), b.address()})});
        break;
      case 1:
        proxy.Apply({EndpointsText("endpoints/test/a.example/80",
                                   {random() % 2 == 0 ? a.address() : b.address()})});
        break;
      case 2:  // the loaded host is compiled anew
        proxy.Route("a.example", {a.address()},
                    "policy { read_timeout { seconds: " + std::to_string(60 + i) + " } }");
        break;
      case 3:  // others come and go
        proxy.Route("other" + std::to_string(i % 7) + ".example", {c.address()});
        proxy.Apply({}, {"vhost/other" + std::to_string((i + 3) % 7) + ".example"});
        break;
    }
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_GT(requests.load(), kSwaps / 10);
  EXPECT_EQ(proxy.RouteCount("a.example").by_class[5] + proxy.RouteCount("b.example").by_class[5],
            0u);
}

// Ends go away at every point of an exchange; the worker survives and serves the next client.
TEST(SwapTortureTest, EndsThatVanishAtEveryByte) {
  PeerListener upstream;
  TestProxy proxy;
  proxy.Route("a.example", {upstream.address()});
  const std::string request =
      "POST /x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";
  const std::string response =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (size_t cut = 1; cut < request.size(); cut += 3) {
    Peer client = proxy.Connect();
    client.Send(request.substr(0, cut));
    cut % 2 == 0 ? client.Abort() : client.Close();
  }
  while (upstream.HasConnection()) upstream.Accept();
  for (size_t cut = 0; cut <= response.size(); cut += 3) {
    Peer client = proxy.Connect();
    client.Send(request);
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send(response.substr(0, cut));
    cut % 2 == 0 ? server.Abort() : server.Close();
    const std::string seen = client.ReadToEnd();
    if (cut < response.size()) {
      EXPECT_TRUE(seen.find("0\r\n\r\n") == std::string::npos || seen.starts_with("HTTP/1.1 502"))
          << cut << seen;
    }
  }
  Peer client = proxy.Connect();
  client.Send(request);
  Peer server = upstream.Accept();
  EXPECT_EQ(server.ReadRequest().body, "hello");
  server.Send(response);
  EXPECT_EQ(client.ReadResponse().body, "abc");
}

}  // namespace
}  // namespace headgate::test
