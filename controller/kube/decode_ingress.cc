// networking.k8s.io/v1 Ingress and IngressClass.
#include <cstdint>

#include "common/strings.h"
#include "controller/kube/decode.h"

namespace headgate::kube::decode_internal {
namespace {

PathType DecodePathType(const FieldNode& node) {
  const std::string_view text = node.View();
  if (text.empty() || text == "ImplementationSpecific") return PathType::kImplementationSpecific;
  if (text == "Exact") return PathType::kExact;
  if (text == "Prefix") return PathType::kPrefix;
  node.Fail(StrCat("must be Exact, Prefix or ImplementationSpecific, not \"", text, "\""));
  return PathType::kImplementationSpecific;
}

IngressBackend DecodeBackend(const FieldNode& node) {
  IngressBackend backend;
  const FieldNode service = node.Get("service");
  const FieldNode resource = node.Get("resource");
  if (service.present() == resource.present()) {
    node.Fail("must have either service or resource");
    return backend;
  }
  if (service.present()) {
    const FieldNode name = service.Get("name");
    name.Require();
    backend.service = name.String();
    const FieldNode port = service.Get("port");
    // The number 0 means "not given", as in the API type.
    const FieldNode number = port.Get("number");
    backend.port.number = static_cast<uint16_t>(number.Int(0, 65535, 0));
    const FieldNode port_name = port.Get("name");
    if (backend.port.number == 0) backend.port.name = port_name.String();
    if (backend.port.empty()) port.Fail("must have a number or a name");
    return backend;
  }
  ResourceRef& ref = backend.resource.emplace();
  ref.api_group = resource.Get("apiGroup").String();
  const FieldNode kind = resource.Get("kind");
  kind.Require();
  ref.kind = kind.String();
  const FieldNode name = resource.Get("name");
  name.Require();
  ref.name = name.String();
  return backend;
}

IngressPath DecodePath(const FieldNode& node) {
  IngressPath path;
  const FieldNode text = node.Get("path");
  path.path = text.String();
  path.type = DecodePathType(node.Get("pathType"));
  const bool needs_slash = path.type != PathType::kImplementationSpecific;
  if (needs_slash && (path.path.empty() || path.path[0] != '/')) text.Fail("must start with /");
  const FieldNode backend = node.Get("backend");
  if (backend.Require()) path.backend = DecodeBackend(backend);
  return path;
}

IngressRule DecodeRule(const FieldNode& node) {
  IngressRule rule;
  rule.host = node.Get("host").String();
  const FieldNode http = node.Get("http");
  rule.has_http = http.present();
  const FieldNode paths = http.Get("paths");
  rule.paths.reserve(paths.size());
  for (size_t i = 0; i < paths.size(); ++i) rule.paths.push_back(DecodePath(paths.At(i)));
  return rule;
}

IngressTls DecodeTls(const FieldNode& node) {
  IngressTls tls;
  const FieldNode hosts = node.Get("hosts");
  tls.hosts.reserve(hosts.size());
  for (size_t i = 0; i < hosts.size(); ++i) tls.hosts.push_back(hosts.At(i).String());
  tls.secret_name = node.Get("secretName").String();
  return tls;
}

}  // namespace

void DecodeIngress(const FieldNode& root, Ingress& out) {
  const FieldNode spec = root.Get("spec");
  const FieldNode class_name = spec.Get("ingressClassName");
  if (class_name.present()) out.class_name = class_name.String();
  const FieldNode default_backend = spec.Get("defaultBackend");
  if (default_backend.present()) out.default_backend = DecodeBackend(default_backend);
  const FieldNode rules = spec.Get("rules");
  out.rules.reserve(rules.size());
  for (size_t i = 0; i < rules.size(); ++i) out.rules.push_back(DecodeRule(rules.At(i)));
  const FieldNode tls = spec.Get("tls");
  out.tls.reserve(tls.size());
  for (size_t i = 0; i < tls.size(); ++i) out.tls.push_back(DecodeTls(tls.At(i)));
  out.addresses = DecodeLoadBalancer(root);
}

void DecodeIngressClass(const FieldNode& root, IngressClass& out) {
  const FieldNode spec = root.Get("spec");
  out.controller = spec.Get("controller").String();
}

}  // namespace headgate::kube::decode_internal
