// A review as an API server, or whoever reaches the webhook, sends it: read, judged beside another
// Ingress, answered.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "common/check.h"
#include "controller/admission/review.h"
#include "controller/kube/json.h"
#include "tests/support/kube_objects.h"

namespace headgate::admission {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// A cluster with one Ingress, of whose host the candidate may be.
struct Cluster {
  Cluster() {
    state.Apply(kube::Change(kube::Object(testing::Class("headgate"))));
    state.Apply(kube::Change(kube::Object(testing::SimpleService("shop", "web", 80, 8080))));
    state.Apply(kube::Change(kube::Object(
        testing::SimpleIngress("shop", "first", "shop.example.com", testing::Backend("web", 80)))));
    const state::Changes changes = state.TakeChanges();
    translator.Update(state, changes, kNow);
    hosts.Update(state, changes.ingresses);
  }
  state::ClusterState state{
      state::ClusterState::Options{.relevance = {}, .required = {}, .secrets = {}}};
  translate::Translator translator{translate::Options{}};
  HostIndex hosts{translate::Options().annotation_prefix};
};

void FuzzReview(std::string_view body) {
  static const Cluster cluster;
  const Answer answer = Review(body, [](kube::Ingress candidate) {
    return Judge(std::move(candidate), cluster.state, cluster.hosts, cluster.translator, kNow);
  });
  HEADGATE_CHECK(answer.status == 200 || answer.status == 400);
  if (answer.status != 200) return;
  const absl::StatusOr<kube::Json> reply = kube::ParseJson(answer.body);
  HEADGATE_CHECK(reply.ok() && (*reply)["response"]["uid"].is_string());
}

}  // namespace
}  // namespace headgate::admission

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  headgate::admission::FuzzReview({reinterpret_cast<const char*>(data), size});
  return 0;
}
