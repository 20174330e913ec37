#include "controller/status/fleet.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/kube_objects.h"

namespace headgate::status {
namespace {

using headgate::testing::Slice;

kube::Endpoint Pod(const std::string& name, bool ready = true, bool serving = true) {
  kube::Endpoint endpoint = headgate::testing::Ipv4(10, 0, 0, 1);
  endpoint.target = name;
  endpoint.ready = ready;
  endpoint.serving = serving;
  return endpoint;
}

TEST(FleetTest, CountsThePodsThatServeOnceEach) {
  state::ClusterState state{state::ClusterState::Options{}};
  const auto put = [&state](const std::string& slice, const std::string& service,
                            std::vector<kube::Endpoint> endpoints) {
    state.Apply(
        kube::Change(kube::Object(Slice("edge", slice, service, 80, std::move(endpoints)))));
  };
  EXPECT_EQ(CountDataPlanes(state, {"edge", "gate"}), 0u);
  put("gate-4", "gate",
      {Pod("a"), Pod("b"), Pod("going", false, true), Pod("starting", false, false)});
  put("gate-6", "gate", {Pod("a"), Pod("b")});
  put("other-4", "other", {Pod("c")});
  EXPECT_EQ(CountDataPlanes(state, {"edge", "gate"}), 3u);
  put("gate-4", "gate", {Pod("")});
  EXPECT_EQ(CountDataPlanes(state, {"edge", "gate"}), 2u) << "what is no pod is no data plane";
}

}  // namespace
}  // namespace headgate::status
