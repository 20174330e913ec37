#include "controller/status/status_feed.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <utility>

#include "tests/support/fake_api_server.h"
#include "tests/support/kube_objects.h"

namespace headgate::status {
namespace {

using headgate::testing::Backend;
using headgate::testing::FakeApiServer;
using headgate::testing::SimpleIngress;

constexpr char kPath[] = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web";

class StatusFeedTest : public ::testing::Test {
 protected:
  StatusFeedTest() {
    Apply(headgate::testing::Class("headgate"));
    api_.Put(kPath, {{"metadata", {{"namespace", "shop"}, {"name", "web"}, {"uid", "1"}}},
                     {"spec", {{"ingressClassName", "headgate"}}}});
    writer_.Start();
  }
  ~StatusFeedTest() override { writer_.Stop(false); }

  void Apply(kube::Object object) { state_.Apply(kube::Change(std::move(object))); }
  void PutIngress(const std::string& ingress_class = "headgate") {
    kube::Ingress ingress =
        SimpleIngress("shop", "web", "shop.example.com", Backend("web", 80), "1");
    ingress.meta.uid = "1";
    ingress.class_name = ingress_class;
    Apply(ingress);
  }
  void PutService(std::vector<std::string> addresses) {
    kube::Service service = headgate::testing::SimpleService("edge", "dataplane", 80, 8080);
    service.type = kube::ServiceType::kLoadBalancer;
    service.load_balancer = std::move(addresses);
    Apply(service);
  }
  void Turn() { feed_.Take(state_, state_.TakeChanges()); }
  FakeApiServer::Json Written() { return api_.Find(kPath)["status"]["loadBalancer"]["ingress"]; }

  state::ClusterState state_{state::ClusterState::Options{}};
  FakeApiServer api_;
  FakeClock clock_;
  MetricsRegistry metrics_;
  Peers peers_{"edge", ""};
  StatusWriter writer_{{}, api_.Connect(), [] { return true; }, clock_, metrics_};
  StatusFeed feed_{
      {.given = {}, .published = kube::ObjectKey{"edge", "dataplane"}}, writer_, peers_};
};

TEST_F(StatusFeedTest, TheServicesAddressesReachTheIngress) {
  PutIngress();
  PutService({});
  Turn();  // the load balancer is not there yet
  PutService({"192.0.2.1"});
  Turn();
  ASSERT_TRUE(api_.AwaitWrites(1));
  ASSERT_TRUE(clock_.AwaitWaiters(1));
  EXPECT_EQ(Written(), FakeApiServer::Json::parse(R"([{"ip": "192.0.2.1"}])"));
}

TEST_F(StatusFeedTest, AnIngressThatBecomesOursIsWrittenAndOneThatCeasesIsLeft) {
  PutService({"192.0.2.1"});
  PutIngress("nginx");
  Turn();
  PutIngress();
  Turn();
  ASSERT_TRUE(api_.AwaitWrites(1));
  ASSERT_TRUE(clock_.AwaitWaiters(1));
  PutIngress("nginx");
  Turn();
  PutService({"192.0.2.2"});
  Turn();
  clock_.Advance(absl::Minutes(2));
  ASSERT_TRUE(clock_.AwaitWaiters(1));
  EXPECT_EQ(api_.writes().size(), 1u);
}

TEST_F(StatusFeedTest, WithoutTheServiceNothingIsTakenAway) {
  PutIngress();
  PutService({"192.0.2.1"});
  Turn();
  ASSERT_TRUE(api_.AwaitWrites(1));
  ASSERT_TRUE(clock_.AwaitWaiters(1));
  state_.Apply(kube::Change(kube::Deletion{kube::Kind::kService, {"edge", "dataplane"}}));
  Turn();
  clock_.Advance(absl::Minutes(2));
  ASSERT_TRUE(clock_.AwaitWaiters(1));
  EXPECT_EQ(api_.writes().size(), 1u);
}

}  // namespace
}  // namespace headgate::status
