// The resources of the Kubernetes API that we read, and how each is addressed.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "controller/kube/objects.h"

namespace headgate::kube {

// One resource of the API. Two of them give the same kind of object: EndpointSlice and, for
// clusters without slices, core/v1 Endpoints. The table is constant; refer to its entries by
// pointer.
struct ResourceType {
  Kind kind;                     // what it is decoded to
  std::string_view api_version;  // "networking.k8s.io/v1", "v1"
  std::string_view api_kind;     // "Ingress"
  std::string_view plural;       // "ingresses"
  bool namespaced;
  std::string_view field_selector;  // limits list and watch to what we need; may be empty
};

// The resource that gives objects of `kind`; for kEndpointSlice discovery.k8s.io/v1.
const ResourceType& ResourceTypeOf(Kind kind);
// core/v1 Endpoints.
const ResourceType& EndpointsResourceType();
// The resource with exactly this apiVersion and kind, or null.
const ResourceType* FindResourceType(std::string_view api_version, std::string_view api_kind);
// A resource with this kind in any version of its API group, or null: to tell a wrong version from
// a foreign kind.
const ResourceType* FindResourceTypeByGroupKind(std::string_view api_version,
                                                std::string_view api_kind);

// "/apis/networking.k8s.io/v1/ingresses", or below "/namespaces/NS/" when `ns` is not empty and the
// resource is namespaced. `ns` must be a valid namespace name.
std::string CollectionPath(const ResourceType& type, std::string_view ns);

}  // namespace headgate::kube
