#include "controller/translate/access_policy.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/strings.h"
#include "controller/translate/user_secret.h"

namespace headgate::translate {
namespace {

constexpr uint64_t kKib = 1024;

// Every Ingress has counters of its own, for all its paths and hosts.
void SetLimits(const IngressModel& ingress, v1::RateLimits& out) {
  const RateLimitSettings& limits = ingress.settings.access.limits;
  out.set_zone(ingress.key().ToString());
  out.set_requests_per_second(limits.per_second);
  out.set_second_burst(limits.per_second * limits.burst_multiplier);
  out.set_requests_per_minute(limits.per_minute);
  out.set_minute_burst(limits.per_minute * limits.burst_multiplier);
  out.set_connections(limits.connections);
  out.set_shared(limits.shared);
  for (const std::string& cidr : limits.exempt) out.add_exempt_cidrs(cidr);
}

void SetPassword(const IngressModel& ingress, v1::PasswordAuth& out) {
  const bool digest = ingress.settings.access.password->digest;
  out.set_scheme(digest ? v1::PasswordAuth::DIGEST : v1::PasswordAuth::BASIC);
  out.set_secret(UserSecretName(*UserSecretOf(ingress)));
  out.set_realm(ingress.settings.access.password->realm);
}

// Null: nobody is asked.
const ExternalAuthSettings* ExternalOf(const IngressModel& ingress,
                                       const IngressDefaults& defaults) {
  const AccessSettings& access = ingress.settings.access;
  if (access.external) return &*access.external;
  return defaults.external.auth && !access.no_global_auth ? &*defaults.external.auth : nullptr;
}

// NAME.NS.svc or NAME.NS.svc.cluster.local: a Service.
std::optional<kube::ObjectKey> ServiceOf(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::vector<std::string> labels =
      absl::StrSplit(absl::string_view(host.data(), host.size()), '.');
  const bool within =
      labels.size() == 3 || (labels.size() == 5 && labels[3] == "cluster" && labels[4] == "local");
  if (!within || labels[2] != "svc" || !IsNamePart(labels[0]) || !IsNamePart(labels[1]))
    return std::nullopt;
  return kube::ObjectKey{labels[1], labels[0]};
}

AuthCluster ClusterOf(const ExternalAuthSettings& external, const std::string& host) {
  const std::optional<kube::ObjectKey> service = ServiceOf(host);
  if (!service) return DnsClusterRef{host, external.port, external.tls, external.connections};
  ClusterRef ref{{*service, {"", external.port}}, {}};
  ref.policy.upstream.connections = external.connections;
  ref.policy.protocol = external.tls ? BackendProtocol::kHttps : BackendProtocol::kHttp;
  if (external.tls) {
    ref.policy.tls.name = host;
    ref.policy.tls.send_name = true;
  }
  return ref;
}

AuthCluster SetExternal(const ExternalAuthSettings& external, const std::string& host,
                        v1::ExternalAuth& out) {
  AuthCluster cluster = ClusterOf(external, host);
  if (const auto* service = std::get_if<ClusterRef>(&cluster))
    out.set_cluster(ClusterName(*service));
  if (const auto* dns = std::get_if<DnsClusterRef>(&cluster)) out.set_cluster(ClusterName(*dns));
  out.set_host(host);
  out.mutable_target()->ParseFromString(external.target);
  out.set_method(external.method);
  if (external.signin) out.mutable_signin()->ParseFromString(*external.signin);
  out.set_signin_parameter(external.signin_parameter);
  for (const std::string& name : external.response_headers) out.add_response_fields(name);
  if (!external.request_redirect.empty()) {
    out.mutable_request_redirect()->add_parts()->set_literal(external.request_redirect);
  }
  out.set_always_set_cookie(external.always_set_cookie);
  out.set_own_request_id(external.own_request_id);
  if (external.cache_key.empty()) return cluster;
  out.mutable_cache_key()->ParseFromString(external.cache_key);
  for (const CachedStatuses& cached : external.cached) {
    v1::CachedStatus& added = *out.add_cached();
    for (const uint32_t status : cached.statuses) added.add_statuses(status);
    added.mutable_duration()->set_seconds(cached.milliseconds / 1000);
    added.mutable_duration()->set_nanos(
        static_cast<int32_t>(cached.milliseconds % 1000 * 1'000'000));
  }
  return cluster;
}

}  // namespace

Denial DenialOf(const IngressModel& ingress, const IngressDefaults& defaults,
                std::string_view host) {
  const AccessSettings& access = ingress.settings.access;
  if (ingress.settings.denied || RefersToForbiddenSecret(ingress, defaults))
    return Denial::kByAnnotation;
  const bool global = !access.external && !access.no_global_auth;
  if ((defaults.allowed.unusable && !access.allowed) ||
      (defaults.denied.unusable && !access.denied) || (defaults.external.unusable && global)) {
    return Denial::kByOption;
  }
  const ExternalAuthSettings* external = ExternalOf(ingress, defaults);
  const bool many = host == kEveryHost || host.starts_with('*');
  return external != nullptr && external->own_host && many ? Denial::kNoOwnHost : Denial::kNone;
}

AuthCluster SetAccess(const IngressModel& ingress, const IngressDefaults& defaults,
                      std::string_view host, std::string_view path, v1::RoutePolicy& policy) {
  const AccessSettings& access = ingress.settings.access;
  v1::AccessPolicy out;
  AuthCluster cluster;
  for (const std::string& cidr : access.allowed.value_or(defaults.allowed.list))
    out.add_allowed_cidrs(cidr);
  for (const std::string& cidr : access.denied.value_or(defaults.denied.list))
    out.add_denied_cidrs(cidr);
  const bool no_auth =
      std::any_of(defaults.no_auth.begin(), defaults.no_auth.end(),
                  [&](const std::string& prefix) { return path.starts_with(prefix); });
  if (access.password && !no_auth) SetPassword(ingress, *out.mutable_password());
  const ExternalAuthSettings* external = ExternalOf(ingress, defaults);
  if (external != nullptr && !no_auth) {
    cluster = SetExternal(*external, external->own_host ? std::string(host) : external->host,
                          *out.mutable_external());
  }
  if (const uint64_t rate = access.limits.rate.value_or(defaults.limit_rate); rate != 0) {
    policy.mutable_response_rate()->set_bytes_per_second(rate * kKib);
    policy.mutable_response_rate()->set_after_bytes(
        access.limits.rate_after.value_or(defaults.limit_rate_after) * kKib);
  }
  if (access.limits.any()) SetLimits(ingress, *out.mutable_limits());
  if (out.ByteSizeLong() == 0) return cluster;
  out.set_satisfy_any(access.satisfy_any);
  *policy.mutable_access() = std::move(out);
  return cluster;
}

}  // namespace headgate::translate
