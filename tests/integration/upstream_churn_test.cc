// Endpoints come and go under load: nobody who asks may notice.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/dataplane/reply_server.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

constexpr char kEndpoints[] = "endpoints/test/any/80";

// Requests without a pause on some kept-alive connections, until told to stop.
class Load {
 public:
  Load(TestProxy& proxy, int threads, int connections) {
    for (int i = 0; i < threads; ++i) {
      threads_.emplace_back([this, &proxy, connections] { Run(proxy, connections); });
    }
  }
  ~Load() { Stop(); }

  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
  }
  uint64_t requests() const { return requests_; }
  uint64_t failed() const { return failed_; }

 private:
  void Run(TestProxy& proxy, int connections) {
    std::vector<Peer> clients;
    for (int i = 0; i < connections; ++i) clients.push_back(proxy.Connect());
    while (!stop_) {
      for (Peer& client : clients) client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      for (Peer& client : clients) {
        ++requests_;
        if (client.ReadResponse().status == 200) continue;
        ++failed_;
        client = proxy.Connect();
      }
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> requests_{0};
  std::atomic<uint64_t> failed_{0};
  std::vector<std::thread> threads_;
};

TEST(UpstreamChurnTest, FiftyRollingReplacementsOfTwentyEndpointsFailNoRequest) {
  constexpr int kReplacements = 50;
  constexpr size_t kEndpointCount = 20;
  std::deque<std::unique_ptr<ReplyServer>> servers;
  const auto add = [&] { servers.push_back(std::make_unique<ReplyServer>("pod")); };
  const auto addresses = [&] {
    std::vector<base::Address> out;
    for (const auto& server : servers) out.push_back(server->address());
    return out;
  };
  for (size_t i = 0; i < kEndpointCount; ++i) add();
  TestProxy proxy(2);
  proxy.Route("_", addresses());
  Load load(proxy, 8, 8);
  while (load.requests() < 64) std::this_thread::yield();

  for (int replacement = 0; replacement < kReplacements; ++replacement) {
    for (size_t i = 0; i < kEndpointCount; ++i) {
      add();
      proxy.Apply({EndpointsText(kEndpoints, addresses())});
      // The oldest is asked to go: it gets nothing new, finishes what it has, and is gone.
      const std::unique_ptr<ReplyServer> leaving = std::move(servers.front());
      servers.pop_front();
      proxy.Apply({EndpointsText(kEndpoints, addresses())});
      ASSERT_TRUE(leaving->AwaitNoConnections());
    }
  }
  load.Stop();
  EXPECT_EQ(load.failed(), 0u) << "of " << load.requests();
  RecordProperty("requests", std::to_string(load.requests()));
}

}  // namespace
}  // namespace headgate::test
