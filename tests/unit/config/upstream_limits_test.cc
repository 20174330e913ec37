#include "dataplane/config/upstream_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/unit/config/resources.h"

namespace headgate::config {
namespace {

class UpstreamLimitsTest : public ::testing::Test {
 protected:
  std::shared_ptr<const ClusterLimits> Apply(const std::vector<v1::Resource>& resources) {
    std::vector<const v1::Resource*> pointers;
    for (const v1::Resource& resource : resources) pointers.push_back(&resource);
    const BuildResult result = builder_.Apply(pointers, {});
    for (const Refusal& refusal : result.refusals) reasons_.push_back(refusal.reason);
    const auto cluster = builder_.FindCluster("cluster/n/a/80");
    return cluster == nullptr ? nullptr : cluster->limits;
  }
  static v1::Resource Cluster(const std::string& fields) {
    return MakeResource("cluster/n/a/80",
                        "cluster { endpoints: 'endpoints/n/a/80' " + fields + " }");
  }

  ConfigBuilder builder_{{}};
  std::vector<std::string> reasons_;
};

TEST_F(UpstreamLimitsTest, WithoutAnythingToWaitForThereAreNone) {
  EXPECT_EQ(Apply({Cluster("")}), nullptr);
  EXPECT_EQ(Apply({Cluster("limits { max_pending_requests: 5 }")}), nullptr);
  const auto limits = Apply({Cluster("limits { max_connections: 3 }")});
  ASSERT_NE(limits, nullptr);
  EXPECT_EQ(
      limits->limits,
      (UpstreamLimits{.max_connections = 3, .max_pending = 1024, .max_requests_per_endpoint = 0}));
  EXPECT_EQ(Apply({Cluster("limits { max_requests_per_endpoint: 1 max_pending_requests: 0 }")})
                ->limits.max_pending,
            0u);
}

TEST_F(UpstreamLimitsTest, TooMuchIsRefused) {
  Apply({Cluster("limits { max_connections: 1000001 }")});
  Apply({Cluster("warm_connections: 101")});
  EXPECT_THAT(reasons_, testing::ElementsAre(testing::HasSubstr("limits.max_connections"),
                                             testing::HasSubstr("warm_connections")));
}

TEST_F(UpstreamLimitsTest, WhatIsInUseIsCarriedOver) {
  const auto first = Apply({Cluster("limits { max_connections: 3 }"),
                            MakeEndpoints("endpoints/n/a/80", {"10.0.0.1", "10.0.0.2"})});
  const auto second = Apply({Cluster("limits { max_connections: 4 }"),
                             MakeEndpoints("endpoints/n/a/80", {"10.0.0.2", "10.0.0.3"})});
  EXPECT_EQ(first->usage, second->usage);
  EXPECT_EQ(first->requests[1], second->requests[0]);
  EXPECT_NE(first->requests[0], second->requests[1]);
}

TEST_F(UpstreamLimitsTest, ChangesOfEndpointsKeepTheLimits) {
  const auto first = Apply(
      {Cluster("limits { max_connections: 3 }"), MakeEndpoints("endpoints/n/a/80", {"10.0.0.1"})});
  const auto second = Apply({MakeEndpoints("endpoints/n/a/80", {"10.0.0.2", "10.0.0.1"})});
  EXPECT_EQ(second->limits, first->limits);
  EXPECT_EQ(second->usage, first->usage);
  ASSERT_EQ(second->requests.size(), 2u);
  EXPECT_EQ(second->requests[1], first->requests[0]);
  EXPECT_EQ(Apply({Cluster("")}), nullptr);
}

TEST_F(UpstreamLimitsTest, OpenMeansThatTheNextRequestWouldBeTurnedAway) {
  const auto limits = Apply(
      {Cluster(
           "limits { max_connections: 2 max_requests_per_endpoint: 1 max_pending_requests: 1 }"),
       MakeEndpoints("endpoints/n/a/80", {"10.0.0.1", "10.0.0.2"})});
  EXPECT_FALSE(limits->open());
  EXPECT_TRUE(limits->requests[0]->TryTake(1));
  EXPECT_FALSE(limits->requests[0]->TryTake(1));
  limits->usage->pending.Add(1);
  EXPECT_FALSE(limits->open());  // the other endpoint has room
  limits->requests[1]->Add(1);
  EXPECT_TRUE(limits->open());
  limits->requests[1]->Subtract(1);
  limits->usage->connections.Add(2);
  EXPECT_TRUE(limits->open());
  limits->usage->pending.Subtract(1);
  EXPECT_FALSE(limits->open());
}

}  // namespace
}  // namespace headgate::config
