#include "dataplane/observe/counters.h"

namespace headgate::observe {

std::string_view CounterName(CounterId id) {
  switch (id) {
    case CounterId::kDownstreamConnections: return "downstream_connections_total";
    case CounterId::kDownstreamConnectionsActive: return "downstream_connections_active";
    case CounterId::kDownstreamConnectionsRefused: return "downstream_connections_refused_total";
    case CounterId::kDownstreamAcceptFailures: return "downstream_accept_failures_total";
    case CounterId::kDownstreamRequests: return "downstream_requests_total";
    case CounterId::kDownstreamRequestsActive: return "downstream_requests_active";
    case CounterId::kDownstreamBadRequests: return "downstream_bad_requests_total";
    case CounterId::kDownstreamTimeouts: return "downstream_timeouts_total";
    case CounterId::kDownstreamResets: return "downstream_resets_total";
    case CounterId::kDownstreamBytesRead: return "downstream_read_bytes_total";
    case CounterId::kDownstreamBytesWritten: return "downstream_written_bytes_total";
    case CounterId::kDownstreamBytesPiped: return "downstream_piped_bytes_total";
    case CounterId::kDownstreamProxyHeaderFailures:
      return "downstream_proxy_protocol_failures_total";
    case CounterId::kDownstreamTlsFailures: return "downstream_tls_failures_total";
    case CounterId::kDownstreamTlsHandshakes: return "downstream_tls_handshakes_total";
    case CounterId::kDownstreamTlsResumptions: return "downstream_tls_resumptions_total";
    case CounterId::kDownstreamMisdirected: return "downstream_misdirected_requests_total";
    case CounterId::kDownstreamClientCertificatesRefused:
      return "downstream_client_certificates_refused_total";
    case CounterId::kHttp2Connections: return "downstream_http2_connections_total";
    case CounterId::kHttp2Streams: return "downstream_http2_streams_total";
    case CounterId::kHttp2StreamResets: return "downstream_http2_stream_resets_total";
    case CounterId::kHttp2StalledStreams: return "downstream_http2_stalled_streams_total";
    case CounterId::kHttp2RefusedRequests: return "downstream_http2_refused_requests_total";
    case CounterId::kHttp2AbuseResets: return "downstream_http2_abuse_resets_total";
    case CounterId::kHttp2AbuseHeaders: return "downstream_http2_abuse_headers_total";
    case CounterId::kHttp2AbuseSettings: return "downstream_http2_abuse_settings_total";
    case CounterId::kHttp2AbusePings: return "downstream_http2_abuse_pings_total";
    case CounterId::kHttp2AbuseWindowUpdates: return "downstream_http2_abuse_window_updates_total";
    case CounterId::kHttp2AbusePriorities: return "downstream_http2_abuse_priorities_total";
    case CounterId::kHttp2AbuseEmptyData: return "downstream_http2_abuse_empty_data_total";
    case CounterId::kHttp2AbuseUnknownFrames: return "downstream_http2_abuse_unknown_frames_total";
    case CounterId::kUpstreamConnections: return "upstream_connections_total";
    case CounterId::kUpstreamConnectionsActive: return "upstream_connections_active";
    case CounterId::kUpstreamConnectFailures: return "upstream_connect_failures_total";
    case CounterId::kUpstreamConnectTimeouts: return "upstream_connect_timeouts_total";
    case CounterId::kUpstreamTlsFailures: return "upstream_tls_failures_total";
    case CounterId::kUpstreamTlsResumptions: return "upstream_tls_resumptions_total";
    case CounterId::kUpstreamRequests: return "upstream_requests_total";
    case CounterId::kUpstreamReuses: return "upstream_reuses_total";
    case CounterId::kUpstreamHttp2Connections: return "upstream_http2_connections_total";
    case CounterId::kUpstreamHttp2Streams: return "upstream_http2_streams_total";
    case CounterId::kUpstreamHttp2StreamsRefused: return "upstream_http2_streams_refused_total";
    case CounterId::kUpstreamRetries: return "upstream_retries_total";
    case CounterId::kUpstreamRetriesOverBudget: return "upstream_retries_over_budget_total";
    case CounterId::kUpstreamTimeouts: return "upstream_timeouts_total";
    case CounterId::kUpstreamResets: return "upstream_resets_total";
    case CounterId::kUpstreamProtocolErrors: return "upstream_protocol_errors_total";
    case CounterId::kUpstreamEjections: return "upstream_ejections_total";
    case CounterId::kUpstreamEjected: return "upstream_ejected";
    case CounterId::kUpstreamBytesRead: return "upstream_read_bytes_total";
    case CounterId::kUpstreamBytesWritten: return "upstream_written_bytes_total";
    case CounterId::kUpstreamBytesPiped: return "upstream_piped_bytes_total";
    case CounterId::kTunnels: return "tunnels_total";
    case CounterId::kTunnelsActive: return "tunnels_active";
    case CounterId::kTunnelBytesFromClients: return "tunnel_bytes_from_clients_total";
    case CounterId::kTunnelBytesToClients: return "tunnel_bytes_to_clients_total";
    case CounterId::kTunnelTimeouts: return "tunnel_timeouts_total";
    case CounterId::kPassthroughConnections: return "passthrough_connections_total";
    case CounterId::kPassthroughConnectionsActive: return "passthrough_connections_active";
    case CounterId::kPassthroughBytesFromClients: return "passthrough_bytes_from_clients_total";
    case CounterId::kPassthroughBytesToClients: return "passthrough_bytes_to_clients_total";
    case CounterId::kPassthroughFailures: return "passthrough_failures_total";
    case CounterId::kPassthroughTimeouts: return "passthrough_timeouts_total";
    case CounterId::kAccessLogDropped: return "access_log_dropped_lines_total";
    case CounterId::kCount: break;
  }
  return "";
}

bool IsLevel(CounterId id) {
  return id == CounterId::kDownstreamConnectionsActive ||
         id == CounterId::kDownstreamRequestsActive ||
         id == CounterId::kUpstreamConnectionsActive || id == CounterId::kUpstreamEjected ||
         id == CounterId::kTunnelsActive || id == CounterId::kPassthroughConnectionsActive;
}

}  // namespace headgate::observe
