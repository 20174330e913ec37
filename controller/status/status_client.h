// networking.k8s.io/v1 Ingress .status, and nothing else of it.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "controller/kube/json_api.h"
#include "controller/kube/objects.h"
#include "controller/status/published_addresses.h"

namespace headgate::status {

// Needs leave to list Ingresses and to patch ingresses/status.
//
// Thread: one, which blocks; Cancel any.
class StatusClient {
 public:
  explicit StatusClient(std::unique_ptr<kube::Transport> transport) : api_(std::move(transport)) {}

  // Makes .status.loadBalancer of `ingress` say `addresses`, and returns the form that it has then.
  // If it has another form by now, that one is read and written, provided that it is the same
  // object, of the same class. NOT_FOUND: it is gone, or another. Errors as of JsonApi.
  absl::StatusOr<kube::Ingress> Write(const kube::Ingress& ingress, const AddressList& addresses);
  void Cancel() { api_.Cancel(); }

 private:
  absl::StatusOr<kube::Ingress> Patch(const kube::Ingress& ingress, const AddressList& addresses);
  // The form that it has now.
  absl::StatusOr<kube::Ingress> Read(const kube::ObjectKey& key);

  kube::JsonApi api_;
};

}  // namespace headgate::status
