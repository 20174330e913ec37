// The memory of translation: earlier forms of objects whose newest form cannot be used.
//
// What a bad object amounts to depends on what it was before, which the cluster no longer knows.
// This table holds that, so that translation stays a function of its arguments: (state, last good,
// options, time). The Translator keeps it up to date; full translation only reads it.
#pragma once

#include <memory>

#include "absl/container/flat_hash_map.h"
#include "controller/kube/objects.h"

namespace headgate::translate {

struct LastGood {
  // The form in use of each of our Ingresses that has one.
  absl::flat_hash_map<kube::ObjectKey, std::shared_ptr<const kube::Ingress>> ingresses;
  // The form in use of each Secret that somebody refers to and that holds a usable certificate.
  absl::flat_hash_map<kube::ObjectKey, std::shared_ptr<const kube::Secret>> secrets;

  // The same for what proxy-ssl-secret refers to.
  absl::flat_hash_map<kube::ObjectKey, std::shared_ptr<const kube::Secret>> upstream_secrets;

  // The form in use of what ssl-dh-param refers to; null: none.
  std::shared_ptr<const kube::Secret> dh_parameters;

  std::shared_ptr<const kube::Ingress> FindIngress(const kube::ObjectKey& key) const {
    auto it = ingresses.find(key);
    return it == ingresses.end() ? nullptr : it->second;
  }
  std::shared_ptr<const kube::Secret> FindSecret(const kube::ObjectKey& key) const {
    auto it = secrets.find(key);
    return it == secrets.end() ? nullptr : it->second;
  }
  std::shared_ptr<const kube::Secret> FindUpstreamSecret(const kube::ObjectKey& key) const {
    auto it = upstream_secrets.find(key);
    return it == upstream_secrets.end() ? nullptr : it->second;
  }
  std::shared_ptr<const kube::Secret> FindDhParameters(const kube::ObjectKey& key) const {
    return dh_parameters != nullptr && dh_parameters->meta.key == key ? dh_parameters : nullptr;
  }
};

}  // namespace headgate::translate
