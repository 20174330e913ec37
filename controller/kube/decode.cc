#include "controller/kube/decode.h"

#include "common/strings.h"

namespace headgate::kube {
namespace decode_internal {

PortRef DecodePortRef(const FieldNode& node) {
  PortRef port;
  if (node.is_number()) {
    port.number = node.Port();
  } else {
    port.name = node.String();
    if (node.present() && port.name.find_first_not_of("0123456789") == std::string::npos) {
      node.Fail("must be a number from 1 to 65535 or a name with a letter");
    }
  }
  return port;
}

TransportProtocol DecodeProtocol(const FieldNode& node) {
  const std::string_view text = node.View();
  if (text.empty() || text == "TCP") return TransportProtocol::kTcp;
  if (text == "UDP") return TransportProtocol::kUdp;
  if (text == "SCTP") return TransportProtocol::kSctp;
  node.Fail("must be TCP, UDP or SCTP");
  return TransportProtocol::kTcp;
}

// The document's objects are std::map, so entries come sorted and each key once.
StringMap DecodeStringMap(const FieldNode& node) {
  StringMap map;
  node.ForEach([&](const std::string& key, const FieldNode& value) {
    map.emplace_back(key, value.String());
  });
  return map;
}

}  // namespace decode_internal

namespace {

namespace rest = decode_internal;

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

ObjectMeta DecodeMeta(const ResourceType& type, const FieldNode& root) {
  ObjectMeta meta;
  const FieldNode node = root.Get("metadata");
  if (!node.present()) {
    node.Fail("is required");
    return meta;
  }
  const FieldNode name = node.Get("name");
  if (name.Require()) meta.key.name = name.String();
  if (type.namespaced) meta.key.ns = node.Get("namespace").String();
  meta.uid = node.Get("uid").String();
  meta.resource_version = node.Get("resourceVersion").String();
  meta.generation = node.Get("generation").Int(0, INT64_MAX, 0);
  meta.creation_time = node.Get("creationTimestamp").Timestamp();
  meta.annotations = rest::DecodeStringMap(node.Get("annotations"));
  std::erase_if(meta.annotations, [](const auto& entry) { return entry.first == kLastApplied; });
  return meta;
}

// The strings of .data and .stringData are key material.
void WipeSecretText(Json& document) {
  if (!document.is_object()) return;
  for (const char* field : {"data", "stringData"}) {
    const auto map = document.find(field);
    if (map == document.end() || !map->is_object()) continue;
    for (auto& value : *map) {
      if (!value.is_string()) continue;
      std::string& text = value.get_ref<std::string&>();
      WipeMemory(text.data(), text.size());
    }
  }
}

template <typename T, typename DecodeRest>
Object DecodeAs(const ResourceType& type, const FieldNode& root, DecodeRest decode_rest) {
  T object;
  object.meta = DecodeMeta(type, root);
  decode_rest(root, object);
  return object;
}

Object DecodeByKind(const ResourceType& type, const FieldNode& root) {
  switch (type.kind) {
    case Kind::kIngress: return DecodeAs<Ingress>(type, root, rest::DecodeIngress);
    case Kind::kIngressClass: return DecodeAs<IngressClass>(type, root, rest::DecodeIngressClass);
    case Kind::kService: return DecodeAs<Service>(type, root, rest::DecodeService);
    case Kind::kEndpointSlice:
      return DecodeAs<EndpointSlice>(
          type, root,
          &type == &EndpointsResourceType() ? rest::DecodeEndpoints : rest::DecodeEndpointSlice);
    case Kind::kSecret: return DecodeAs<Secret>(type, root, rest::DecodeSecret);
    case Kind::kConfigMap: return DecodeAs<ConfigMap>(type, root, rest::DecodeConfigMap);
    case Kind::kNamespace: return DecodeAs<Namespace>(type, root, rest::DecodeNamespace);
  }
  return Ingress();
}

}  // namespace

Decoded DecodeObject(const ResourceType& type, Json& document) {
  FieldErrors errors;
  const FieldNode root(document, errors);
  Object object = DecodeByKind(type, root);
  if (type.kind == Kind::kSecret) WipeSecretText(document);
  if (errors.ok()) return object;
  const ObjectMeta& meta = MetaOf(object);
  return MalformedObject{
      type.kind, meta.key, meta.resource_version,
      StrCat(type.api_kind, " ", meta.key.name.empty() ? "without a name" : meta.key.ToString(),
             ": ", errors.first())};
}

Decoded DecodeObjectText(const ResourceType& type, std::string_view text) {
  absl::StatusOr<Json> document = ParseJson(text);
  if (document.ok()) return DecodeObject(type, *document);
  return MalformedObject{
      type.kind, {}, {}, StrCat(type.api_kind, ": ", document.status().message())};
}

}  // namespace headgate::kube
