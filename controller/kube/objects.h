// The Kubernetes objects that Headgate reads, as plain values: only the fields we act on, decoded
// and checked for form by the decoders, in as few bytes as is sensible. Everything downstream of
// kube/ works on these and on nothing else of Kubernetes.
//
// Values copy, move and compare. Once handed to state/ an object is immutable and shared
// (`std::shared_ptr<const Ingress>`), so it may be read from any thread.
//
// Field references name the API type and field, as in "networking.k8s.io/v1 Ingress .spec.rules".
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/secret_bytes.h"

namespace headgate::kube {

// The kinds we watch. The values index arrays; the order is that of `Object` below.
enum class Kind : uint8_t {
  kIngress = 0,
  kIngressClass,
  kService,
  kEndpointSlice,  // also a core/v1 Endpoints object, see EndpointSlice
  kSecret,
  kConfigMap,
  kNamespace,
};
inline constexpr size_t kKindCount = 7;

// The name as Kubernetes writes it ("EndpointSlice").
constexpr std::string_view KindName(Kind kind) {
  constexpr std::array<std::string_view, kKindCount> kNames = {
      "Ingress", "IngressClass", "Service", "EndpointSlice", "Secret", "ConfigMap", "Namespace"};
  return kNames[static_cast<size_t>(kind)];
}

// Identity of an object within its kind.
struct ObjectKey {
  std::string ns;  // empty for cluster-scoped kinds
  std::string name;

  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
  friend bool operator==(const ObjectKey&, const ObjectKey&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const ObjectKey& key) {
    return H::combine(std::move(h), key.ns, key.name);
  }
  // "ns/name", or "name" for cluster-scoped kinds.
  std::string ToString() const { return ns.empty() ? name : ns + "/" + name; }
};

// A string map of an object, sorted by key, each key once. A vector, because most have zero to five
// entries.
using StringMap = std::vector<std::pair<std::string, std::string>>;

// meta/v1 ObjectMeta. Labels are not kept: what we need of them is decoded into fields of its own.
struct ObjectMeta {
  ObjectKey key;                 // .namespace, .name
  std::string uid;               // .uid; made from kind and name for objects from files
  std::string resource_version;  // .resourceVersion; opaque, though compared when numeric
  int64_t generation = 0;        // .generation
  int64_t creation_time = 0;     // .creationTimestamp in seconds since the epoch; 0 when absent
  StringMap annotations;  // .annotations; without kubectl.kubernetes.io/last-applied-configuration

  // The value of an annotation, or null.
  const std::string* FindAnnotation(std::string_view name) const {
    for (const auto& [key_, value] : annotations) {
      if (key_ == name) return &value;
    }
    return nullptr;
  }
  friend bool operator==(const ObjectMeta&, const ObjectMeta&) = default;
};

// A port given by number or by name (IntOrString; ServiceBackendPort).
struct PortRef {
  std::string name;     // used when number is 0
  uint16_t number = 0;  // 1-65535, or 0: by name

  bool empty() const { return number == 0 && name.empty(); }
  // As it was written: the number or the name.
  std::string ToString() const { return number != 0 ? std::to_string(number) : name; }
  friend auto operator<=>(const PortRef&, const PortRef&) = default;
  friend bool operator==(const PortRef&, const PortRef&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const PortRef& port) {
    return H::combine(std::move(h), port.name, port.number);
  }
};

// --- networking.k8s.io/v1 Ingress
// ---------------------------------------------------------------------

// core/v1 TypedLocalObjectReference: `.backend.resource`.
struct ResourceRef {
  std::string api_group;
  std::string kind;
  std::string name;
  friend bool operator==(const ResourceRef&, const ResourceRef&) = default;
};

// IngressBackend: a Service port, or another object.
struct IngressBackend {
  std::string service;  // .service.name; empty when `resource` is set
  PortRef port;         // .service.port
  std::optional<ResourceRef> resource;
  friend bool operator==(const IngressBackend&, const IngressBackend&) = default;
};

enum class PathType : uint8_t {
  kImplementationSpecific = 0,  // also when the field is absent
  kExact,
  kPrefix,
};

struct IngressPath {
  std::string path;  // as written; may be empty
  PathType type = PathType::kImplementationSpecific;
  IngressBackend backend;
  friend bool operator==(const IngressPath&, const IngressPath&) = default;
};

struct IngressRule {
  std::string host;       // as written; empty means every host
  bool has_http = false;  // false: the rule has no `http` section
  std::vector<IngressPath> paths;
  friend bool operator==(const IngressRule&, const IngressRule&) = default;
};

struct IngressTls {
  std::vector<std::string> hosts;  // as written
  std::string secret_name;         // may be empty: the default certificate
  friend bool operator==(const IngressTls&, const IngressTls&) = default;
};

struct Ingress {
  static constexpr Kind kKind = Kind::kIngress;
  ObjectMeta meta;
  std::optional<std::string> class_name;  // .spec.ingressClassName
  std::optional<IngressBackend> default_backend;
  std::vector<IngressRule> rules;
  std::vector<IngressTls> tls;
  // .status.loadBalancer.ingress[]: ip, else hostname.
  std::vector<std::string> addresses;
  friend bool operator==(const Ingress&, const Ingress&) = default;
};

// networking.k8s.io/v1 IngressClass. "Default class" is an annotation:
// ingressclass.kubernetes.io/is-default-class.
struct IngressClass {
  static constexpr Kind kKind = Kind::kIngressClass;
  ObjectMeta meta;
  std::string controller;  // .spec.controller
  friend bool operator==(const IngressClass&, const IngressClass&) = default;
};

// --- core/v1 Service
// ----------------------------------------------------------------------------------

enum class ServiceType : uint8_t { kClusterIp = 0, kNodePort, kLoadBalancer, kExternalName };
enum class TransportProtocol : uint8_t { kTcp = 0, kUdp, kSctp };

struct ServicePort {
  std::string name;  // may be empty when the Service has one port
  uint16_t port = 0;
  PortRef target_port;  // empty: the same as `port`
  std::string app_protocol;
  TransportProtocol protocol = TransportProtocol::kTcp;
  friend bool operator==(const ServicePort&, const ServicePort&) = default;
};

struct Service {
  static constexpr Kind kKind = Kind::kService;
  ObjectMeta meta;
  ServiceType type = ServiceType::kClusterIp;
  std::string cluster_ip;     // .spec.clusterIP; "None" for a headless Service
  std::string external_name;  // .spec.externalName; only for kExternalName
  std::vector<ServicePort> ports;
  std::vector<std::string> external_ips;   // .spec.externalIPs
  std::vector<std::string> load_balancer;  // .status.loadBalancer.ingress[]: ip, else hostname
  friend bool operator==(const Service&, const Service&) = default;
};

// --- discovery.k8s.io/v1 EndpointSlice
// ----------------------------------------------------------------

// An IPv4 or IPv6 address in network byte order.
struct IpAddress {
  std::array<uint8_t, 16> bytes{};  // the first `size` are used, the others 0
  uint8_t size = 0;                 // 4, 16, or 0: none
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

struct Endpoint {
  // The first of .addresses: Kubernetes calls all of them interchangeable and lets a client take
  // the first.
  IpAddress address;
  // .conditions with Kubernetes' meaning of an absent value: ready absent is true, serving absent
  // is the value of ready, terminating absent is false.
  bool ready = true;
  bool serving = true;
  bool terminating = false;
  std::string target;  // .targetRef.name when it is a Pod (of the slice's namespace)
  std::string node;    // .nodeName
  std::string zone;    // .zone
  std::vector<std::string> hint_zones;  // .hints.forZones[].name
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct EndpointPort {
  std::string name;   // empty for an unnamed Service port
  uint16_t port = 0;  // 0: absent, "all ports"
  std::string app_protocol;
  TransportProtocol protocol = TransportProtocol::kTcp;
  friend bool operator==(const EndpointPort&, const EndpointPort&) = default;
};

// Every endpoint serves every port.
struct EndpointSubset {
  std::vector<EndpointPort> ports;
  std::vector<Endpoint> endpoints;
  friend bool operator==(const EndpointSubset&, const EndpointSubset&) = default;
};

// An EndpointSlice has exactly one subset. A core/v1 Endpoints object (clusters without slices) is
// decoded to the same type, with a subset for each of its subsets (its notReadyAddresses are
// endpoints with ready and serving false) and service_name = its own name. Addresses of type FQDN
// are left out.
struct EndpointSlice {
  static constexpr Kind kKind = Kind::kEndpointSlice;
  ObjectMeta meta;
  std::string service_name;  // label kubernetes.io/service-name; empty: belongs to no Service
  std::vector<EndpointSubset> subsets;
  friend bool operator==(const EndpointSlice&, const EndpointSlice&) = default;
};

// --- core/v1 Secret, ConfigMap, Namespace
// -------------------------------------------------------------

struct Secret {
  static constexpr Kind kKind = Kind::kSecret;
  ObjectMeta meta;
  std::string type;                                       // "kubernetes.io/tls", ...
  std::vector<std::pair<std::string, SecretBytes>> data;  // decoded from base64; sorted by key

  // The value under a key of .data, or null.
  const SecretBytes* Find(std::string_view key) const {
    for (const auto& [key_, value] : data) {
      if (key_ == key) return &value;
    }
    return nullptr;
  }
  friend bool operator==(const Secret&, const Secret&) = default;
};

struct ConfigMap {
  static constexpr Kind kKind = Kind::kConfigMap;
  ObjectMeta meta;
  StringMap data;         // .data
  StringMap binary_data;  // .binaryData, decoded
  friend bool operator==(const ConfigMap&, const ConfigMap&) = default;
};

struct Namespace {
  static constexpr Kind kKind = Kind::kNamespace;
  ObjectMeta meta;
  StringMap labels;  // for --watch-namespace-selector
  friend bool operator==(const Namespace&, const Namespace&) = default;
};

// --- any of them
// --------------------------------------------------------------------------------------

using Object =
    std::variant<Ingress, IngressClass, Service, EndpointSlice, Secret, ConfigMap, Namespace>;

inline Kind KindOf(const Object& object) { return static_cast<Kind>(object.index()); }

inline const ObjectMeta& MetaOf(const Object& object) {
  return std::visit([](const auto& o) -> const ObjectMeta& { return o.meta; }, object);
}

}  // namespace headgate::kube
