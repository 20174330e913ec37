#include "controller/kube/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "common/strings.h"

namespace headgate::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

template <typename T>
T Good(std::string_view text, const ResourceType& type = ResourceTypeOf(T::kKind)) {
  Decoded decoded = DecodeObjectText(type, text);
  if (const auto* malformed = std::get_if<MalformedObject>(&decoded)) {
    ADD_FAILURE() << malformed->error;
    return {};
  }
  return std::get<T>(std::get<Object>(decoded));
}

std::string Error(Kind kind, std::string_view text) {
  const Decoded decoded = DecodeObjectText(ResourceTypeOf(kind), text);
  const auto* malformed = std::get_if<MalformedObject>(&decoded);
  return malformed == nullptr ? "(decoded)" : malformed->error;
}

IpAddress Ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
  IpAddress address;
  address.bytes = {a, b, c, d};
  address.size = 4;
  return address;
}

TEST(DecodeTest, Metadata) {
  const Ingress ingress = Good<Ingress>(R"({"metadata": {
      "name": "web", "namespace": "shop", "uid": "u-1", "resourceVersion": "42", "generation": 7,
      "creationTimestamp": "2026-01-31T12:00:00Z",
      "labels": {"a": "b"},
      "annotations": {"z": "1", "a": "2", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
      "managedFields": [{"manager": "kubectl"}]}})");
  EXPECT_EQ(ingress.meta.key, (ObjectKey{"shop", "web"}));
  EXPECT_EQ(ingress.meta.uid, "u-1");
  EXPECT_EQ(ingress.meta.resource_version, "42");
  EXPECT_EQ(ingress.meta.generation, 7);
  EXPECT_EQ(ingress.meta.creation_time, 1'769'860'800);
  EXPECT_THAT(ingress.meta.annotations, ElementsAre(Pair("a", "2"), Pair("z", "1")));
}

TEST(DecodeTest, NullIsAbsent) {
  const Ingress ingress = Good<Ingress>(R"({"metadata": {"name": "web", "creationTimestamp": null,
      "annotations": null}, "spec": {"rules": null, "ingressClassName": null}, "status": null})");
  EXPECT_EQ(ingress.meta.creation_time, 0);
  EXPECT_TRUE(ingress.rules.empty());
  EXPECT_FALSE(ingress.class_name.has_value());
}

TEST(DecodeTest, IngressInFull) {
  const Ingress ingress = Good<Ingress>(R"({"metadata": {"name": "web", "namespace": "shop"},
    "spec": {
      "ingressClassName": "headgate",
      "defaultBackend": {"resource": {"apiGroup": "k8s.example.com", "kind": "Bucket", "name": "b"}},
      "tls": [{"hosts": ["a.example", "*.b.example"], "secretName": "cert"}, {}],
      "rules": [
        {"host": "a.example", "http": {"paths": [
          {"path": "/x", "pathType": "Exact", "backend": {"service": {"name": "s", "port": {"number": 80}}}},
          {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"name": "web"}}}},
          {"pathType": "ImplementationSpecific",
           "backend": {"service": {"name": "s", "port": {"number": 0, "name": "n"}}}}]}},
        {"host": "b.example"}]},
    "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}, {"hostname": "lb.example"}, {}]}}})");
  EXPECT_EQ(ingress.class_name, "headgate");
  EXPECT_THAT(ingress.addresses, ElementsAre("192.0.2.1", "lb.example"));
  ASSERT_TRUE(ingress.default_backend && ingress.default_backend->resource);
  EXPECT_EQ(*ingress.default_backend->resource, (ResourceRef{"k8s.example.com", "Bucket", "b"}));
  ASSERT_EQ(ingress.tls.size(), 2u);
  EXPECT_THAT(ingress.tls[0].hosts, ElementsAre("a.example", "*.b.example"));
  EXPECT_EQ(ingress.tls[0].secret_name, "cert");
  ASSERT_EQ(ingress.rules.size(), 2u);
  const IngressRule& rule = ingress.rules[0];
  ASSERT_EQ(rule.paths.size(), 3u);
  EXPECT_EQ(rule.paths[0].type, PathType::kExact);
  EXPECT_EQ(rule.paths[0].backend.port, (PortRef{"", 80}));
  EXPECT_EQ(rule.paths[1].type, PathType::kPrefix);
  EXPECT_EQ(rule.paths[1].backend.port, (PortRef{"web", 0}));
  EXPECT_EQ(rule.paths[2].type, PathType::kImplementationSpecific);
  EXPECT_EQ(rule.paths[2].path, "");
  EXPECT_EQ(rule.paths[2].backend.port, (PortRef{"n", 0}));
  EXPECT_TRUE(rule.has_http);
  EXPECT_FALSE(ingress.rules[1].has_http);
}

TEST(DecodeTest, ErrorsNameKindObjectAndField) {
  const std::string head = R"({"metadata": {"name": "web", "namespace": "shop"}, "spec": )";
  const struct {
    const char* spec;
    const char* error;
  } kCases[] = {
      {R"({"rules": 5})", "spec.rules: must be a list, not number"},
      {R"({"rules": [{}, {"host": 5}]})", "spec.rules[1].host: must be a string, not number"},
      {R"({"rules": [{"http": {"paths": [{"path": "/", "pathType": "exact"}]}}]})",
       "spec.rules[0].http.paths[0].pathType: must be Exact, Prefix or ImplementationSpecific, not "
       "\"exact\""},
      {R"({"rules": [{"http": {"paths": [{"path": "x", "pathType": "Exact"}]}}]})",
       "spec.rules[0].http.paths[0].path: must start with /"},
      {R"({"rules": [{"http": {"paths": [{"path": "/", "pathType": "Exact"}]}}]})",
       "spec.rules[0].http.paths[0].backend: is required"},
      {R"({"defaultBackend": {}})", "spec.defaultBackend: must have either service or resource"},
      {R"({"defaultBackend": {"service": {"port": {"number": 1}}}})",
       "spec.defaultBackend.service.name: is required"},
      {R"({"defaultBackend": {"service": {"name": "a"}}})",
       "spec.defaultBackend.service.port: must have a number or a name"},
      {R"({"defaultBackend": {"service": {"name": "a", "port": {"number": 65536}}}})",
       "spec.defaultBackend.service.port.number: must be a whole number from 0 to 65535"},
      {R"({"defaultBackend": {"service": {"name": "a", "port": {"number": 1.5}}}})",
       "spec.defaultBackend.service.port.number: must be a whole number from 0 to 65535"},
      {R"({"tls": [{"hosts": "a"}]})", "spec.tls[0].hosts: must be a list, not string"},
      {R"([])", "spec: must be an object, not array"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(Error(Kind::kIngress, head + test.spec + "}"),
              std::string("Ingress shop/web: ") + test.error);
  }
}

TEST(DecodeTest, MalformedMetadata) {
  EXPECT_EQ(Error(Kind::kIngress, "{}"), "Ingress without a name: metadata: is required");
  EXPECT_EQ(Error(Kind::kIngress, R"({"metadata": {"name": ""}})"),
            "Ingress without a name: metadata.name: is required");
  EXPECT_EQ(Error(Kind::kIngress, R"({"metadata": {"name": "a", "annotations": {"x.y/z": true}}})"),
            "Ingress a: metadata.annotations[x.y/z]: must be a string, not boolean");
  EXPECT_EQ(Error(Kind::kIngress, R"({"metadata": {"name": "a", "creationTimestamp": "now"}})"),
            "Ingress a: metadata.creationTimestamp: must be a time such as 2026-01-31T12:00:00Z");
  EXPECT_EQ(Error(Kind::kIngress, "[]"), "Ingress without a name: must be an object, not array");
  EXPECT_EQ(Error(Kind::kIngress, R"({"metadata": )"), "Ingress: not JSON at byte 14 of 13");
}

TEST(DecodeTest, AMalformedObjectKeepsItsKeyAndVersion) {
  const Decoded decoded = DecodeObjectText(
      ResourceTypeOf(Kind::kService),
      R"({"metadata": {"name": "s", "namespace": "n", "resourceVersion": "9"}, "spec": {"ports": 1}})");
  const auto& malformed = std::get<MalformedObject>(decoded);
  EXPECT_EQ(malformed.kind, Kind::kService);
  EXPECT_EQ(malformed.key, (ObjectKey{"n", "s"}));
  EXPECT_EQ(malformed.resource_version, "9");
}

TEST(DecodeTest, ClusterScopedKindsHaveNoNamespace) {
  const IngressClass c = Good<IngressClass>(R"({"metadata": {"name": "headgate", "namespace": "x",
      "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"}},
      "spec": {"controller": "headgate.dev/ingress-controller"}})");
  EXPECT_EQ(c.meta.key, (ObjectKey{"", "headgate"}));
  EXPECT_EQ(c.controller, "headgate.dev/ingress-controller");
  EXPECT_EQ(*c.meta.FindAnnotation("ingressclass.kubernetes.io/is-default-class"), "true");
}

TEST(DecodeTest, Service) {
  const Service service = Good<Service>(R"({"metadata": {"name": "s", "namespace": "n"}, "spec": {
      "clusterIP": "None", "ports": [
        {"name": "web", "port": 80, "targetPort": 8080, "appProtocol": "kubernetes.io/h2c"},
        {"name": "dns", "port": 53, "targetPort": "dns", "protocol": "UDP"}],
      "externalIPs": ["203.0.113.9"]},
      "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}})");
  EXPECT_THAT(service.external_ips, ElementsAre("203.0.113.9"));
  EXPECT_THAT(service.load_balancer, ElementsAre("192.0.2.1"));
  EXPECT_EQ(service.type, ServiceType::kClusterIp);
  EXPECT_EQ(service.cluster_ip, "None");
  ASSERT_EQ(service.ports.size(), 2u);
  EXPECT_EQ(service.ports[0],
            (ServicePort{"web", 80, {"", 8080}, "kubernetes.io/h2c", TransportProtocol::kTcp}));
  EXPECT_EQ(service.ports[1], (ServicePort{"dns", 53, {"dns", 0}, "", TransportProtocol::kUdp}));

  const Service external = Good<Service>(R"({"metadata": {"name": "s"}, "spec": {
      "type": "ExternalName", "externalName": "db.example.com"}})");
  EXPECT_EQ(external.type, ServiceType::kExternalName);
  EXPECT_EQ(external.external_name, "db.example.com");
}

TEST(DecodeTest, ServiceErrors) {
  const std::string head = R"({"metadata": {"name": "s", "namespace": "n"}, "spec": )";
  EXPECT_EQ(
      Error(Kind::kService, head + R"({"type": "Magic"}})"),
      "Service n/s: spec.type: must be ClusterIP, NodePort, LoadBalancer or ExternalName, not "
      "\"Magic\"");
  EXPECT_EQ(Error(Kind::kService, head + R"({"type": "ExternalName"}})"),
            "Service n/s: spec.externalName: is required");
  EXPECT_EQ(Error(Kind::kService, head + R"({"ports": [{}]}})"),
            "Service n/s: spec.ports[0].port: is required");
  EXPECT_EQ(Error(Kind::kService, head + R"({"ports": [{"port": 0}]}})"),
            "Service n/s: spec.ports[0].port: must be a whole number from 1 to 65535");
  EXPECT_EQ(
      Error(Kind::kService, head + R"({"ports": [{"port": 1, "targetPort": "80"}]}})"),
      "Service n/s: spec.ports[0].targetPort: must be a number from 1 to 65535 or a name with "
      "a letter");
  EXPECT_EQ(Error(Kind::kService, head + R"({"ports": [{"port": 1, "protocol": "QUIC"}]}})"),
            "Service n/s: spec.ports[0].protocol: must be TCP, UDP or SCTP");
}

TEST(DecodeTest, EndpointSliceConditionsHaveKubernetesDefaults) {
  const EndpointSlice slice = Good<EndpointSlice>(R"({
      "metadata": {"name": "s-x", "namespace": "n", "labels": {"kubernetes.io/service-name": "s"}},
      "addressType": "IPv4",
      "ports": [{"name": "web", "port": 8080, "protocol": "TCP", "appProtocol": "http"}],
      "endpoints": [
        {"addresses": ["10.0.0.1", "10.0.0.9"], "nodeName": "node1", "zone": "z1",
         "targetRef": {"kind": "Pod", "name": "pod1"}, "hints": {"forZones": [{"name": "z1"}]}},
        {"addresses": ["10.0.0.2"], "conditions": {"ready": false}},
        {"addresses": ["127.0.0.1"], "conditions": {"ready": false, "serving": true, "terminating": true},
         "targetRef": {"kind": "VM", "name": "other"}}]})");
  EXPECT_EQ(slice.service_name, "s");
  ASSERT_EQ(slice.subsets.size(), 1u);
  EXPECT_EQ(slice.subsets[0].ports[0],
            (EndpointPort{"web", 8080, "http", TransportProtocol::kTcp}));
  const std::vector<Endpoint>& endpoints = slice.subsets[0].endpoints;
  ASSERT_EQ(endpoints.size(), 3u);
  EXPECT_EQ(endpoints[0],
            (Endpoint{Ipv4(10, 0, 0, 1), true, true, false, "pod1", "node1", "z1", {"z1"}}));
  EXPECT_EQ(endpoints[1], (Endpoint{Ipv4(10, 0, 0, 2), false, false, false, "", "", "", {}}));
  EXPECT_EQ(endpoints[2], (Endpoint{Ipv4(127, 0, 0, 1), false, true, true, "", "", "", {}}));
}

TEST(DecodeTest, EndpointSliceOfOtherAddressTypes) {
  const EndpointSlice six = Good<EndpointSlice>(
      R"({"metadata": {"name": "s"}, "addressType": "IPv6", "endpoints": [{"addresses": ["fd00::1"]}]})");
  EXPECT_EQ(six.subsets[0].endpoints[0].address.size, 16);
  EXPECT_EQ(six.subsets[0].endpoints[0].address.bytes[0], 0xfd);
  EXPECT_EQ(six.subsets[0].endpoints[0].address.bytes[15], 1);
  const EndpointSlice fqdn = Good<EndpointSlice>(
      R"({"metadata": {"name": "s"}, "addressType": "FQDN", "endpoints": [{"addresses": ["a.b"]}]})");
  EXPECT_TRUE(fqdn.subsets[0].endpoints.empty());
}

TEST(DecodeTest, EndpointSliceErrors) {
  EXPECT_EQ(Error(Kind::kEndpointSlice, R"({"metadata": {"name": "s"}, "addressType": "IPv4",
      "endpoints": [{"addresses": ["10.0.0.1"]}, {"addresses": ["10.0.0.300"]}]})"),
            "EndpointSlice s: endpoints[1].addresses[0]: must be an IP address");
  EXPECT_EQ(Error(Kind::kEndpointSlice, R"({"metadata": {"name": "s"}, "addressType": "IPv4",
      "endpoints": [{"addresses": []}]})"),
            "EndpointSlice s: endpoints[0].addresses: must have an address");
  EXPECT_EQ(Error(Kind::kEndpointSlice, R"({"metadata": {"name": "s"}})"),
            "EndpointSlice s: addressType: must be IPv4, IPv6 or FQDN");
}

TEST(DecodeTest, LegacyEndpointsBecomeASlice) {
  const EndpointSlice slice =
      Good<EndpointSlice>(R"({"metadata": {"name": "s", "namespace": "n"}, "subsets": [
      {"addresses": [{"ip": "10.0.0.1", "nodeName": "node1", "targetRef": {"kind": "Pod", "name": "p"}}],
       "notReadyAddresses": [{"ip": "10.0.0.2"}], "ports": [{"name": "web", "port": 80}]},
      {"addresses": [{"ip": "10.0.0.3"}], "ports": [{"port": 81}]}]})",
                          EndpointsResourceType());
  EXPECT_EQ(slice.service_name, "s");
  ASSERT_EQ(slice.subsets.size(), 2u);
  ASSERT_EQ(slice.subsets[0].endpoints.size(), 2u);
  EXPECT_EQ(slice.subsets[0].endpoints[0],
            (Endpoint{Ipv4(10, 0, 0, 1), true, true, false, "p", "node1", "", {}}));
  EXPECT_FALSE(slice.subsets[0].endpoints[1].ready);
  EXPECT_FALSE(slice.subsets[0].endpoints[1].serving);
  EXPECT_EQ(slice.subsets[1].ports[0].port, 81);
}

TEST(DecodeTest, SecretIsDecodedAndItsTextWiped) {
  Json document =
      Json::parse(R"({"metadata": {"name": "c", "namespace": "n"}, "type": "kubernetes.io/tls",
      "data": {"tls.key": "a2V5", "tls.crt": "Y3J0"}, "stringData": {"ca.crt": "plain", "tls.crt": "new"}})");
  const Decoded decoded = DecodeObject(ResourceTypeOf(Kind::kSecret), document);
  const Secret& secret = std::get<Secret>(std::get<Object>(decoded));
  EXPECT_EQ(secret.type, "kubernetes.io/tls");
  ASSERT_EQ(secret.data.size(), 3u);
  EXPECT_EQ(secret.data[0].first, "ca.crt");
  EXPECT_EQ(secret.Find("ca.crt")->Reveal(), "plain");
  EXPECT_EQ(secret.Find("tls.crt")->Reveal(), "new");
  EXPECT_EQ(secret.Find("tls.key")->Reveal(), "key");
  EXPECT_EQ(document["data"]["tls.key"].get<std::string>(), std::string(4, '\0'));
}

TEST(DecodeTest, ErrorsNeverShowSecretText) {
  const std::string error =
      Error(Kind::kSecret, R"({"metadata": {"name": "c"}, "data": {"tls.key": "!hunter2!"}})");
  EXPECT_EQ(error, "Secret c: data[tls.key]: must be base64");
  EXPECT_EQ(Error(Kind::kSecret, R"({"metadata": {"name": "c"}, "data": {"tls.key": "hunter2)"),
            "Secret: not JSON at byte 57 of 56");
}

TEST(DecodeTest, ConfigMapAndNamespace) {
  const ConfigMap map = Good<ConfigMap>(R"({"metadata": {"name": "c", "namespace": "n"},
      "data": {"b": "2", "a": "1"}, "binaryData": {"x": "AAE="}})");
  EXPECT_THAT(map.data, ElementsAre(Pair("a", "1"), Pair("b", "2")));
  EXPECT_THAT(map.binary_data, ElementsAre(Pair("x", std::string("\0\1", 2))));
  const Namespace ns = Good<Namespace>(R"({"metadata": {"name": "n", "labels": {"team": "a"}}})");
  EXPECT_THAT(ns.labels, ElementsAre(Pair("team", "a")));
}

TEST(DecodeTest, DeepNestingIsSurvived) {
  std::string text = R"({"metadata": {"name": "a"}, "x": )";
  text += std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_EQ(Error(Kind::kIngress, text), "(decoded)");
}

TEST(ResourceTypeTest, PathsOfCollections) {
  EXPECT_EQ(CollectionPath(ResourceTypeOf(Kind::kIngress), ""),
            "/apis/networking.k8s.io/v1/ingresses");
  EXPECT_EQ(CollectionPath(ResourceTypeOf(Kind::kIngress), "shop"),
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses");
  EXPECT_EQ(CollectionPath(ResourceTypeOf(Kind::kService), "shop"),
            "/api/v1/namespaces/shop/services");
  EXPECT_EQ(CollectionPath(ResourceTypeOf(Kind::kIngressClass), "shop"),
            "/apis/networking.k8s.io/v1/ingressclasses");
  EXPECT_EQ(CollectionPath(EndpointsResourceType(), ""), "/api/v1/endpoints");
}

TEST(ResourceTypeTest, IsFoundByVersionAndKind) {
  EXPECT_EQ(FindResourceType("networking.k8s.io/v1", "Ingress"), &ResourceTypeOf(Kind::kIngress));
  EXPECT_EQ(FindResourceType("v1", "Endpoints"), &EndpointsResourceType());
  EXPECT_EQ(FindResourceType("apps/v1", "Deployment"), nullptr);
  EXPECT_EQ(FindResourceType("extensions/v1beta1", "Ingress"), nullptr);
  EXPECT_EQ(FindResourceTypeByGroupKind("extensions/v1beta1", "Ingress"),
            &ResourceTypeOf(Kind::kIngress));
  EXPECT_EQ(FindResourceTypeByGroupKind("networking.k8s.io/v1beta1", "Ingress"),
            &ResourceTypeOf(Kind::kIngress));
  EXPECT_EQ(FindResourceTypeByGroupKind("example.com/v1", "Service"), nullptr);
}

}  // namespace
}  // namespace headgate::kube
