#include "controller/kube/resource_type.h"

#include "common/check.h"
#include "common/strings.h"

namespace headgate::kube {
namespace {

// Secrets of every type that somebody may refer to: those of other programs are left out, of which
// clusters have many.
constexpr std::string_view kSecretSelector =
    "type!=helm.sh/release.v1,type!=kubernetes.io/service-account-token,"
    "type!=kubernetes.io/dockerconfigjson,type!=bootstrap.kubernetes.io/token";

constexpr ResourceType kTypes[] = {
    {Kind::kIngress, "networking.k8s.io/v1", "Ingress", "ingresses", true, ""},
    {Kind::kIngressClass, "networking.k8s.io/v1", "IngressClass", "ingressclasses", false, ""},
    {Kind::kService, "v1", "Service", "services", true, ""},
    {Kind::kEndpointSlice, "discovery.k8s.io/v1", "EndpointSlice", "endpointslices", true, ""},
    {Kind::kSecret, "v1", "Secret", "secrets", true, kSecretSelector},
    {Kind::kConfigMap, "v1", "ConfigMap", "configmaps", true, ""},
    {Kind::kNamespace, "v1", "Namespace", "namespaces", false, ""},
    {Kind::kEndpointSlice, "v1", "Endpoints", "endpoints", true, ""},
};
constexpr size_t kEndpointsIndex = kKindCount;

// "networking.k8s.io" of "networking.k8s.io/v1"; empty for the core group.
std::string_view GroupOf(std::string_view api_version) {
  const size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

}  // namespace

const ResourceType& ResourceTypeOf(Kind kind) {
  const ResourceType& type = kTypes[static_cast<size_t>(kind)];
  HEADGATE_CHECK(type.kind == kind);
  return type;
}

const ResourceType& EndpointsResourceType() { return kTypes[kEndpointsIndex]; }

const ResourceType* FindResourceType(std::string_view api_version, std::string_view api_kind) {
  for (const ResourceType& type : kTypes) {
    if (type.api_version == api_version && type.api_kind == api_kind) return &type;
  }
  return nullptr;
}

const ResourceType* FindResourceTypeByGroupKind(std::string_view api_version,
                                                std::string_view api_kind) {
  // Ingress lived in the group "extensions" before it moved.
  const std::string_view group =
      GroupOf(api_version) == "extensions" ? "networking.k8s.io" : GroupOf(api_version);
  for (const ResourceType& type : kTypes) {
    if (GroupOf(type.api_version) == group && type.api_kind == api_kind) return &type;
  }
  return nullptr;
}

std::string CollectionPath(const ResourceType& type, std::string_view ns) {
  std::string path =
      StrCat(GroupOf(type.api_version).empty() ? "/api/" : "/apis/", type.api_version);
  if (type.namespaced && !ns.empty()) StrAppend(&path, "/namespaces/", ns);
  StrAppend(&path, "/", type.plural);
  return path;
}

}  // namespace headgate::kube
