// core/v1 Service.
#include "common/strings.h"
#include "controller/kube/decode.h"

namespace headgate::kube::decode_internal {
namespace {

ServiceType DecodeType(const FieldNode& node) {
  const std::string_view text = node.View();
  if (text.empty() || text == "ClusterIP") return ServiceType::kClusterIp;
  if (text == "NodePort") return ServiceType::kNodePort;
  if (text == "LoadBalancer") return ServiceType::kLoadBalancer;
  if (text == "ExternalName") return ServiceType::kExternalName;
  node.Fail(
      StrCat("must be ClusterIP, NodePort, LoadBalancer or ExternalName, not \"", text, "\""));
  return ServiceType::kClusterIp;
}

ServicePort DecodePort(const FieldNode& node) {
  ServicePort port;
  port.name = node.Get("name").String();
  const FieldNode number = node.Get("port");
  if (number.Require()) port.port = number.Port();
  port.target_port = DecodePortRef(node.Get("targetPort"));
  port.app_protocol = node.Get("appProtocol").String();
  port.protocol = DecodeProtocol(node.Get("protocol"));
  return port;
}

}  // namespace

std::vector<std::string> DecodeLoadBalancer(const FieldNode& root) {
  const FieldNode status = root.Get("status");
  const FieldNode load_balancer = status.Get("loadBalancer");
  const FieldNode list = load_balancer.Get("ingress");
  std::vector<std::string> addresses;
  addresses.reserve(list.size());
  for (size_t i = 0; i < list.size(); ++i) {
    const FieldNode entry = list.At(i);
    std::string address = entry.Get("ip").String();
    if (address.empty()) address = entry.Get("hostname").String();
    if (!address.empty()) addresses.push_back(std::move(address));
  }
  return addresses;
}

void DecodeService(const FieldNode& root, Service& out) {
  const FieldNode spec = root.Get("spec");
  out.type = DecodeType(spec.Get("type"));
  out.cluster_ip = spec.Get("clusterIP").String();
  if (out.type == ServiceType::kExternalName) {
    const FieldNode external_name = spec.Get("externalName");
    external_name.Require();
    out.external_name = external_name.String();
  }
  const FieldNode ports = spec.Get("ports");
  out.ports.reserve(ports.size());
  for (size_t i = 0; i < ports.size(); ++i) out.ports.push_back(DecodePort(ports.At(i)));
  const FieldNode external_ips = spec.Get("externalIPs");
  for (size_t i = 0; i < external_ips.size(); ++i) {
    out.external_ips.push_back(external_ips.At(i).String());
  }
  out.load_balancer = DecodeLoadBalancer(root);
}

}  // namespace headgate::kube::decode_internal
