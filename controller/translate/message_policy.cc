#include "controller/translate/message_policy.h"

#include <cstdint>
#include <vector>

#include "controller/translate/annotations/response_rewrites.h"

namespace headgate::translate {
namespace {

void SetCors(const CorsSettings& settings, v1::Cors& out) {
  for (const std::string& origin : settings.origins) out.add_origins(origin);
  out.set_allow_credentials(settings.allow_credentials);
  out.set_allow_methods(settings.allow_methods);
  out.set_allow_headers(settings.allow_headers);
  out.set_expose_headers(settings.expose_headers);
  out.set_max_age(settings.max_age);
}

void SetTracing(const TracingSettings& settings, v1::RoutePolicy& policy) {
  if (!settings.enabled) return;
  v1::RouteTracing& out = *policy.mutable_tracing();
  out.set_enabled(*settings.enabled);
  if (settings.trust_incoming) out.set_trust_incoming(*settings.trust_incoming);
  if (!settings.operation_name.empty())
    out.mutable_operation_name()->add_parts()->set_literal(settings.operation_name);
}

}  // namespace

void SetMessagePolicy(const HeaderSettings& settings, const IngressDefaults& defaults,
                      std::string_view path, v1::RoutePolicy& policy) {
  if (settings.cors) SetCors(*settings.cors, *policy.mutable_cors());
  if (!settings.upstream_host.empty()) {
    policy.mutable_request_headers()->mutable_host()->ParseFromString(settings.upstream_host);
  }
  if (settings.connection != ConnectionHeader::kUnset) {
    const bool close = settings.connection == ConnectionHeader::kClose;
    policy.mutable_request_headers()->set_connection(close ? v1::RequestHeaders::CLOSE
                                                           : v1::RequestHeaders::KEEP_ALIVE);
  }
  for (const std::string& name : settings.hidden)
    policy.mutable_response_headers()->add_hidden(name);
  SetResponseRewrites(settings.rewrites, defaults.rewrites, path, policy);
  if (!settings.access_log) policy.set_no_access_log(true);
  if (settings.rewrite_log) policy.set_log_rewrites(true);
  SetTracing(settings.tracing, policy);
}

void AddSnippet(const std::string& snippet, v1::RoutePolicy& policy) {
  if (snippet.empty()) return;
  v1::RoutePolicy added;
  added.ParseFromString(snippet);
  if (added.request_headers().has_host()) policy.mutable_request_headers()->clear_host();
  policy.MergeFrom(added);
}

std::optional<BackendRef> ErrorServiceOf(const IngressModel& model) {
  const std::string& service = model.settings.headers.errors.service;
  if (service.empty()) return std::nullopt;
  return BackendRef{{model.key().ns, service}, {}};
}

bool SetErrorBackend(const IngressModel& model, const IngressDefaults& defaults,
                     v1::RoutePolicy& policy) {
  const ErrorSettings& errors = model.settings.headers.errors;
  const BackendProtocol protocol = model.settings.backend_protocol;
  const bool grpc = protocol == BackendProtocol::kGrpc || protocol == BackendProtocol::kGrpcs;
  const std::optional<BackendRef> service = ErrorServiceOf(model);
  const std::vector<uint16_t> statuses =
      grpc ? std::vector<uint16_t>() : errors.statuses.value_or(defaults.error_statuses);
  if (statuses.empty() && !service) return false;
  v1::ErrorBackend& out = *policy.mutable_error_backend();
  if (service) out.set_cluster(ClusterName(*service));
  for (const uint16_t status : statuses) out.add_statuses(status);
  out.set_local_only(errors.local_only || defaults.errors_local_only);
  out.set_serves_empty(service.has_value());
  return service.has_value();
}

std::optional<DnsClusterRef> SetMirror(const IngressModel& model, v1::RoutePolicy& policy) {
  const auto& mirror = model.settings.headers.mirror;
  if (!mirror) return std::nullopt;
  DnsClusterRef cluster{mirror->host, mirror->port, mirror->tls};
  v1::Mirror& out = *policy.mutable_mirror();
  out.set_cluster(ClusterName(cluster));
  out.mutable_target()->ParseFromString(mirror->target);
  out.set_host(mirror->host_header);
  out.set_without_body(mirror->without_body);
  return cluster;
}

}  // namespace headgate::translate
