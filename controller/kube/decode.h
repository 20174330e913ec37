// Kubernetes JSON → the plain values of objects.h.
//
// The decoders check form, not meaning: types, ranges, enumerations, base64. What Kubernetes itself
// would refuse is malformed; what it accepts but we cannot serve is the translation's to judge.
// Fields we do not know are ignored.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "controller/kube/event_sink.h"
#include "controller/kube/json.h"
#include "controller/kube/objects.h"
#include "controller/kube/resource_type.h"

namespace headgate::kube {

using Decoded = std::variant<Object, MalformedObject>;

// Decodes one object of the given resource; "kind" and "apiVersion" are not looked at (items of a
// list have none). Never fails as a whole: a malformed object comes with as much of its key as is
// readable. String values of a Secret's data are wiped from `document`.
Decoded DecodeObject(const ResourceType& type, Json& document);
// The same from text; text that is no JSON gives a MalformedObject without a key.
Decoded DecodeObjectText(const ResourceType& type, std::string_view text);

namespace decode_internal {
// One function per resource; each reads everything but the metadata.
void DecodeIngress(const FieldNode& root, Ingress& out);
void DecodeIngressClass(const FieldNode& root, IngressClass& out);
void DecodeService(const FieldNode& root, Service& out);
void DecodeEndpointSlice(const FieldNode& root, EndpointSlice& out);
void DecodeEndpoints(const FieldNode& root, EndpointSlice& out);
void DecodeSecret(const FieldNode& root, Secret& out);
void DecodeConfigMap(const FieldNode& root, ConfigMap& out);
void DecodeNamespace(const FieldNode& root, Namespace& out);

// A number from 1 to 65535 or a name (IntOrString); empty when absent. Kubernetes treats the text
// "80" as a name too, but refuses it; so do we.
PortRef DecodePortRef(const FieldNode& node);
// TCP when absent.
TransportProtocol DecodeProtocol(const FieldNode& node);
StringMap DecodeStringMap(const FieldNode& node);
// .status.loadBalancer of an Ingress or a Service.
std::vector<std::string> DecodeLoadBalancer(const FieldNode& root);
}  // namespace decode_internal

}  // namespace headgate::kube
