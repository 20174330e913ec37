// Incremental translation against full translation: random edits of every kind, in batches, and
// after each batch the two must agree byte for byte.
#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "absl/time/clock.h"
#include "controller/translate/translate.h"
#include "controller/translate/translator.h"
#include "tests/support/certificates.h"
#include "tests/support/dh_parameters.h"
#include "tests/support/kube_objects.h"
#include "tests/unit/translate/held_snapshot.h"

namespace headgate::translate {
namespace {

using kube::Kind;
using kube::ObjectKey;
using kube::PathType;

// Certificates are slow to make; one set serves all seeds.
const std::vector<headgate::testing::PemPair>& Certificates() {
  static const auto* certificates = new std::vector<headgate::testing::PemPair>{
      headgate::testing::MakeCertificate({"a.example.com"}),
      headgate::testing::MakeCertificate({"a.example.com", "b.example.com"}),
      headgate::testing::MakeCertificate({"*.example.com"}),
      headgate::testing::MakeCertificate({"shop.test"}),
  };
  return *certificates;
}

// A small world, so that edits meet each other.
class RandomWorld {
 public:
  explicit RandomWorld(uint32_t seed) : random_(seed) {}

  // One random edit, applied to the state or to the time.
  void Edit(state::ClusterState& state, absl::Time& now) {
    switch (Below(13)) {
      case 0:
      case 1:
      case 2: return Apply(state, RandomIngress());
      case 3: return Delete(state, Kind::kIngress, {Ns(), Pick(ingress_names_)});
      case 4:
        return Chance(30) ? Delete(state, Kind::kIngressClass, {"", Pick(class_names_)})
                          : Apply(state, RandomClass());
      case 5:
        return Chance(30) ? Delete(state, Kind::kService, {Ns(), Pick(service_names_)})
                          : Apply(state, RandomService());
      case 6:
      case 7:
        return Chance(20) ? Delete(state, Kind::kEndpointSlice, {Ns(), Pick(slice_names_)})
                          : Apply(state, RandomSlice());
      case 8:
        return Chance(25) ? Delete(state, Kind::kSecret, {Ns(), Pick(secret_names_)})
                          : Apply(state, RandomSecret());
      case 9:
        return state.Apply(
            kube::Change(kube::MalformedObject{Chance(50) ? Kind::kIngress : Kind::kService,
                                               {Ns(), Pick(ingress_names_)},
                                               "",
                                               Error()}));
      case 10:
        if (Chance(15)) return LookForConfigMap(state);
        return Chance(25) ? Delete(state, Kind::kConfigMap, {Ns(), Pick(config_map_names_)})
                          : Apply(state, RandomConfigMap());
      case 11:
        if (Chance(80)) return;
        now += absl::Hours(24 * Below(150));
        return;
      default:
        if (Chance(70)) return;
        return Relist(state);
    }
  }

  uint32_t Below(uint32_t limit) {
    return std::uniform_int_distribution<uint32_t>(0, limit - 1)(random_);
  }

 private:
  bool Chance(uint32_t percent) { return Below(100) < percent; }
  template <typename T>
  const T& Pick(const std::vector<T>& from) {
    return from[Below(static_cast<uint32_t>(from.size()))];
  }
  std::string Ns() { return Chance(70) ? "one" : "two"; }
  std::string Error() { return Chance(50) ? "spec: broken" : "spec.rules: broken"; }

  static void Apply(state::ClusterState& state, kube::Object object) {
    state.Apply(kube::Change(std::move(object)));
  }
  static void Delete(state::ClusterState& state, Kind kind, ObjectKey key) {
    state.Apply(kube::Change(kube::Deletion{kind, std::move(key)}));
  }

  void Relist(state::ClusterState& state) {
    kube::Replacement list;
    if (Chance(40)) list.ns = Ns();
    const uint32_t count = Below(4);
    switch (Below(4)) {
      case 0:
        list.kind = Kind::kIngress;
        for (uint32_t i = 0; i < count; ++i) list.objects.emplace_back(RandomIngress());
        if (Chance(30)) {
          list.malformed.push_back({Kind::kIngress, {Ns(), Pick(ingress_names_)}, "", Error()});
        }
        break;
      case 1:
        list.kind = Kind::kService;
        for (uint32_t i = 0; i < count; ++i) list.objects.emplace_back(RandomService());
        break;
      case 2:
        list.kind = Kind::kEndpointSlice;
        for (uint32_t i = 0; i < count; ++i) list.objects.emplace_back(RandomSlice());
        break;
      default:
        list.kind = Kind::kSecret;
        for (uint32_t i = 0; i < count; ++i) list.objects.emplace_back(RandomSecret());
        break;
    }
    state.Apply(std::move(list));
  }

  // One that is watched by itself is listed.
  void LookForConfigMap(state::ClusterState& state) {
    kube::Replacement list;
    list.kind = Kind::kConfigMap;
    list.ns = Ns();
    list.name = Pick(config_map_names_);
    if (Chance(50)) {
      kube::ConfigMap config_map = RandomConfigMap();
      config_map.meta.key = {list.ns, list.name};
      list.objects.emplace_back(std::move(config_map));
    }
    state.Apply(std::move(list));
  }

  kube::IngressBackend RandomBackend() {
    if (Chance(8)) return {"", {}, kube::ResourceRef{"", "ConfigMap", Pick(config_map_names_)}};
    if (Chance(2)) return {"", {}, kube::ResourceRef{"storage.example", "Bucket", "files"}};
    if (Chance(4)) return headgate::testing::Backend("a/b", 80);
    return Chance(60)
               ? headgate::testing::Backend(Pick(service_names_), Chance(80) ? 80 : 81)
               : headgate::testing::Backend(Pick(service_names_), Chance(80) ? "http" : "web");
  }

  kube::Ingress RandomIngress() {
    kube::Ingress ingress;
    ingress.meta = headgate::testing::Meta(Ns(), Pick(ingress_names_));
    ingress.meta.creation_time = Below(3);
    if (Chance(85)) ingress.class_name = Pick(class_names_);
    if (Chance(30)) ingress.default_backend = RandomBackend();
    const uint32_t rules = Below(4);
    for (uint32_t i = 0; i < rules; ++i) {
      kube::IngressRule rule;
      rule.host = Pick(hosts_);
      rule.has_http = Chance(90);
      const uint32_t paths = rule.has_http ? Below(4) : 0;
      for (uint32_t j = 0; j < paths; ++j) {
        rule.paths.push_back({Pick(paths_), static_cast<PathType>(Below(3)), RandomBackend()});
      }
      ingress.rules.push_back(std::move(rule));
    }
    const uint32_t sections = Chance(50) ? Below(3) : 0;
    for (uint32_t i = 0; i < sections; ++i) {
      kube::IngressTls tls;
      if (Chance(80)) tls.hosts.push_back(Pick(hosts_));
      if (Chance(85)) tls.secret_name = Chance(95) ? Pick(secret_names_) : "a/b";
      ingress.tls.push_back(std::move(tls));
    }
    const uint32_t annotations = Chance(50) ? Below(4) : 0;
    for (uint32_t i = 0; i < annotations; ++i) {
      const auto& annotation = Pick(annotations_);
      if (ingress.meta.FindAnnotation(annotation.first) == nullptr) {
        ingress.meta.annotations.push_back(annotation);
      }
    }
    std::sort(ingress.meta.annotations.begin(), ingress.meta.annotations.end());
    return ingress;
  }

  kube::IngressClass RandomClass() {
    kube::IngressClass ingress_class = headgate::testing::Class(Pick(class_names_));
    if (Chance(20)) ingress_class.controller = "example.com/other";
    if (Chance(25)) {
      ingress_class.meta.annotations = {{"ingressclass.kubernetes.io/is-default-class", "true"}};
    }
    ingress_class.meta.creation_time = Below(2);
    return ingress_class;
  }

  kube::Service RandomService() {
    kube::Service service;
    service.meta = headgate::testing::Meta(Ns(), Pick(service_names_));
    if (Chance(15)) {
      service.type = kube::ServiceType::kExternalName;
      service.external_name = Chance(70) ? "db.example.net" : "localhost";
    }
    if (Chance(30)) service.meta.annotations.push_back(Pick(annotations_));
    const uint32_t ports = Below(3);
    for (uint32_t i = 0; i < ports; ++i) {
      kube::ServicePort port;
      port.name = i == 0 ? "http" : "web";
      port.port = static_cast<uint16_t>(80 + Below(2));
      if (Chance(50)) port.target_port = {"", static_cast<uint16_t>(8080 + Below(2))};
      if (Chance(20)) port.target_port = {"web", 0};
      if (Chance(20))
        port.app_protocol = Chance(50) ? "kubernetes.io/h2c" : Chance(50) ? "https" : "redis";
      if (Chance(10)) port.protocol = kube::TransportProtocol::kUdp;
      service.ports.push_back(std::move(port));
    }
    return service;
  }

  kube::EndpointSlice RandomSlice() {
    kube::EndpointSlice slice;
    slice.meta = headgate::testing::Meta(Ns(), Pick(slice_names_));
    if (Chance(95)) slice.service_name = Pick(service_names_);
    kube::EndpointSubset subset;
    const uint32_t ports = Below(3);
    for (uint32_t i = 0; i < ports; ++i) {
      kube::EndpointPort port;
      port.name = i == 0 ? "http" : "web";
      port.port = static_cast<uint16_t>(8080 + Below(2));
      subset.ports.push_back(std::move(port));
    }
    const uint32_t endpoints = Below(4);
    for (uint32_t i = 0; i < endpoints; ++i) {
      kube::Endpoint endpoint = headgate::testing::Ipv4(Chance(95) ? 10 : 127, 0, 0, 1 + Below(4));
      endpoint.ready = Chance(70);
      endpoint.serving = endpoint.ready || Chance(50);
      endpoint.terminating = Chance(30);
      subset.endpoints.push_back(std::move(endpoint));
    }
    slice.subsets.push_back(std::move(subset));
    return slice;
  }

  kube::Secret RandomSecret() {
    kube::Secret secret;
    secret.meta = headgate::testing::Meta(Ns(), Pick(secret_names_));
    secret.type = "kubernetes.io/tls";
    const auto& pair = Certificates()[Below(4)];
    const auto& other = Certificates()[Below(4)];
    secret.data.emplace_back("tls.crt", SecretBytes(Chance(85) ? pair.chain : "garbage"));
    if (Chance(95)) {
      secret.data.emplace_back("tls.key", SecretBytes(Chance(80) ? pair.key : other.key));
    }
    if (Chance(60)) {
      secret.data.emplace_back("ca.crt", SecretBytes(Chance(80) ? pair.chain : "garbage"));
    }
    if (Chance(60)) {
      secret.data.emplace_back("dhparam.pem",
                               SecretBytes(Chance(70) ? headgate::testing::kDhParameters
                                                      : headgate::testing::kWeakDhParameters));
    }
    return secret;
  }

  kube::ConfigMap RandomConfigMap() {
    kube::ConfigMap config_map;
    config_map.meta = headgate::testing::Meta(Ns(), Pick(config_map_names_));
    for (const char* port : {"5432", "5433", "x"}) {
      if (!Chance(30)) continue;
      config_map.data.emplace_back(port, Ns() + "/" + Pick(service_names_) +
                                             (Chance(70) ? ":80" : ":http") +
                                             (Chance(30) ? ":PROXY:PROXY" : ""));
    }
    if (Chance(30)) config_map.data.emplace_back("proxy-stream-timeout", Chance(70) ? "1m" : "x");
    if (Chance(50)) config_map.data.emplace_back("http-redirect-code", Chance(70) ? "301" : "9");
    if (Chance(50)) config_map.data.emplace_back("ssl-redirect", Chance(50) ? "false" : "true");
    if (Chance(50)) config_map.data.emplace_back("load-balance", Chance(70) ? "round_robin" : "x");
    if (Chance(30)) config_map.data.emplace_back("slow-start", Chance(70) ? "10s" : "soon");
    if (Chance(20)) config_map.data.emplace_back("unheard-of", "x");
    if (Chance(20)) config_map.data.emplace_back("enable-modsecurity", "true");
    if (Chance(20)) config_map.data.emplace_back("strict-validate-path-type", "false");
    if (Chance(60)) config_map.data.emplace_back("ssl-dh-param", Chance(70) ? "one/t1" : "two/t2");
    if (Chance(30)) config_map.data.emplace_back("allow-cross-namespace-resources", "true");
    if (Chance(30))
      config_map.data.emplace_back("whitelist-source-range", Chance(70) ? "10.0.0.0/8" : "x");
    if (Chance(30))
      config_map.data.emplace_back("global-auth-url", Chance(70) ? "http://s2.two.svc/" : "x");
    if (Chance(50)) config_map.data.emplace_back("X-One", Chance(80) ? "1" : "$");
    if (Chance(50)) config_map.data.emplace_back("global-allowed-response-headers", "X-One");
    if (Chance(30)) config_map.data.emplace_back("add-headers", Chance(70) ? "one/files" : "files");
    if (Chance(30))
      config_map.data.emplace_back("proxy-set-headers", Chance(70) ? "two/files" : "two/options");
    if (Chance(30)) config_map.data.emplace_back("custom-http-errors", Chance(70) ? "404" : "x");
    return config_map;
  }

  std::mt19937 random_;
  const std::vector<std::string> ingress_names_ = {"i1", "i2", "i3", "i4", "i5"};
  const std::vector<std::string> class_names_ = {"headgate", "internal"};
  const std::vector<std::string> service_names_ = {"s1", "s2", "s3"};
  const std::vector<std::string> slice_names_ = {"e1", "e2", "e3", "e4"};
  const std::vector<std::string> secret_names_ = {"t1", "t2", "t3"};
  const std::vector<std::string> config_map_names_ = {"options", "files"};
  const std::vector<std::string> hosts_ = {
      "",          "a.example.com", "b.example.com", "A.Example.com",
      "shop.test", "*.example.com", "not a host"};
  const std::vector<std::string> paths_ = {"/", "/a", "/a/", "/a/b", "", "relative", "/a(b)"};
  const kube::StringMap annotations_ = {
      {"nginx.ingress.kubernetes.io/proxy-read-timeout", "30"},
      {"nginx.ingress.kubernetes.io/proxy-read-timeout", "soon"},
      {"nginx.ingress.kubernetes.io/backend-protocol", "HTTPS"},
      {"nginx.ingress.kubernetes.io/backend-protocol", "AUTO_HTTP"},
      {"nginx.ingress.kubernetes.io/backend-protocol", "grpc"},
      {"nginx.ingress.kubernetes.io/proxy-ssl-verify", "on"},
      {"nginx.ingress.kubernetes.io/ssl-redirect", "false"},
      {"nginx.ingress.kubernetes.io/permanent-redirect", "https://elsewhere.example/"},
      {"nginx.ingress.kubernetes.io/permanent-redirect", "no url"},
      {"nginx.ingress.kubernetes.io/auth-url", "https://auth.example/"},
      {"nginx.ingress.kubernetes.io/auth-url", "http://s1.one.svc:80/"},
      {"nginx.ingress.kubernetes.io/auth-url", "http://$host/"},
      {"nginx.ingress.kubernetes.io/enable-global-auth", "false"},
      {"nginx.ingress.kubernetes.io/auth-type", "basic"},
      {"nginx.ingress.kubernetes.io/auth-type", "basic"},
      {"nginx.ingress.kubernetes.io/auth-secret", "one/t1"},
      {"nginx.ingress.kubernetes.io/auth-secret", "t2"},
      {"nginx.ingress.kubernetes.io/auth-secret-type", "auth-map"},
      {"nginx.ingress.kubernetes.io/allowlist-source-range", "10.0.0.0/8"},
      {"nginx.ingress.kubernetes.io/auth-tls-secret", "one/t1"},
      {"nginx.ingress.kubernetes.io/auth-tls-secret", "two/t2"},
      {"nginx.ingress.kubernetes.io/auth-tls-secret", "t3"},
      {"nginx.ingress.kubernetes.io/proxy-ssl-secret", "one/t1"},
      {"nginx.ingress.kubernetes.io/proxy-ssl-secret", "two/t2"},
      {"nginx.ingress.kubernetes.io/proxy-ssl-secret", "t3"},
      {"headgate.dev/upstream-proxy-protocol", "v2"},
      {"nginx.ingress.kubernetes.io/ssl-passthrough", "true"},
      {"headgate.dev/unheard-of", "x"},
      {"headgate.dev/health-check", "http"},
      {"headgate.dev/max-fails", "many"},
      {"headgate.dev/backup-service", "s1"},
      {"headgate.dev/backup-service", "s2:80"},
      {"headgate.dev/backup-service", "nobody"},
      {"headgate.dev/load-balance", "round_robin"},
      {"headgate.dev/load-balance", "by weather"},
      {"headgate.dev/retry-budget-percent", "10"},
      {"nginx.ingress.kubernetes.io/upstream-hash-by", "$host"},
      {"nginx.ingress.kubernetes.io/upstream-hash-by", "${host}"},
      {"nginx.ingress.kubernetes.io/affinity", "cookie"},
      {"nginx.ingress.kubernetes.io/load-balance", "round_robin"},
      {"nginx.ingress.kubernetes.io/load-balance", "by weather"},
      {"nginx.ingress.kubernetes.io/canary", "true"},
      {"nginx.ingress.kubernetes.io/canary", "true"},
      {"nginx.ingress.kubernetes.io/canary-weight", "10"},
      {"nginx.ingress.kubernetes.io/server-alias", "b.example.com, alias.test"},
      {"nginx.ingress.kubernetes.io/server-alias", "alias.test"},
      {"nginx.ingress.kubernetes.io/from-to-www-redirect", "true"},
      {"nginx.ingress.kubernetes.io/default-backend", "s3"},
      {"nginx.ingress.kubernetes.io/custom-http-errors", "503"},
      {"nginx.ingress.kubernetes.io/custom-headers", "files"},
      {"nginx.ingress.kubernetes.io/custom-headers", "one/options"},
      {"nginx.ingress.kubernetes.io/mirror-target", "https://shadow.example/"},
      {"nginx.ingress.kubernetes.io/service-upstream", "true"},
      {"headgate.dev/static-root", "docs/v2"},
      {"headgate.dev/static-root", "../docs"},
      {"headgate.dev/expires", "1h"},
  };
};

std::map<std::string, std::string> Bytes(const Translation& translation) {
  std::map<std::string, std::string> bytes;
  for (const auto& resource : translation.resources) {
    EXPECT_TRUE(bytes.emplace(resource->name(), BytesOf(*resource)).second)
        << resource->name() << " occurs twice";
  }
  return bytes;
}

std::vector<std::string> Lines(const Translation& translation) {
  std::vector<std::string> lines;
  for (const auto& diagnostic : translation.diagnostics) lines.push_back(diagnostic.ToString());
  return lines;
}

Options TestOptions(uint32_t seed) {
  Options options;
  options.fallback_certificate = {"fallback chain", SecretBytes("fallback key")};
  options.ssl_passthrough = seed % 5 < 3;
  if (seed % 2 == 1) options.config_map = ObjectKey{"one", "options"};
  if (seed % 4 >= 2) options.tcp_services = ObjectKey{"one", "files"};
  if (seed % 4 == 3) options.udp_services = ObjectKey{"two", "options"};
  if (seed % 3 == 1) options.default_backend = ObjectKey{"one", "s1"};
  if (seed % 3 == 2) options.ticket_root = SecretBytes("root");
  if (seed % 4 == 1) options.default_certificate = ObjectKey{"one", "t1"};
  return options;
}

class IncrementalTest : public ::testing::TestWithParam<uint32_t> {};

TEST_P(IncrementalTest, EqualsFullTranslationAfterRandomEdits) {
  constexpr int kSteps = 300;
  RandomWorld world(GetParam());
  state::ClusterState state{state::ClusterState::Options{}};
  state.Apply(kube::Change(kube::Object(headgate::testing::Class("headgate"))));
  const Options options = TestOptions(GetParam());
  Translator translator(options);
  HeldSnapshot held;
  absl::Time now = absl::Now();
  for (int step = 0; step < kSteps; ++step) {
    for (uint32_t edits = 1 + world.Below(4); edits > 0; --edits) world.Edit(state, now);
    held.Apply(translator.Update(state, state.TakeChanges(), now));
    const Translation full = Translate(state, translator.last_good(), options, now);
    ASSERT_EQ(held.Bytes(), Bytes(full)) << "step " << step;
    ASSERT_EQ(held.Diagnostics(), Lines(full)) << "step " << step;
    ASSERT_FALSE(HasFailure()) << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, IncrementalTest, ::testing::Range(0u, 40u));

}  // namespace
}  // namespace headgate::translate
