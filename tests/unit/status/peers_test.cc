#include "controller/status/peers.h"

#include <gtest/gtest.h>

#include <future>
#include <initializer_list>
#include <string>
#include <utility>

#include "tests/support/kube_objects.h"

namespace headgate::status {
namespace {

using headgate::testing::Slice;

class PeersTest : public ::testing::Test {
 protected:
  // The pods of a Service; a name with "-" before it is terminating.
  void Lead(const std::string& ns, const std::string& service,
            std::initializer_list<std::string> pods) {
    std::vector<kube::Endpoint> endpoints;
    for (const std::string& pod : pods) {
      kube::Endpoint endpoint = headgate::testing::Ipv4(10, 0, 0, 1);
      endpoint.terminating = pod[0] == '-';
      endpoint.target = endpoint.terminating ? pod.substr(1) : pod;
      endpoints.push_back(std::move(endpoint));
    }
    state_.Apply(kube::Change(kube::Object(Slice(ns, service + "-1", service, 7443, endpoints))));
    peers_.Update(state_, state_.TakeChanges().endpoints);
  }
  bool Last() { return peers_.AwaitLast(clock_, absl::ZeroDuration()); }

  state::ClusterState state_{state::ClusterState::Options{}};
  FakeClock clock_;
  Peers peers_{"edge", "me"};
};

TEST_F(PeersTest, WithoutOthersWeAreTheLast) {
  EXPECT_TRUE(Last());
  Lead("edge", "controller", {"me"});
  EXPECT_TRUE(Last());
}

TEST_F(PeersTest, OthersOfOurServiceCountWhileTheyDoNotTerminate) {
  Lead("edge", "controller", {"-me", "you"});
  EXPECT_FALSE(Last());
  Lead("edge", "controller", {"-me", "-you"});
  EXPECT_TRUE(Last());
  Lead("edge", "controller", {"you"});
  EXPECT_FALSE(Last()) << "we are out of the list already";
}

TEST_F(PeersTest, PodsOfOtherServicesAreNoPeers) {
  Lead("edge", "web", {"shop"});
  Lead("elsewhere", "controller", {"me", "you"});
  Lead("edge", "controller", {"-me"});
  EXPECT_TRUE(Last());
}

TEST_F(PeersTest, OthersThatStopWithUsAreWaitedFor) {
  Lead("edge", "controller", {"me", "you"});
  auto last =
      std::async(std::launch::async, [this] { return peers_.AwaitLast(clock_, absl::Seconds(2)); });
  ASSERT_TRUE(clock_.AwaitWaiters(1));
  Lead("edge", "controller", {"-me", "-you"});
  EXPECT_TRUE(last.get());
}

TEST_F(PeersTest, OthersMayBeSeenToStopAfterUs) {
  Lead("edge", "controller", {"-me", "you"});
  auto last =
      std::async(std::launch::async, [this] { return peers_.AwaitLast(clock_, absl::Seconds(2)); });
  ASSERT_TRUE(clock_.AwaitWaiters(1));
  Lead("edge", "controller", {"-me", "-you"});
  EXPECT_TRUE(last.get());
}

TEST_F(PeersTest, WhoStaysIsWaitedForNoLonger) {
  Lead("edge", "controller", {"-me", "you"});
  auto last =
      std::async(std::launch::async, [this] { return peers_.AwaitLast(clock_, absl::Seconds(2)); });
  ASSERT_TRUE(clock_.AwaitWaiters(1));
  clock_.Advance(absl::Seconds(2));
  EXPECT_FALSE(last.get());
}

TEST_F(PeersTest, OutsideOfAPodWeAreTheLast) {
  Peers alone("edge", "");
  Lead("edge", "controller", {"me", "you"});
  alone.Update(state_, {{"edge", "controller"}});
  EXPECT_TRUE(alone.AwaitLast(clock_, absl::Seconds(2)));
}

}  // namespace
}  // namespace headgate::status
