// Kubernetes objects on one side, real workers on the other: state and translation in between, only
// the stream is left out.
#pragma once

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "controller/state/cluster_state.h"
#include "controller/translate/translator.h"
#include "tests/support/certificates.h"
#include "tests/support/dataplane/test_proxy.h"
#include "tests/support/kube_objects.h"

namespace headgate::feature {

class TranslatedProxy {
 public:
  explicit TranslatedProxy(translate::Options options = {})
      : translator_(Complete(std::move(options))) {
    Apply({headgate::testing::Class("headgate")});
  }

  // Newer forms of objects. Waits until every worker serves what follows from them.
  void Apply(std::vector<kube::Object> objects) {
    for (kube::Object& object : objects) state_.Apply(kube::Change(std::move(object)));
    Update();
  }
  void Delete(kube::Kind kind, kube::ObjectKey key) {
    state_.Apply(kube::Change(kube::Deletion{kind, std::move(key)}));
    Update();
  }

  // A Service "ns/name" with port 80 whose only endpoint is `address`, an IPv4 one.
  void ApplyService(const std::string& ns, const std::string& name, const base::Address& address) {
    kube::Endpoint endpoint = headgate::testing::Ipv4(0, 0, 0, 0);
    for (size_t i = 0; i < 4; ++i)
      endpoint.address.bytes[i] = static_cast<uint8_t>(address.bytes()[i]);
    Apply({headgate::testing::SimpleService(ns, name, 80, address.port()),
           headgate::testing::Slice(ns, name + "-1", name, address.port(), {endpoint})});
  }

  test::TestProxy& proxy() { return proxy_; }

 private:
  static translate::Options Complete(translate::Options options) {
    const headgate::testing::PemPair fallback =
        headgate::testing::MakeCertificate({"fallback.test"});
    options.fallback_certificate = {fallback.chain, SecretBytes(fallback.key)};
    options.allow_loopback_endpoints = true;
    return options;
  }

  void Update() {
    const translate::TranslationUpdate update =
        translator_.Update(state_, state_.TakeChanges(), absl::Now());
    std::vector<std::string> resources(update.upserted.size());
    for (size_t i = 0; i < resources.size(); ++i) {
      google::protobuf::TextFormat::PrintToString(*update.upserted[i], &resources[i]);
    }
    for (const auto& refusal : proxy_.Apply(resources, update.removed)) {
      ADD_FAILURE() << refusal.resource << ": " << refusal.reason;
    }
  }

  state::ClusterState state_{state::ClusterState::Options{}};
  translate::Translator translator_;
  test::TestProxy proxy_;
};

}  // namespace headgate::feature
