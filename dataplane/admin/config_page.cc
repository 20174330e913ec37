#include "dataplane/admin/config_page.h"

#include <openssl/x509.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <variant>

#include "absl/time/time.h"
#include "common/certificate_names.h"
#include "common/openssl_ptr.h"
#include "common/regex.h"
#include "dataplane/route/host_table.h"

namespace headgate::admin {
namespace {

using Json = nlohmann::ordered_json;

const char* KindName(route::PathKind kind) {
  switch (kind) {
    case route::PathKind::kExact: return "exact";
    case route::PathKind::kPrefix: return "prefix";
    case route::PathKind::kRegex: return "regex";
  }
  return "";
}

const char* ProtocolName(config::Protocol protocol) {
  switch (protocol) {
    case config::Protocol::kHttp1: return "http1";
    case config::Protocol::kH2c: return "h2c";
    case config::Protocol::kHttps: return "https";
    case config::Protocol::kH2: return "h2";
  }
  return "";
}

Json ActionJson(const config::CompiledRoute& route) {
  if (const auto* forward = std::get_if<config::ForwardAction>(&route.action)) {
    Json clusters = Json::array();
    uint32_t before = 0;
    for (const config::WeightedTarget& target : forward->targets) {
      Json cluster = {{"cluster", std::string(target.cluster.name())}};
      if (forward->targets.size() > 1) cluster["weight"] = target.weight_end - before;
      before = target.weight_end;
      clusters.push_back(std::move(cluster));
    }
    return {{"forward", std::move(clusters)}};
  }
  if (const auto* redirect =
          std::get_if<std::unique_ptr<const config::RedirectAction>>(&route.action)) {
    const config::RedirectAction& action = **redirect;
    return {{"redirect", {{"status", action.status}, {"location", std::string(action.location)}}}};
  }
  if (const auto* files = std::get_if<std::unique_ptr<const config::StaticAction>>(&route.action)) {
    const config::StaticAction& action = **files;
    if (!action.files.empty()) return {{"files", std::string(action.files)}};
    return {{"static_root", std::string(action.root)},
            {"directory", std::string(action.directory)}};
  }
  return {{"reply", {{"status", std::get<config::FixedAction>(route.action).status}}}};
}

Json RouteJson(route::PathKind kind, std::string_view path, const config::CompiledRoute& route) {
  Json json = {{"path", std::string(path)}, {"match", KindName(kind)}};
  json.update(ActionJson(route));
  const bool to_https =
      route.https_redirect == config::HttpsRedirectMode::kAlways ||
      (route.https_redirect != config::HttpsRedirectMode::kOff && route.host_has_tls);
  if (to_https) {
    json["https_redirect"] = route.https_redirect_status;
  }
  if (const config::LimitOverride* limits = route.limits.get()) {
    const auto add_ms = [&](const char* name, const std::optional<config::Duration>& value) {
      if (value) json[name] = value->count();
    };
    add_ms("connect_timeout_ms", limits->connect_timeout);
    add_ms("send_timeout_ms", limits->send_timeout);
    add_ms("read_timeout_ms", limits->read_timeout);
    if (limits->max_request_body_bytes)
      json["max_request_body_bytes"] = *limits->max_request_body_bytes;
  }
  json["ingress"] = std::string(route.origin.ns) + "/" + std::string(route.origin.ingress);
  json["rule"] = std::string(route.origin.path);
  return json;
}

Json HostsJson(const config::CompiledConfig& config) {
  Json hosts = Json::object();
  config.hosts->ForEach([&](const route::HostRoutes& host) {
    Json routes = Json::array();
    host.table().ForEach(
        [&](route::PathKind kind, std::string_view path, const config::CompiledRoute& route) {
          routes.push_back(RouteJson(kind, path, route));
        });
    hosts[std::string(host.host())] = std::move(routes);
  });
  return hosts;
}

std::vector<std::string> NamesOf(const tls::Certificate& certificate) {
  const auto* der = reinterpret_cast<const unsigned char*>(certificate.leaf_der().data());
  const X509Ptr leaf(d2i_X509(nullptr, &der, static_cast<long>(certificate.leaf_der().size())));
  return leaf == nullptr ? std::vector<std::string>() : CertificateNames(leaf.get());
}

Json CertificatesJson(const config::ConfigBuilder& builder) {
  Json certificates = Json::object();
  builder.ForEachCertificate([&](std::string_view host, std::string_view name,
                                 const tls::Certificate* certificate) {
    Json json = Json::object();
    constexpr std::string_view kOfSecret = "cert/";
    const bool of_secret =
        name.starts_with(kOfSecret) && name.find('/', kOfSecret.size()) != std::string_view::npos;
    if (of_secret) json["secret"] = std::string(name.substr(kOfSecret.size()));
    if (certificate == nullptr) {
      json["missing"] = true;
    } else {
      json["names"] = NamesOf(*certificate);
      json["not_after"] = absl::FormatTime(certificate->not_after(), absl::UTCTimeZone());
    }
    certificates[host.empty() ? "(default)" : std::string(host)].push_back(std::move(json));
  });
  return certificates;
}

Json ClustersJson(const config::ConfigBuilder& builder) {
  Json clusters = Json::object();
  for (const auto& [name, cluster] : builder.Clusters()) {
    Json endpoints = Json::array();
    for (const config::CompiledEndpoint& endpoint : cluster->endpoints) {
      Json json = {{"address", endpoint.address.Text()}};
      if (endpoint.weight != 1) json["weight"] = endpoint.weight;
      if (endpoint.draining) json["draining"] = true;
      if (endpoint.backup) json["backup"] = true;
      endpoints.push_back(std::move(json));
    }
    Json& json = clusters[std::string(name)] = {{"protocol", ProtocolName(cluster->protocol)}};
    // Of "health_checks", the one that probes its endpoints.
    if (cluster->health != nullptr && cluster->health->check)
      json["upstream"] = cluster->health->source;
    json["endpoints"] = std::move(endpoints);
  }
  return clusters;
}

Json HealthJson(const std::vector<health::UpstreamStatus>& upstreams) {
  Json all = Json::array();
  for (const health::UpstreamStatus& upstream : upstreams) {
    Json unhealthy = Json::object();
    for (const auto& endpoint : upstream.unhealthy) {
      unhealthy[endpoint.address.Text()] = std::string(endpoint.detail);
    }
    all.push_back({{"upstream", upstream.source},
                   {"check", std::string(upstream.check)},
                   {"endpoints", upstream.endpoints},
                   {"unhealthy", std::move(unhealthy)}});
  }
  return all;
}

Json TcpServicesJson(const config::TcpTable& services) {
  Json json = Json::array();
  for (const auto& [port, service] : services) {
    json.push_back({{"port", port}, {"cluster", std::string(service->cluster.name())}});
  }
  return json;
}

}  // namespace

std::string RenderConfig(const config::ConfigBuilder& builder, std::string_view version,
                         const std::vector<health::UpstreamStatus>& health) {
  if (builder.config() == nullptr) return "{}\n";
  const config::CompiledConfig& config = *builder.config();
  const Json json = {{"version", std::string(version)},
                     {"generation", config.generation},
                     {"hosts", HostsJson(config)},
                     {"clusters", ClustersJson(builder)},
                     {"tcp_services", TcpServicesJson(*config.tcp_services)},
                     {"health_checks", HealthJson(health)},
                     {"certificates", CertificatesJson(builder)}};
  // Names come from Kubernetes and are UTF-8, but nothing here may depend on it.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void CollectConfig(const config::ConfigBuilder& builder, MetricsWriter& out) {
  const config::ResourceCounts counts = builder.counts();
  out.Family("headgate_config_applied", MetricType::kGauge, "Resources in effect, by kind.");
  const auto sample = [&](const char* kind, size_t count) {
    out.Sample({{"kind", kind}}, static_cast<uint64_t>(count));
  };
  sample("virtual_host", counts.virtual_hosts);
  sample("route", counts.routes);
  sample("cluster", counts.clusters);
  sample("endpoints", counts.endpoints);
  sample("certificate", counts.certificates);
  sample("secret", counts.secrets);
  sample("files", counts.file_sets);
  sample("tcp_service", counts.tcp_services);
  out.Family("headgate_regex_searches_given_up_total", MetricType::kCounter,
             "Searches for regular expressions of PCRE2 that took too many steps.");
  out.Sample({}, Regex::given_up());
}

}  // namespace headgate::admin
