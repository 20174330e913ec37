// discovery.k8s.io/v1 EndpointSlice and core/v1 Endpoints.
#include <arpa/inet.h>

#include "common/strings.h"
#include "controller/kube/decode.h"

namespace headgate::kube::decode_internal {
namespace {

// Loopback addresses are accepted: an API server refuses them, and folders of manifests need them.
IpAddress DecodeAddress(const FieldNode& node) {
  IpAddress address;
  const std::string text = node.String();
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) {
    address.size = 4;
  } else if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) {
    address.size = 16;
  } else {
    address.bytes = {};
    node.Fail("must be an IP address");
  }
  return address;
}

EndpointPort DecodePort(const FieldNode& node) {
  EndpointPort port;
  port.name = node.Get("name").String();
  port.port = node.Get("port").Port();
  port.app_protocol = node.Get("appProtocol").String();
  port.protocol = DecodeProtocol(node.Get("protocol"));
  return port;
}

std::vector<EndpointPort> DecodePorts(const FieldNode& node) {
  std::vector<EndpointPort> ports;
  ports.reserve(node.size());
  for (size_t i = 0; i < node.size(); ++i) ports.push_back(DecodePort(node.At(i)));
  return ports;
}

std::string DecodePodName(const FieldNode& target) {
  return target.Get("kind").View() == "Pod" ? target.Get("name").String() : std::string();
}

Endpoint DecodeSliceEndpoint(const FieldNode& node) {
  Endpoint endpoint;
  const FieldNode addresses = node.Get("addresses");
  if (addresses.size() == 0) {
    addresses.Fail("must have an address");
  } else {
    endpoint.address = DecodeAddress(addresses.At(0));
  }
  const FieldNode conditions = node.Get("conditions");
  endpoint.ready = conditions.Get("ready").Bool(true);
  endpoint.serving = conditions.Get("serving").Bool(endpoint.ready);
  endpoint.terminating = conditions.Get("terminating").Bool(false);
  endpoint.target = DecodePodName(node.Get("targetRef"));
  endpoint.node = node.Get("nodeName").String();
  endpoint.zone = node.Get("zone").String();
  const FieldNode hints = node.Get("hints");
  const FieldNode zones = hints.Get("forZones");
  for (size_t i = 0; i < zones.size(); ++i) {
    const FieldNode zone = zones.At(i);
    endpoint.hint_zones.push_back(zone.Get("name").String());
  }
  return endpoint;
}

// `addresses` or `notReadyAddresses` of a subset.
void DecodeSubsetAddresses(const FieldNode& node, bool ready, EndpointSubset& out) {
  for (size_t i = 0; i < node.size(); ++i) {
    const FieldNode item = node.At(i);
    Endpoint endpoint;
    endpoint.address = DecodeAddress(item.Get("ip"));
    endpoint.ready = ready;
    endpoint.serving = ready;
    endpoint.target = DecodePodName(item.Get("targetRef"));
    endpoint.node = item.Get("nodeName").String();
    out.endpoints.push_back(std::move(endpoint));
  }
}

}  // namespace

void DecodeEndpointSlice(const FieldNode& root, EndpointSlice& out) {
  const FieldNode meta = root.Get("metadata");
  const FieldNode labels = meta.Get("labels");
  out.service_name = labels.Get("kubernetes.io/service-name").String();
  EndpointSubset& subset = out.subsets.emplace_back();
  subset.ports = DecodePorts(root.Get("ports"));
  const FieldNode address_type = root.Get("addressType");
  const std::string_view type = address_type.View();
  if (type == "FQDN") return;
  if (type != "IPv4" && type != "IPv6") address_type.Fail("must be IPv4, IPv6 or FQDN");
  const FieldNode endpoints = root.Get("endpoints");
  subset.endpoints.reserve(endpoints.size());
  for (size_t i = 0; i < endpoints.size(); ++i) {
    subset.endpoints.push_back(DecodeSliceEndpoint(endpoints.At(i)));
  }
}

void DecodeEndpoints(const FieldNode& root, EndpointSlice& out) {
  out.service_name = out.meta.key.name;
  const FieldNode subsets = root.Get("subsets");
  out.subsets.reserve(subsets.size());
  for (size_t i = 0; i < subsets.size(); ++i) {
    const FieldNode node = subsets.At(i);
    EndpointSubset& subset = out.subsets.emplace_back();
    subset.ports = DecodePorts(node.Get("ports"));
    DecodeSubsetAddresses(node.Get("addresses"), /*ready=*/true, subset);
    DecodeSubsetAddresses(node.Get("notReadyAddresses"), /*ready=*/false, subset);
  }
}

}  // namespace headgate::kube::decode_internal
