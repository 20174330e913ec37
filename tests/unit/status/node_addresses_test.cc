#include "controller/status/node_addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/fake_api_server.h"

namespace headgate::status {
namespace {

using headgate::testing::FakeApiServer;
using kube::Json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kPods[] =
    "/api/v1/namespaces/headgate/pods?labelSelector=app%3Dweb%2Ca.example%2Ftier%3Dedge&limit=100";

class NodeAddressesTest : public ::testing::Test {
 protected:
  ~NodeAddressesTest() override {
    if (addresses_ != nullptr) addresses_->Stop();
  }
  void Start(bool internal = false) {
    NodeAddressesOptions options;
    options.ns = "headgate";
    options.selector = "app=web,a.example/tier=edge";
    options.internal = internal;
    addresses_ = std::make_unique<NodeAddresses>(
        options, api_.Connect(), [this] { return leads_.load(); },
        [this](AddressList found) { found_.push_back(std::move(found)); }, clock_, metrics_);
    addresses_->Start();
    Settle();
  }
  void Settle() { ASSERT_TRUE(clock_.AwaitWaiters(1)); }
  void Pass(absl::Duration time) {
    clock_.Advance(time);
    Settle();
  }
  static Json Pod(const std::string& node, const std::string& ready = "True",
                  const std::string& phase = "Running") {
    return {{"metadata", Json::object()},
            {"spec", {{"nodeName", node}}},
            {"status",
             {{"phase", phase},
              {"conditions",
               {{{"type", "Initialized"}, {"status", "True"}},
                {{"type", "Ready"}, {"status", ready}}}}}}};
  }
  void Pods(std::vector<Json> pods, const std::string& more = "", const std::string& path = kPods) {
    api_.Put(path, {{"metadata", {{"continue", more}}}, {"items", std::move(pods)}});
  }
  void Node(const std::string& name, const std::string& internal,
            const std::string& external = "") {
    Json list = {{{"type", "Hostname"}, {"address", name}},
                 {{"type", "InternalIP"}, {"address", internal}}};
    if (!external.empty()) list.push_back({{"type", "ExternalIP"}, {"address", external}});
    api_.Put("/api/v1/nodes/" + name, {{"status", {{"addresses", std::move(list)}}}});
  }

  FakeApiServer api_;
  FakeClock clock_;
  MetricsRegistry metrics_;
  std::atomic<bool> leads_{true};
  std::vector<AddressList> found_;  // looked at while the thread waits
  std::unique_ptr<NodeAddresses> addresses_;
};

TEST_F(NodeAddressesTest, AreThoseOfNodesWithReadyPods) {
  Node("a", "10.0.0.1", "192.0.2.1");
  Node("b", "10.0.0.2");
  Node("c", "10.0.0.3");
  Json going = Pod("c");
  going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  Pods({Pod("b"), Pod("a"), Pod("a"), Pod("c", "False"), Pod("c", "True", "Pending"), going});
  Start();
  EXPECT_THAT(found_, ElementsAre(AddressList{"10.0.0.2", "192.0.2.1"}));
}

TEST_F(NodeAddressesTest, AreInternalOnesWhereThatIsAskedFor) {
  Node("a", "10.0.0.1", "192.0.2.1");
  Pods({Pod("a")});
  Start(/*internal=*/true);
  EXPECT_THAT(found_, ElementsAre(AddressList{"10.0.0.1"}));
}

TEST_F(NodeAddressesTest, FollowPodsAndNowAndThenNodes) {
  Node("a", "10.0.0.1");
  Node("b", "10.0.0.2");
  Pods({Pod("a")});
  Start();
  Pods({Pod("b")}, "next");
  Pods({Pod("a")}, "", std::string(kPods) + "&continue=next");
  Pass(absl::Seconds(15));
  EXPECT_EQ(found_.back(), (AddressList{"10.0.0.1", "10.0.0.2"}));
  Node("a", "10.0.0.9");
  Pass(absl::Seconds(15));
  EXPECT_EQ(found_.back(), (AddressList{"10.0.0.1", "10.0.0.2"}))
      << "nodes are not read every time";
  Pass(absl::Minutes(10));
  EXPECT_EQ(found_.back(), (AddressList{"10.0.0.2", "10.0.0.9"}));
}

TEST_F(NodeAddressesTest, StayWhileNothingIsKnown) {
  Node("a", "10.0.0.1");
  Pods({Pod("a", "False")});
  Start();
  EXPECT_TRUE(found_.empty()) << "none is ready";
  Pods({Pod("a"), Pod("gone")});
  api_.Fail(403, "/nodes/");
  Pass(absl::Seconds(15));
  EXPECT_TRUE(found_.empty());
  EXPECT_THAT(metrics_.Render(), HasSubstr("headgate_node_address_failures_total 1\n"));
  api_.Fail(0);
  Pass(absl::Seconds(15));
  EXPECT_THAT(found_, ElementsAre(AddressList{"10.0.0.1"}))
      << "a node that is going does not matter";
}

TEST_F(NodeAddressesTest, TheLeaderLooks) {
  leads_ = false;
  Node("a", "10.0.0.1");
  Pods({Pod("a")});
  Start();
  Pass(absl::Minutes(1));
  EXPECT_TRUE(found_.empty());
  leads_ = true;
  addresses_->LeadChanged();
  Pass(absl::Seconds(15));
  EXPECT_THAT(found_.back(), ElementsAre("10.0.0.1"));
}

TEST(LabelSelectorTest, IsLabelsWithValues) {
  for (const char* good : {"a=b", "app.kubernetes.io/name=headgate,tier=", "a-b_c.d/e=F-1.2_3"}) {
    EXPECT_TRUE(IsLabelSelector(good)) << good;
  }
  for (const char* bad : {"", "a", "=b", "a==b", "a!=b", "a in (b)", "a=b,", "a=b c", "a=b&limit=1",
                          "a=b/c", "a=%"}) {
    EXPECT_FALSE(IsLabelSelector(bad)) << bad;
  }
}

}  // namespace
}  // namespace headgate::status
