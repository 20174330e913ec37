// What becomes of requests when endpoints fail: probes, failures that requests meet, backups, slow
// starts.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/dataplane/reply_server.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;

// A proxy and some servers behind it that answer with their number.
class UpstreamHealthTest : public ::testing::Test {
 protected:
  // `cluster`: further fields of the Cluster, in text format; clusters "cluster/test/<i>/80" of
  // hosts "h<i>".
  void Serve(const std::vector<ReplyServer*>& servers, const std::string& cluster, int hosts = 1) {
    std::vector<std::string> resources;
    for (int i = 0; i < hosts; ++i) {
      const std::string host = "h" + std::to_string(i);
      const std::string name = "cluster/test/" + host + "/80";
      resources.push_back(
          "name: \"vhost/" + host + "\" virtual_host { host: \"" + host +
          "\" routes { match { prefix_path: \"/\" } forward { clusters { cluster: \"" + name +
          "\" } } } }");
      resources.push_back("name: \"" + name + "\" cluster { endpoints: \"endpoints/test/web/80\" " +
                          cluster + " }");
    }
    resources.push_back(Endpoints("endpoints/test/web/80", servers));
    EXPECT_TRUE(proxy_.Apply(resources).empty());
  }
  static std::string Endpoints(std::string_view name, const std::vector<ReplyServer*>& servers) {
    std::vector<base::Address> addresses;
    for (ReplyServer* server : servers) addresses.push_back(server->address());
    return EndpointsText(name, addresses);
  }

  // Status and body of one request on a connection of its own.
  std::string Get(const std::string& host = "h0") {
    Peer client = proxy_.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    const Peer::Message reply = client.ReadResponse();
    return std::to_string(reply.status) + " " + reply.body;
  }
  std::map<std::string, int> GetMany(int count) {
    std::map<std::string, int> answers;
    for (int i = 0; i < count; ++i) ++answers[Get()];
    return answers;
  }
  // Asks until `done` says so of the answers to `count` requests; false after ten seconds.
  template <typename Done>
  bool Await(int count, Done done) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < limit) {
      std::map<std::string, int> answers = GetMany(count);
      if (done(answers)) return true;
    }
    return false;
  }

  ReplyServer a_{"a"}, b_{"b"}, c_{"c"};
  TestProxy proxy_;
};

constexpr char kCheck[] =
    "health_check { kind: HTTP path: \"/health\" interval { nanos: 100000000 } timeout { seconds: "
    "5 } rise: 1 fall: 1 }";

TEST_F(UpstreamHealthTest, AnEndpointThatFailsItsProbesGetsNoRequestsUntilItPassesThem) {
  Serve({&a_, &b_}, kCheck);
  a_.SetProbeStatus(503);
  ASSERT_TRUE(Await(10, [](auto& answers) { return answers["200 b"] == 10; }));
  a_.SetProbeStatus(200);
  EXPECT_TRUE(Await(10, [](auto& answers) { return answers["200 a"] == 5; }));
}

TEST_F(UpstreamHealthTest, WhenAllFailTheirProbesAllAreUsed) {
  Serve({&a_, &b_}, kCheck);
  a_.SetProbeStatus(503);
  ASSERT_TRUE(Await(10, [](auto& answers) { return answers["200 b"] == 10; }));
  b_.SetProbeStatus(503);
  EXPECT_TRUE(
      Await(10, [](auto& answers) { return answers["200 a"] == 5 && answers["200 b"] == 5; }));
}

TEST_F(UpstreamHealthTest, AClusterThatWasNotInUseKnowsItsVerdictsToo) {
  Serve({&a_, &b_}, kCheck, 2);
  a_.SetProbeStatus(503);
  ASSERT_TRUE(Await(10, [](auto& answers) { return answers["200 b"] == 10; }));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Get("h1"), "200 b");
}

TEST_F(UpstreamHealthTest, AThousandRoutesToOneServiceCostOneSetOfProbes) {
  std::vector<std::unique_ptr<ReplyServer>> servers;
  std::vector<ReplyServer*> pointers;
  for (int i = 0; i < 20; ++i) {
    servers.push_back(std::make_unique<ReplyServer>(std::to_string(i)));
    pointers.push_back(servers.back().get());
  }
  const auto probes = [&] {
    uint64_t sum = 0;
    for (const auto& server : servers) sum += server->probes();
    return sum;
  };
  Serve(pointers, "health_check { kind: HTTP path: \"/health\" interval { seconds: 1 } }", 1000);
  while (probes() < 20) std::this_thread::yield();  // every endpoint begins within the first second
  const auto start = std::chrono::steady_clock::now();
  const uint64_t before = probes();
  while (probes() < before + 60) std::this_thread::yield();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_NEAR(60 / seconds, 20, 4) << "probes a second";
}

TEST_F(UpstreamHealthTest, MaxFailsTakesAnEndpointOutForItsTime) {
  a_.Break();
  Serve({&a_, &b_}, "outliers { max_fails: 2 fail_timeout { seconds: 60 } }");
  EXPECT_EQ(GetMany(20)["200 b"], 20);  // retried on the other
  EXPECT_EQ(a_.requests(), 2u);
  EXPECT_EQ(proxy_.Count(CounterId::kUpstreamEjections), 1u);
  EXPECT_EQ(proxy_.Count(CounterId::kUpstreamEjected), 1u);
}

TEST_F(UpstreamHealthTest, AnEndpointWithoutARouteToItFails) {
  const base::Address unreachable =
      *base::Address::ParseIp("255.255.255.255", 80);  // TCP has none to it on any machine
  proxy_.Apply(
      {"name: \"cluster/lost\" cluster { endpoints: \"endpoints/lost\" outliers { max_fails: 2 "
       "fail_timeout { seconds: 60 } } }",
       EndpointsText("endpoints/lost", {unreachable, a_.address()}),
       "name: \"vhost/lost\" virtual_host { host: \"lost\" routes { match { prefix_path: \"/\" } "
       "forward { clusters { "
       "cluster: \"cluster/lost\" } } } }"});
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Get("lost"), "200 a");
  EXPECT_EQ(proxy_.Count(CounterId::kUpstreamConnectFailures), 2u);
  EXPECT_EQ(proxy_.Count(CounterId::kUpstreamEjections), 1u);
}

TEST_F(UpstreamHealthTest, AnEjectedEndpointReturnsByItself) {
  a_.Break();
  Serve({&a_, &b_}, "outliers { max_fails: 1 fail_timeout { nanos: 50000000 } }");
  EXPECT_EQ(GetMany(4)["200 b"], 4);
  a_.Repair();
  EXPECT_TRUE(Await(10, [](auto& answers) { return answers["200 a"] == 5; }));
  EXPECT_EQ(proxy_.Count(CounterId::kUpstreamEjected), 0u);
}

TEST_F(UpstreamHealthTest, FiveHundredsInARowTakeAnEndpointOut) {
  a_.SetStatus(500);
  Serve({&a_, &b_},
        "outliers { consecutive_5xx: 3 ejection_time { seconds: 60 } max_ejected_percent: 50 }");
  auto answers = GetMany(20);
  EXPECT_EQ(answers["500 a"], 3);
  EXPECT_EQ(answers["200 b"], 17);
}

TEST_F(UpstreamHealthTest, NoMoreThanTheirShareIsEjectedForFiveHundreds) {
  a_.SetStatus(500);
  b_.SetStatus(500);
  Serve({&a_, &b_, &c_},
        "outliers { consecutive_5xx: 1 ejection_time { seconds: 60 } max_ejected_percent: 34 }");
  GetMany(20);
  EXPECT_EQ(proxy_.Count(CounterId::kUpstreamEjections), 1u);
}

TEST_F(UpstreamHealthTest, BackupsAreUsedWhileNobodyElseIsAvailable) {
  proxy_.Apply({Endpoints("endpoints/test/spare/80", {&c_})});
  Serve({&a_, &b_}, std::string(kCheck) + " backup_endpoints: \"endpoints/test/spare/80\"");
  EXPECT_EQ(GetMany(10)["200 c"], 0);
  a_.SetProbeStatus(500);
  b_.SetProbeStatus(500);
  EXPECT_TRUE(Await(10, [](auto& answers) { return answers["200 c"] == 10; }));
  b_.SetProbeStatus(200);
  EXPECT_TRUE(Await(10, [](auto& answers) { return answers["200 b"] == 10; }));
}

TEST_F(UpstreamHealthTest, BackupsServeAServiceWithoutEndpoints) {
  proxy_.Apply({Endpoints("endpoints/test/spare/80", {&c_})});
  Serve({}, "backup_endpoints: \"endpoints/test/spare/80\"");
  EXPECT_EQ(Get(), "200 c");
}

TEST_F(UpstreamHealthTest, ANewEndpointGetsItsShareLittleByLittle) {
  Serve({&a_, &b_}, "slow_start { seconds: 3600 }");
  EXPECT_EQ(GetMany(10)["200 a"], 5);  // all were new
  proxy_.Apply({Endpoints("endpoints/test/web/80", {&a_, &b_, &c_})});
  EXPECT_LE(GetMany(42)["200 c"], 3);  // a tenth of its share: 2 of 42
}

TEST_F(UpstreamHealthTest, ASlowStartComesToItsEnd) {
  Serve({&a_}, "slow_start { nanos: 200000000 }");
  EXPECT_EQ(Get(), "200 a");
  proxy_.Apply({Endpoints("endpoints/test/web/80", {&a_, &b_})});
  EXPECT_TRUE(Await(10, [](auto& answers) { return answers["200 b"] == 5; }));
}

}  // namespace
}  // namespace headgate::test
