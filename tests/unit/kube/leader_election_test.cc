#include "controller/kube/leader_election.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "tests/support/fake_api_server.h"

namespace headgate::kube {
namespace {

using ::headgate::testing::FakeApiServer;
using ::testing::HasSubstr;

constexpr char kPath[] = "/apis/coordination.k8s.io/v1/namespaces/edge/leases/leader";
constexpr absl::Duration kTtl = absl::Seconds(15);

struct Candidate {
  Candidate(FakeApiServer& api, const Clock& clock, const std::string& name)
      : election({.lease = {"edge", "leader"}, .identity = name, .duration = kTtl, .seed = 7},
                 api.Connect(), clock, metrics, [this] { ++changes; }) {}

  MetricsRegistry metrics;
  std::atomic<int> changes{0};
  LeaderElection election;
};

class LeaderElectionTest : public ::testing::Test {
 protected:
  std::unique_ptr<Candidate> Join(const std::string& name) {
    auto candidate = std::make_unique<Candidate>(api_, clock_, name);
    candidate->election.Start();
    EXPECT_TRUE(clock_.AwaitWaiters(++candidates_));
    return candidate;
  }
  // Stops, and so releases.
  void Leave(Candidate& candidate) {
    candidate.election.Stop();
    --candidates_;
  }
  // Lets time pass in steps that no retry skips.
  void Pass(absl::Duration time) {
    for (; time > absl::ZeroDuration(); time -= absl::Seconds(1)) {
      clock_.Advance(absl::Seconds(1));
      ASSERT_TRUE(clock_.AwaitWaiters(candidates_));
    }
  }
  FakeApiServer::Json Spec() const { return api_.Find(kPath)["spec"]; }
  // As another program would hold it.
  void HoldForAnother() {
    api_.Put(kPath, {{"metadata", {{"name", "leader"}, {"labels", {{"team", "edge"}}}}},
                     {"spec",
                      {{"holderIdentity", "other"},
                       {"leaseDurationSeconds", 40},
                       {"renewTime", "2001-01-01T00:00:00.000000Z"},
                       {"leaseTransitions", 4}}}});
  }

  FakeApiServer api_;
  FakeClock clock_;
  int candidates_ = 0;
};

TEST_F(LeaderElectionTest, TheFirstOneLeadsAndRenews) {
  const auto a = Join("a");
  EXPECT_TRUE(a->election.leads());
  EXPECT_EQ(a->changes, 1);
  EXPECT_EQ(Spec()["holderIdentity"], "a");
  EXPECT_EQ(Spec()["leaseDurationSeconds"], 15);
  EXPECT_EQ(Spec()["leaseTransitions"], 0);
  EXPECT_THAT(a->metrics.Render(), HasSubstr("headgate_leader 1\n"));
  const auto first = Spec();
  Pass(absl::Minutes(1));
  EXPECT_TRUE(a->election.leads());
  EXPECT_EQ(Spec()["acquireTime"], first["acquireTime"]);
  EXPECT_GT(Spec()["renewTime"], first["renewTime"]);
  EXPECT_EQ(a->changes, 1);
}

TEST_F(LeaderElectionTest, AnotherFollowsForAsLongAsTheLeaderRenews) {
  const auto a = Join("a");
  const auto b = Join("b");
  Pass(absl::Minutes(5));
  EXPECT_TRUE(a->election.leads());
  EXPECT_FALSE(b->election.leads());
  EXPECT_EQ(b->changes, 0);
}

TEST_F(LeaderElectionTest, ALeaderThatStopsReleasesTheLease) {
  const auto a = Join("a");
  const auto b = Join("b");
  Leave(*a);
  EXPECT_FALSE(a->election.leads());
  EXPECT_EQ(a->changes, 2);
  EXPECT_EQ(Spec()["holderIdentity"], "");
  EXPECT_EQ(Spec()["leaseDurationSeconds"], 1);
  Pass(absl::Seconds(5));
  EXPECT_TRUE(b->election.leads());
  EXPECT_EQ(Spec()["holderIdentity"], "b");
  EXPECT_EQ(Spec()["leaseDurationSeconds"], 15);
}

TEST_F(LeaderElectionTest, ALeaseThatNobodyRenewsIsTakenOnceItsDurationWasSeenToPass) {
  // Its renewTime is long ago by our clock, which says nothing: the other's clock may be wrong.
  HoldForAnother();
  const auto a = Join("a");
  Pass(absl::Seconds(39));
  EXPECT_FALSE(a->election.leads());
  Pass(absl::Seconds(2));
  EXPECT_TRUE(a->election.leads());
  EXPECT_EQ(Spec()["leaseTransitions"], 5);
  EXPECT_EQ(api_.Find(kPath)["metadata"]["labels"]["team"], "edge") << "what others wrote stays";
}

TEST_F(LeaderElectionTest, WithoutTheApiServerTheLeadEndsBeforeOthersMayBegin) {
  const auto a = Join("a");
  api_.Fail(503);
  Pass(absl::Seconds(9));
  EXPECT_TRUE(a->election.leads());
  Pass(absl::Seconds(2));  // renew_deadline: ten seconds
  EXPECT_FALSE(a->election.leads());
  EXPECT_EQ(a->changes, 2);
  EXPECT_THAT(a->metrics.Render(), HasSubstr("headgate_leader 0\n"));
  api_.Fail(0);
  Pass(absl::Seconds(5));
  EXPECT_TRUE(a->election.leads()) << "its own Lease, still";
}

TEST_F(LeaderElectionTest, TheLeadIsLostAtOnceWhenAnotherHoldsTheLease) {
  const auto a = Join("a");
  HoldForAnother();
  Pass(absl::Seconds(2));
  EXPECT_FALSE(a->election.leads());
  EXPECT_EQ(Spec()["holderIdentity"], "other");
}

TEST_F(LeaderElectionTest, AChangeBySomebodyElseDoesNotEndTheLead) {
  const auto a = Join("a");
  auto lease = api_.Find(kPath);
  lease["metadata"]["labels"]["team"] = "edge";
  api_.Put(kPath, lease);
  Pass(absl::Seconds(3));
  EXPECT_TRUE(a->election.leads());
  EXPECT_EQ(a->changes, 1);
  EXPECT_EQ(api_.Find(kPath)["metadata"]["labels"]["team"], "edge");
}

TEST_F(LeaderElectionTest, TheSameNameLeadsAgainAtOnceAfterARestart) {
  const auto a = Join("a");
  api_.Fail(503);  // so that nothing is released
  Leave(*a);
  api_.Fail(0);
  const auto again = Join("a");
  EXPECT_TRUE(again->election.leads());
  EXPECT_EQ(Spec()["leaseTransitions"], 0);
}

TEST_F(LeaderElectionTest, ALeaseWithoutSenseIsCountedAndLeft) {
  api_.Put(kPath, {{"metadata", {{"name", "leader"}}}, {"spec", {{"holderIdentity", 7}}}});
  const auto a = Join("a");
  EXPECT_FALSE(a->election.leads());
  EXPECT_THAT(a->metrics.Render(), HasSubstr("headgate_leader_election_failures_total 1\n"));
  EXPECT_EQ(Spec()["holderIdentity"], 7);
}

}  // namespace
}  // namespace headgate::kube
