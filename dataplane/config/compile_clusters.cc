#include "dataplane/config/compile_clusters.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "dataplane/config/compile_balancing.h"
#include "dataplane/config/compile_health.h"
#include "dataplane/config/compile_limits.h"
#include "dataplane/config/compile_values.h"

namespace headgate::config {
namespace {

constexpr size_t kMaxServerName = 255;
constexpr uint32_t kMaxVerifyDepth = 100;
constexpr uint32_t kMaxWarmConnections = 100;

constexpr char kTrustKey[] = "ca.crt";
constexpr char kChainKey[] = "tls.crt";
constexpr char kKeyKey[] = "tls.key";

absl::StatusOr<Protocol> CompileProtocol(v1::Cluster::Protocol protocol) {
  switch (protocol) {
    case v1::Cluster::PROTOCOL_UNSPECIFIED:
    case v1::Cluster::HTTP1: return Protocol::kHttp1;
    case v1::Cluster::H2C: return Protocol::kH2c;
    case v1::Cluster::HTTPS: return Protocol::kHttps;
    case v1::Cluster::H2: return Protocol::kH2;
    default: return FieldError("protocol", "unknown protocol");
  }
}

absl::StatusOr<net::ProxyVersion> CompileProxyVersion(v1::Cluster::ProxyProtocol version) {
  switch (version) {
    case v1::Cluster::PROXY_PROTOCOL_UNSPECIFIED: return net::ProxyVersion::kNone;
    case v1::Cluster::PROXY_PROTOCOL_V1: return net::ProxyVersion::kV1;
    case v1::Cluster::PROXY_PROTOCOL_V2: return net::ProxyVersion::kV2;
    default: return FieldError("proxy_protocol", "unknown version");
  }
}

absl::StatusOr<tls::Version> CompileVersion(std::string_view field, v1::TlsPolicy::Version version,
                                            tls::Version unspecified) {
  switch (version) {
    case v1::TlsPolicy::VERSION_UNSPECIFIED: return unspecified;
    case v1::TlsPolicy::TLS_1_2: return tls::Version::kTls12;
    case v1::TlsPolicy::TLS_1_3: return tls::Version::kTls13;
    default: return FieldError(field, "unknown TLS version");
  }
}

absl::Status CompileTls(const v1::UpstreamTls& in, ClusterSpec::Tls& out) {
  tls::ClientPolicy& policy = out.policy;
  policy.server_name = in.server_name();
  policy.verify = in.verify();
  policy.verify_name = in.verify_name();
  policy.ciphers = in.ciphers();
  HEADGATE_RETURN_IF_ERROR(CheckPrintable("tls.server_name", in.server_name()));
  HEADGATE_RETURN_IF_ERROR(
      CheckRange("tls.server_name", in.server_name().size(), 0, kMaxServerName));
  HEADGATE_RETURN_IF_ERROR(CheckPrintable("tls.verify_name", in.verify_name()));
  if (in.verify() && in.verify_name().empty()) return FieldError("tls.verify_name", "is missing");
  if (in.has_verify_depth()) {
    HEADGATE_RETURN_IF_ERROR(CheckRange("tls.verify_depth", in.verify_depth(), 0, kMaxVerifyDepth));
    policy.verify_depth = in.verify_depth();
  }
  HEADGATE_ASSIGN_OR_RETURN(policy.min_version, CompileVersion("tls.min_version", in.min_version(),
                                                               tls::Version::kTls12));
  HEADGATE_ASSIGN_OR_RETURN(policy.max_version, CompileVersion("tls.max_version", in.max_version(),
                                                               tls::Version::kTls13));
  if (const absl::Status status = tls::Validate(policy); !status.ok()) {
    return FieldError("tls", ToStd(status.message()));
  }
  if (!in.secret().empty()) {
    HEADGATE_RETURN_IF_ERROR(CheckReference("tls.secret", in.secret(), "secret/"));
    out.secret = in.secret();
  }
  return absl::OkStatus();
}

bool IsDnsNameChar(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.';
}

bool IsDnsName(std::string_view name) {
  return !name.empty() && name.size() <= 254 && name.front() != '.' &&
         name.find("..") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), IsDnsNameChar);
}

// RFC 6761 section 6.3: these names always mean the host itself.
bool IsLocalName(std::string_view name) {
  constexpr std::string_view kLocalhost = "localhost";
  if (name.back() == '.') name.remove_suffix(1);
  if (name.size() < kLocalhost.size()) return false;
  if (name.substr(name.size() - kLocalhost.size()) != kLocalhost) return false;
  return name.size() == kLocalhost.size() || name[name.size() - kLocalhost.size() - 1] == '.';
}

absl::Status CompileDns(const v1::DnsName& dns, bool allow_local, ClusterSpec& out) {
  HEADGATE_RETURN_IF_ERROR(CheckRange("dns.port", dns.port(), 1, 65535));
  const auto port = static_cast<uint16_t>(dns.port());
  if (const auto literal = base::Address::ParseIp(dns.host(), port)) {
    if (IsLocalAddress(*literal) && !allow_local) {
      return FieldError("dns.host", "is a loopback or link-local address");
    }
    out.source = *literal;
    return absl::OkStatus();
  }
  if (!IsDnsName(dns.host())) return FieldError("dns.host", "is not a DNS name");
  std::string name = absl::AsciiStrToLower(dns.host());
  if (IsLocalName(name) && !allow_local) return FieldError("dns.host", "means this host itself");
  out.source = ClusterSpec::DnsName{std::move(name), port};
  return absl::OkStatus();
}

absl::Status CompileHealth(const v1::Cluster& in, ClusterSpec& out) {
  UpstreamHealth health;
  if (in.has_health_check()) {
    HEADGATE_ASSIGN_OR_RETURN(health.check, CompileHealthCheck(in.health_check()));
  }
  if (in.has_outliers()) {
    HEADGATE_ASSIGN_OR_RETURN(health.outliers, CompileOutliers(in.outliers()));
  }
  if (in.has_slow_start()) {
    HEADGATE_ASSIGN_OR_RETURN(
        health.slow_start, CompileDuration("slow_start", in.slow_start(), ZeroDuration::kAllowed));
  }
  if (!in.backup_endpoints().empty()) {
    HEADGATE_RETURN_IF_ERROR(
        CheckReference("backup_endpoints", in.backup_endpoints(), "endpoints/"));
    if (in.discovery_case() != v1::Cluster::kEndpoints) {
      return FieldError("backup_endpoints", "is given without endpoints");
    }
    health.backup_endpoints = in.backup_endpoints();
  }
  const bool any = health.check || health.outliers.enabled() || health.slow_start.count() > 0 ||
                   !health.backup_endpoints.empty();
  if (any) out.health = std::make_shared<UpstreamHealth>(std::move(health));
  return absl::OkStatus();
}

absl::Status CompileConnections(const v1::Cluster& in, ClusterSpec& out) {
  ConnectionRules rules;
  rules.http_1_0 = in.http_1_0();
  if (rules.http_1_0 && (out.protocol == Protocol::kH2c || out.protocol == Protocol::kH2)) {
    return FieldError("http_1_0", "is given with HTTP/2");
  }
  if (in.has_idle_timeout()) {
    HEADGATE_ASSIGN_OR_RETURN(rules.idle_timeout, CompileDuration("idle_timeout", in.idle_timeout(),
                                                                  ZeroDuration::kAllowed));
  }
  rules.max_requests = in.max_requests_per_connection();
  rules.idle_connections = in.idle_connections();
  if (rules != ConnectionRules()) out.connections = std::make_shared<const ConnectionRules>(rules);
  return absl::OkStatus();
}

absl::StatusOr<CompiledEndpoint> CompileEndpoint(const std::string& field, const v1::Endpoint& in) {
  CompiledEndpoint out;
  HEADGATE_RETURN_IF_ERROR(CheckRange(StrCat(field, ".port"), in.port(), 1, 65535));
  const auto address = base::Address::FromBytes(in.address(), static_cast<uint16_t>(in.port()));
  if (!address) return FieldError(StrCat(field, ".address"), "is not 4 or 16 bytes long");
  out.address = *address;
  out.weight = std::max<uint32_t>(in.weight(), 1);
  switch (in.state()) {
    case v1::Endpoint::STATE_UNSPECIFIED:
    case v1::Endpoint::READY: break;
    case v1::Endpoint::DRAINING: out.draining = true; break;
    default: return FieldError(StrCat(field, ".state"), "unknown state");
  }
  return out;
}

}  // namespace

bool IsLocalAddress(const base::Address& address) {
  const std::string_view bytes = address.bytes();
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  if (address.is_v4()) {
    return byte(0) == 0 || byte(0) == 127 || (byte(0) == 169 && byte(1) == 254) || byte(0) >= 224;
  }
  const bool all_zero_but_last =
      std::all_of(bytes.begin(), bytes.end() - 1, [](char c) { return c == 0; });
  if (all_zero_but_last && byte(15) <= 1) return true;                      // :: and ::1
  return byte(0) == 0xff || (byte(0) == 0xfe && (byte(1) & 0xc0) == 0x80);  // multicast, fe80::/10
}

absl::StatusOr<ClusterSpec> CompileCluster(const v1::Cluster& cluster, bool allow_local) {
  ClusterSpec out;
  HEADGATE_ASSIGN_OR_RETURN(out.protocol, CompileProtocol(cluster.protocol()));
  if (out.protocol == Protocol::kHttps || out.protocol == Protocol::kH2) {
    auto tls = std::make_unique<ClusterSpec::Tls>();
    HEADGATE_RETURN_IF_ERROR(CompileTls(cluster.tls(), *tls));
    out.tls = std::move(tls);
  }
  HEADGATE_ASSIGN_OR_RETURN(out.proxy_protocol, CompileProxyVersion(cluster.proxy_protocol()));
  out.log_name = cluster.log_name();
  HEADGATE_RETURN_IF_ERROR(CheckPrintable("log_name", out.log_name));
  Balancing balancing;
  HEADGATE_ASSIGN_OR_RETURN(balancing, CompileBalancing(cluster.balancing()));
  if (balancing != Balancing())
    out.balancing = std::make_shared<const Balancing>(std::move(balancing));
  if (cluster.has_retry_budget()) {
    HEADGATE_RETURN_IF_ERROR(
        CheckRange("retry_budget.percent", cluster.retry_budget().percent(), 0, 100));
    out.retry_budget_percent = cluster.retry_budget().percent();
  }
  if (cluster.has_limits()) {
    UpstreamLimits limits;
    HEADGATE_ASSIGN_OR_RETURN(limits, CompileLimits(cluster.limits()));
    if (limits.enabled()) out.limits = std::make_shared<const UpstreamLimits>(limits);
  }
  HEADGATE_RETURN_IF_ERROR(
      CheckRange("warm_connections", cluster.warm_connections(), 0, kMaxWarmConnections));
  out.warm_connections = cluster.warm_connections();
  HEADGATE_RETURN_IF_ERROR(CompileConnections(cluster, out));
  switch (cluster.discovery_case()) {
    case v1::Cluster::kEndpoints:
      HEADGATE_RETURN_IF_ERROR(CheckReference("endpoints", cluster.endpoints(), "endpoints/"));
      out.source = ClusterSpec::EndpointsName{cluster.endpoints()};
      break;
    case v1::Cluster::kDns:
      HEADGATE_RETURN_IF_ERROR(CompileDns(cluster.dns(), allow_local, out));
      break;
    case v1::Cluster::DISCOVERY_NOT_SET:
      return FieldError("discovery", "neither endpoints nor dns is given");
  }
  HEADGATE_RETURN_IF_ERROR(CompileHealth(cluster, out));
  return out;
}

absl::StatusOr<TlsSecret> CompileTlsSecret(const v1::SecretData& secret,
                                           tls::CertificateParser& parser) {
  const auto find = [&](std::string_view key) -> const std::string* {
    for (const v1::SecretEntry& entry : secret.data()) {
      if (entry.key() == key) return &entry.value();
    }
    return nullptr;
  };
  TlsSecret out;
  if (const std::string* trust = find(kTrustKey)) {
    auto store = tls::TrustStore::FromPem(*trust);
    if (!store.ok()) return FieldError("data[ca.crt]", ToStd(store.status().message()));
    out.trust = *std::move(store);
  }
  const std::string* chain = find(kChainKey);
  const std::string* key = find(kKeyKey);
  if (chain != nullptr && key != nullptr) {
    HEADGATE_ASSIGN_OR_RETURN(out.certificate, parser.Parse(*chain, *key));
  }
  return out;
}

absl::StatusOr<std::vector<CompiledEndpoint>> CompileEndpoints(const v1::Endpoints& endpoints) {
  std::vector<CompiledEndpoint> out;
  out.reserve(static_cast<size_t>(endpoints.endpoints_size()));
  absl::flat_hash_map<base::Address, size_t> seen;
  for (int i = 0; i < endpoints.endpoints_size(); ++i) {
    CompiledEndpoint endpoint;
    HEADGATE_ASSIGN_OR_RETURN(
        endpoint, CompileEndpoint(StrCat("endpoints[", i, "]"), endpoints.endpoints(i)));
    const auto [known, is_new] = seen.emplace(endpoint.address, out.size());
    if (is_new) {
      out.push_back(endpoint);
    } else {
      CompiledEndpoint& first = out[known->second];
      first.draining = first.draining && endpoint.draining;
    }
  }
  out.shrink_to_fit();
  return out;
}

}  // namespace headgate::config
