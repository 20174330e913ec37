// Kubernetes objects for tests, in one line each.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/kube/objects.h"

namespace headgate::testing {

inline kube::ObjectMeta Meta(std::string ns, std::string name, std::string version = "") {
  kube::ObjectMeta meta;
  meta.key = {std::move(ns), std::move(name)};
  meta.resource_version = std::move(version);
  return meta;
}

inline kube::IngressBackend Backend(std::string service, uint16_t port) {
  return {std::move(service), {"", port}, std::nullopt};
}

inline kube::IngressBackend Backend(std::string service, std::string port) {
  return {std::move(service), {std::move(port), 0}, std::nullopt};
}

inline kube::IngressRule Rule(std::string host, std::vector<kube::IngressPath> paths) {
  return {std::move(host), true, std::move(paths)};
}

inline kube::IngressPath Path(std::string path, kube::PathType type, kube::IngressBackend backend) {
  return {std::move(path), type, std::move(backend)};
}

// An Ingress of class "headgate" with the one path / for `host`.
inline kube::Ingress SimpleIngress(std::string ns, std::string name, std::string host,
                                   kube::IngressBackend backend, std::string version = "") {
  kube::Ingress ingress;
  ingress.meta = Meta(std::move(ns), std::move(name), std::move(version));
  ingress.class_name = "headgate";
  ingress.rules = {Rule(std::move(host), {Path("/", kube::PathType::kPrefix, std::move(backend))})};
  return ingress;
}

inline kube::IngressClass Class(std::string name,
                                std::string controller = "headgate.dev/ingress-controller") {
  kube::IngressClass ingress_class;
  ingress_class.meta = Meta("", std::move(name));
  ingress_class.controller = std::move(controller);
  return ingress_class;
}

inline kube::Service SimpleService(std::string ns, std::string name, uint16_t port,
                                   uint16_t target_port) {
  kube::Service service;
  service.meta = Meta(std::move(ns), std::move(name));
  service.cluster_ip = "10.96.0.1";
  kube::ServicePort entry;
  entry.port = port;
  entry.target_port = {"", target_port};
  service.ports = {entry};
  return service;
}

inline kube::Endpoint Ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  kube::Endpoint endpoint;
  endpoint.address.bytes = {a, b, c, d};
  endpoint.address.size = 4;
  return endpoint;
}

inline kube::EndpointSlice Slice(std::string ns, std::string name, std::string service,
                                 uint16_t port, std::vector<kube::Endpoint> endpoints) {
  kube::EndpointSlice slice;
  slice.meta = Meta(std::move(ns), std::move(name));
  slice.service_name = std::move(service);
  kube::EndpointPort entry;
  entry.port = port;
  slice.subsets = {{{entry}, std::move(endpoints)}};
  return slice;
}

}  // namespace headgate::testing
