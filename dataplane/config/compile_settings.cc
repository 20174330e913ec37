#include "dataplane/config/compile_settings.h"

#include <cstdint>
#include <utility>

#include "dataplane/config/compile_access.h"
#include "dataplane/config/compile_access_log.h"
#include "dataplane/config/compile_bodies.h"
#include "dataplane/config/compile_headers.h"
#include "dataplane/config/compile_retries.h"
#include "dataplane/config/compile_tracing.h"
#include "dataplane/config/compile_values.h"

namespace headgate::config {
namespace {

constexpr uint64_t kMinHeadBytes = 1024;
constexpr uint64_t kMaxHeadBytes = 1 << 20;

absl::Status CompileTimeouts(const v1::Timeouts& in, CompiledSettings& out) {
  using Proto = google::protobuf::Duration;
  const struct {
    const char* field;
    bool given;
    const Proto& value;
    ZeroDuration zero;
    Duration& target;
  } rows[] = {
      {"timeouts.client_header", in.has_client_header(), in.client_header(), ZeroDuration::kRefused,
       out.client_header_timeout},
      {"timeouts.client_body", in.has_client_body(), in.client_body(), ZeroDuration::kRefused,
       out.client_body_timeout},
      {"timeouts.client_idle", in.has_client_idle(), in.client_idle(), ZeroDuration::kAllowed,
       out.client_idle_timeout},
      {"timeouts.client_send", in.has_client_send(), in.client_send(), ZeroDuration::kRefused,
       out.client_send_timeout},
      {"timeouts.connect", in.has_connect(), in.connect(), ZeroDuration::kRefused,
       out.connect_timeout},
      {"timeouts.send", in.has_send(), in.send(), ZeroDuration::kRefused, out.send_timeout},
      {"timeouts.read", in.has_read(), in.read(), ZeroDuration::kRefused, out.read_timeout},
      {"timeouts.upstream_idle", in.has_upstream_idle(), in.upstream_idle(), ZeroDuration::kAllowed,
       out.upstream_idle_timeout},
      {"timeouts.tls_handshake", in.has_tls_handshake(), in.tls_handshake(), ZeroDuration::kRefused,
       out.tls_handshake_timeout},
  };
  for (const auto& row : rows) {
    if (!row.given) continue;
    HEADGATE_ASSIGN_OR_RETURN(row.target, CompileDuration(row.field, row.value, row.zero));
  }
  return absl::OkStatus();
}

absl::Status CompileLimits(const v1::Limits& in, CompiledSettings& out) {
  const struct {
    const char* field;
    uint32_t value;
    uint64_t low;
    uint64_t high;
    uint32_t& target;
  } rows[] = {
      {"limits.max_request_head_bytes", in.max_request_head_bytes(), kMinHeadBytes, kMaxHeadBytes,
       out.max_request_head_bytes},
      {"limits.max_request_fields", in.max_request_fields(), 1, 10'000, out.max_request_fields},
      {"limits.max_response_head_bytes", in.max_response_head_bytes(), kMinHeadBytes, kMaxHeadBytes,
       out.max_response_head_bytes},
  };
  for (const auto& row : rows) {
    if (row.value == 0) continue;
    HEADGATE_RETURN_IF_ERROR(CheckRange(row.field, row.value, row.low, row.high));
    row.target = row.value;
  }
  out.pass_underscores = in.pass_underscores();
  if (in.has_max_request_body_bytes()) out.max_request_body_bytes = in.max_request_body_bytes();
  if (in.has_max_requests_per_connection()) {
    out.max_requests_per_connection = in.max_requests_per_connection();
  }
  if (in.has_upstream_idle_connections()) {
    out.upstream_idle_connections = in.upstream_idle_connections();
  }
  if (in.has_max_requests_per_upstream_connection()) {
    out.max_requests_per_upstream_connection = in.max_requests_per_upstream_connection();
  }
  return absl::OkStatus();
}

absl::StatusOr<tls::Version> CompileVersion(const char* field, v1::TlsPolicy::Version in,
                                            tls::Version unspecified) {
  switch (in) {
    case v1::TlsPolicy::VERSION_UNSPECIFIED: return unspecified;
    case v1::TlsPolicy::TLS_1_2: return tls::Version::kTls12;
    case v1::TlsPolicy::TLS_1_3: return tls::Version::kTls13;
    default: return FieldError(field, "unknown version");
  }
}

absl::Status CompileTlsPolicy(const v1::TlsPolicy& in, tls::ServerPolicy& out) {
  HEADGATE_ASSIGN_OR_RETURN(
      out.min_version, CompileVersion("tls.min_version", in.min_version(), tls::Version::kTls12));
  HEADGATE_ASSIGN_OR_RETURN(
      out.max_version, CompileVersion("tls.max_version", in.max_version(), tls::Version::kTls13));
  out.ciphers = in.ciphers();
  out.groups = in.groups();
  out.dh_parameters = in.dh_parameters();
  out.resumption = !in.no_resumption();
  if (in.has_session_timeout()) {
    Duration timeout;
    HEADGATE_ASSIGN_OR_RETURN(timeout, CompileDuration("tls.session_timeout", in.session_timeout(),
                                                       ZeroDuration::kRefused));
    out.session_timeout = std::chrono::ceil<std::chrono::seconds>(timeout);
  }
  out.reject_unknown_names = in.reject_unknown_names();
  const absl::Status valid = tls::Validate(out);
  if (!valid.ok()) return FieldError("tls", ToStd(valid.message()));
  return absl::OkStatus();
}

absl::Status CompileHttp2(const v1::Http2& in, CompiledSettings& out) {
  out.http2_enabled = !in.disabled();
  out.http2_on_plain_connections = in.on_plain_connections();
  if (in.max_concurrent_streams() == 0) return absl::OkStatus();
  HEADGATE_RETURN_IF_ERROR(
      CheckRange("http2.max_concurrent_streams", in.max_concurrent_streams(), 1, 10'000));
  out.http2_max_streams = in.max_concurrent_streams();
  return absl::OkStatus();
}

absl::Status CompileForwardedHeaders(const v1::ForwardedHeaders& in, CompiledSettings& out) {
  out.trust_forwarded_headers = in.trust_incoming();
  out.trust_forwarded_address = in.trust_address();
  out.append_forwarded_for = in.append();
  if (!in.address_field().empty()) {
    HEADGATE_RETURN_IF_ERROR(CheckToken("forwarded_headers.address_field", in.address_field()));
    out.address_field = in.address_field();
  }
  HEADGATE_ASSIGN_OR_RETURN(out.trusted_cidrs,
                            CompileCidrs("forwarded_headers.trusted_cidrs", in.trusted_cidrs()));
  return absl::OkStatus();
}

absl::Status CompileHeaders(const v1::Settings& in, CompiledSettings& out) {
  HEADGATE_RETURN_IF_ERROR(
      CheckPrintable("strict_transport_security", in.strict_transport_security()));
  out.strict_transport_security = in.strict_transport_security();
  HEADGATE_RETURN_IF_ERROR(CheckPrintable("server", in.server()));
  out.server = in.server();
  out.pass_server = in.pass_server();
  out.request_ids = !in.no_request_ids();
  if (!in.has_request_headers() && !in.has_response_headers()) return absl::OkStatus();
  auto headers = std::make_shared<policy::HeaderPolicy>();
  HEADGATE_RETURN_IF_ERROR(
      CompileRequestHeaders("request_headers", in.request_headers(), *headers));
  HEADGATE_RETURN_IF_ERROR(
      CompileResponseHeaders("response_headers", in.response_headers(), *headers));
  out.headers = std::move(headers);
  return absl::OkStatus();
}

absl::Status CompileProxyProtocol(const v1::ProxyProtocol& in, CompiledSettings& out) {
  out.proxy_protocol = in.required();
  HEADGATE_ASSIGN_OR_RETURN(out.proxy_protocol_cidrs,
                            CompileCidrs("proxy_protocol.trusted_cidrs", in.trusted_cidrs()));
  if (in.has_timeout()) {
    HEADGATE_ASSIGN_OR_RETURN(
        out.proxy_protocol_timeout,
        CompileDuration("proxy_protocol.timeout", in.timeout(), ZeroDuration::kRefused));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SettingsSpec> CompileSettings(const v1::Settings& settings) {
  SettingsSpec out;
  HEADGATE_RETURN_IF_ERROR(CompileTimeouts(settings.timeouts(), out.settings));
  HEADGATE_RETURN_IF_ERROR(CompileLimits(settings.limits(), out.settings));
  HEADGATE_RETURN_IF_ERROR(CompileTlsPolicy(settings.tls(), out.settings.tls));
  HEADGATE_RETURN_IF_ERROR(CompileHttp2(settings.http2(), out.settings));
  HEADGATE_RETURN_IF_ERROR(CompileForwardedHeaders(settings.forwarded_headers(), out.settings));
  HEADGATE_RETURN_IF_ERROR(CompileProxyProtocol(settings.proxy_protocol(), out.settings));
  HEADGATE_RETURN_IF_ERROR(CompileAccessSettings(settings, out.settings));
  HEADGATE_RETURN_IF_ERROR(CompileHeaders(settings, out.settings));
  out.settings.relative_redirects = settings.relative_redirects();
  out.settings.port_in_https_redirects = settings.port_in_https_redirects();
  if (!settings.tls().ticket_keys().empty()) {
    HEADGATE_RETURN_IF_ERROR(
        CheckReference("tls.ticket_keys", settings.tls().ticket_keys(), "secret/"));
    out.ticket_keys = settings.tls().ticket_keys();
  }

  if (settings.has_upstream_connection_age()) {
    HEADGATE_ASSIGN_OR_RETURN(
        out.settings.upstream_connection_age,
        CompileDuration("upstream_connection_age", settings.upstream_connection_age(),
                        ZeroDuration::kAllowed));
  }

  RetryOverride retries;
  HEADGATE_ASSIGN_OR_RETURN(retries,
                            CompileNextUpstream("next_upstream", settings.next_upstream()));
  out.settings.retries = retries.Over(out.settings.retries);

  out.settings.buffering = CompileBuffering(settings.buffering()).Over(out.settings.buffering);
  HEADGATE_ASSIGN_OR_RETURN(out.settings.compression, CompileCompression(settings.compression()));

  if (settings.has_tracing()) {
    HEADGATE_ASSIGN_OR_RETURN(out.settings.tracing, CompileTracing("tracing", settings.tracing()));
  }

  HEADGATE_RETURN_IF_ERROR(CompileAccessLog(settings.access_log(), out.settings));
  if (!settings.default_certificate().empty()) {
    HEADGATE_RETURN_IF_ERROR(
        CheckReference("default_certificate", settings.default_certificate(), "cert/"));
    out.default_certificate = settings.default_certificate();
  }
  if (!settings.default_backend_cluster().empty()) {
    HEADGATE_RETURN_IF_ERROR(
        CheckReference("default_backend_cluster", settings.default_backend_cluster(), "cluster/"));
    out.default_backend_cluster = settings.default_backend_cluster();
  }
  return out;
}

}  // namespace headgate::config
