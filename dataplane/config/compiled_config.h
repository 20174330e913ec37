#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "common/strings.h"
#include "dataplane/balance/hash_ring.h"
#include "dataplane/base/address.h"
#include "dataplane/config/balancing.h"
#include "dataplane/config/body_policy.h"
#include "dataplane/config/cluster_handle.h"
#include "dataplane/config/connection_rules.h"
#include "dataplane/config/retry_policy.h"
#include "dataplane/config/session_cookie.h"
#include "dataplane/config/session_keys.h"
#include "dataplane/config/static_files.h"
#include "dataplane/config/tcp_service.h"
#include "dataplane/config/upstream_health.h"
#include "dataplane/config/upstream_limits.h"
#include "dataplane/net/proxy_protocol.h"
#include "dataplane/route/host_table.h"
#include "dataplane/route/path_rewrite.h"
#include "dataplane/tls/cert_table.h"
#include "dataplane/tls/client_auth.h"
#include "dataplane/tls/client_policy.h"
#include "dataplane/tls/server_policy.h"
#include "dataplane/tls/ticket_keys.h"

namespace headgate::policy {
struct Blocked;
struct HeaderPolicy;
struct TextTemplate;
class UserTable;
}  // namespace headgate::policy

// The immutable in-memory form of a snapshot. Built on the control thread, read by every worker
// without locks, shared structurally between generations: a change of one host makes one new
// CompiledHost. The last reference is dropped on the control thread.
namespace headgate::config {

using Duration = std::chrono::milliseconds;

struct LogRules;     // log_rules.h
struct RouteExtras;  // route_extras.h
struct Tracing;      // tracing.h

struct CompiledSettings {
  // proto/headgate/v1/settings.proto, Timeouts, with defaults filled in.
  Duration client_header_timeout{60'000};
  Duration client_body_timeout{60'000};
  Duration client_idle_timeout{75'000};
  Duration client_send_timeout{60'000};
  Duration connect_timeout{5'000};
  Duration send_timeout{60'000};
  Duration read_timeout{60'000};
  Duration upstream_idle_timeout{60'000};
  Duration tls_handshake_timeout{15'000};

  // Limits.
  uint32_t max_request_head_bytes = 32 * 1024;
  uint32_t max_request_fields = 100;
  bool pass_underscores = false;  // in names of request fields
  uint32_t max_response_head_bytes = 64 * 1024;
  uint64_t max_request_body_bytes = 1024 * 1024;  // 0: no limit
  uint32_t max_requests_per_connection = 0;       // 0: no limit
  uint32_t upstream_idle_connections = 320;
  uint32_t max_requests_per_upstream_connection = 10'000;  // 0: no limit
  Duration upstream_connection_age{3'600'000};             // 0: no limit

  bool access_log_enabled = true;
  bool access_log_json = false;
  bool logs_default_backend = false;          // see AccessLog.default_backend
  std::shared_ptr<const LogRules> log_rules;  // null: all that is logged has a fixed line

  tls::ServerPolicy tls;

  bool http2_enabled = true;  // by TLS handshakes
  bool http2_on_plain_connections = false;
  uint32_t http2_max_streams = 128;

  RetryPolicy retries;

  Buffering buffering;
  Compression compression;

  std::string strict_transport_security;                // empty: none
  std::shared_ptr<const policy::HeaderPolicy> headers;  // null: nothing is changed in any head
  std::string server;                                   // of every response; empty: none
  bool pass_server = false;                             // that of endpoints
  bool request_ids = true;                              // made for requests that come without

  bool relative_redirects = false;
  bool port_in_https_redirects = false;

  uint16_t limit_request_status = 503;
  uint16_t limit_connection_status = 503;
  std::shared_ptr<const policy::TextTemplate> limit_key;  // null: the client's address
  std::shared_ptr<const policy::Blocked> blocked;         // null: nobody is

  bool trust_forwarded_headers = false;
  bool trust_forwarded_address = false;  // of these, the address alone
  bool append_forwarded_for = false;
  std::string address_field = "X-Forwarded-For";
  std::vector<base::Cidr> trusted_cidrs;

  std::shared_ptr<const Tracing> tracing;  // null: no request is traced

  bool proxy_protocol = false;
  std::vector<base::Cidr> proxy_protocol_cidrs;
  Duration proxy_protocol_timeout{5'000};
};

// Text inside a CompiledRoute is a view into memory that belongs to the route's host and lives as
// long as the route: thousands of routes repeat the same few names.

// Where a request is counted and logged.
struct RouteOrigin {
  std::string_view ns;
  std::string_view ingress;
  std::string_view service;
  std::string_view service_port;
  std::string_view path;
};

struct WeightedTarget {
  ClusterHandle cluster;
  ClusterHandle tls_cluster;  // for requests that came over TLS; the same as `cluster` unless the
                              // route says otherwise
  // Running sum of weights up to and including this target.
  uint32_t weight_end = 0;
};

struct ForwardAction {
  // One or more; a single target is always taken.
  absl::InlinedVector<WeightedTarget, 1> targets;

  uint32_t total_weight() const { return targets.empty() ? 0 : targets.back().weight_end; }
};

struct RedirectAction {
  uint16_t status = 302;
  std::string_view
      location;  // absolute URL or path; empty: the request's own URL with the scheme replaced
  std::string_view scheme;
  bool keep_query = false;  // append the request's query to `location`
  std::string_view host;    // not empty: another host, with an empty location
  bool with_port = false;
  bool drop_final_slash = false;
};

struct FixedAction {
  uint16_t status = 200;
  // Both empty: the built-in page of that status.
  std::string_view content_type;
  std::string_view body;
};

// What a route says of time and of sizes; absent: as the settings say.
struct LimitOverride {
  std::optional<Duration> connect_timeout;
  std::optional<Duration> send_timeout;
  std::optional<Duration> read_timeout;
  std::optional<Duration> tunnel_idle_timeout;
  std::optional<uint64_t> max_request_body_bytes;  // 0: no limit
};

struct CompiledAccess;

enum class HttpsRedirectMode : uint8_t { kOff, kIfTlsConfigured, kAlways };

// One route after matching: what to do with the request. There are thousands: what few have is
// apart.
struct CompiledRoute {
  // Pointers are never null.
  std::variant<ForwardAction, std::unique_ptr<const RedirectAction>, FixedAction,
               std::unique_ptr<const StaticAction>>
      action;
  // What differs from the settings. Absent: CompiledSettings say, at the time of the request, so
  // that a change of settings touches no route.
  std::unique_ptr<const LimitOverride> limits;          // null: nothing differs, as on most routes
  std::unique_ptr<const BufferingOverride> buffering;   // null: nothing differs
  std::unique_ptr<const RetryOverride> retries;         // null: nothing differs
  std::unique_ptr<const SessionCookie> session_cookie;  // null: sessions are not kept
  std::unique_ptr<const route::PathRewrite> rewrite;    // null, as on most routes: none
  const CompiledAccess* access =
      nullptr;  // null, as on most routes: every request is let through; belongs to the host
  std::shared_ptr<const RouteExtras> extras;  // null, as on most routes: none
  bool no_compression = false;
  HttpsRedirectMode https_redirect = HttpsRedirectMode::kOff;
  uint16_t https_redirect_status = 308;
  bool https_redirect_keeps_slash = false;
  bool host_has_tls = false;
  uint64_t id = 0;  // no other CompiledRoute of the process has it; never 0 in a configuration
  // The virtual host as configured ("example.com", "*.example.com", "_"), for metrics.
  std::string_view host;
  RouteOrigin origin;
};

// Where TLS connections go that do not end here.
struct PassthroughRule {
  ClusterHandle cluster;
  Duration idle_timeout{600'000};
};
// By virtual host as configured.
using PassthroughTable =
    std::unordered_map<std::string, PassthroughRule, TransparentStringHash, TransparentStringEqual>;

// Who may come in with which password; by name of the SecretData.
using UserTables = std::unordered_map<std::string, std::shared_ptr<const policy::UserTable>,
                                      TransparentStringHash, TransparentStringEqual>;

struct CompiledConfig {
  // Counts up with each configuration made, for display. The snapshot's version is not kept here:
  // many versions change endpoints only, and make no new configuration.
  uint64_t generation = 0;
  std::shared_ptr<const CompiledSettings> settings;         // never null
  std::shared_ptr<const route::HostTable> hosts;            // never null
  std::shared_ptr<const tls::CertTable> certificates;       // never null
  std::shared_ptr<const FileTable> files;                   // never null
  std::shared_ptr<const UserTables> users;                  // never null
  std::shared_ptr<const tls::ClientAuthTable> client_auth;  // never null
  std::shared_ptr<const PassthroughTable> passthrough;      // never null
  std::shared_ptr<const TcpTable> tcp_services;             // never null
  std::shared_ptr<const tls::TicketKeys> ticket_keys;       // null: random ones of the process
  // For requests that match no route. Invalid handle: the built-in 404.
  ClusterHandle default_backend;
};

enum class Protocol : uint8_t { kHttp1, kH2c, kHttps, kH2 };

// An endpoint is identified by its address: what survives swaps (pools, in-flight counts, later
// health) is keyed by it.
struct CompiledEndpoint {
  base::Address address;
  uint32_t weight = 1;
  bool draining = false;  // used only when no other endpoint is left
  bool backup = false;    // used only when no other endpoint is available
  // Of a name with addresses of both families: those that a connection may be made with, most
  // wanted first; one of them is `address`. Null: that alone.
  std::shared_ptr<const std::vector<base::Address>> candidates = nullptr;
};

// Immutable. Copies share the endpoints: of a cluster and of the resource it has them from.
class EndpointList {
 public:
  using value_type = CompiledEndpoint;
  using const_iterator = const CompiledEndpoint*;

  EndpointList() = default;
  explicit EndpointList(std::vector<CompiledEndpoint> endpoints) : size_(endpoints.size()) {
    if (endpoints.empty()) return;
    auto array = std::make_shared<CompiledEndpoint[]>(size_);
    std::move(endpoints.begin(), endpoints.end(), array.get());
    endpoints_ = std::move(array);
  }

  const_iterator begin() const { return endpoints_.get(); }
  const_iterator end() const { return endpoints_.get() + size_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const CompiledEndpoint& operator[](size_t i) const { return endpoints_[i]; }

 private:
  std::shared_ptr<const CompiledEndpoint[]> endpoints_;
  size_t size_ = 0;
};

// What a Cluster resource says for workers; what its endpoints are does not change it.
struct ClusterTraits {
  uint64_t id = 0;  // no other cluster has it that ever had the same slot
  std::string log_name;
  Protocol protocol = Protocol::kHttp1;
  // How endpoints are told who the client is.
  net::ProxyVersion proxy_protocol = net::ProxyVersion::kNone;
  uint32_t retry_budget_percent = 20;
  uint32_t warm_connections = 0;                 // that each worker keeps ready with each endpoint
  std::shared_ptr<const UpstreamHealth> health;  // null: nothing is asked for
  std::shared_ptr<const Balancing> balancing;    // null: round robin, and nothing else
  std::shared_ptr<const ConnectionRules> connections;  // null: as the settings say

  // Name of an Endpoints resource; empty: none.
  std::string_view backup_endpoints() const {
    return health == nullptr ? std::string_view() : health->backup_endpoints;
  }
};

// Everything a worker must know of one cluster. Swapped as a whole, apart from CompiledConfig,
// because endpoints change a thousand times more often than routes.
struct CompiledCluster : ClusterTraits {
  // True while a DNS name has not been resolved for the first time.
  bool pending = false;
  EndpointList endpoints;  // backups last
  // Set for kHttps and kH2; another object whenever anything in it is another.
  std::shared_ptr<const tls::ClientPolicy> tls;
  std::shared_ptr<const ClusterLimits> limits;  // null: none
  // Of the endpoints that are no backups, where balancing needs it.
  std::shared_ptr<const balance::HashRing> ring;
  // Where there is affinity.
  std::shared_ptr<const SessionKeys> session_keys;
};

// For display on the control thread. The name is valid until clusters change.
struct NamedCluster {
  std::string_view name;  // "cluster/ns/service/port"
  std::shared_ptr<const CompiledCluster> cluster;
};

struct ClusterUpdate {
  ClusterSlot slot = 0;
  // Null: the cluster is gone; requests for it get 503.
  std::shared_ptr<const CompiledCluster> cluster;
};

// Endpoints of a group of health checks that have failed their probes, by address.
struct UnhealthyEndpoints {
  std::string group;                     // UpstreamHealth::group
  std::vector<base::Address> addresses;  // in no particular order
};

// What probes say of one cluster now; takes the place of what they said before. Says nothing if the
// cluster is another than the probes were for, as its group tells.
struct HealthVerdict {
  ClusterSlot slot = 0;
  std::shared_ptr<const UnhealthyEndpoints> unhealthy;
};

// What one commit changes; given to every worker as one message, so that it takes effect as a
// whole.
struct ConfigUpdate {
  // Null when only clusters changed.
  std::shared_ptr<const CompiledConfig> config;
  std::vector<ClusterUpdate> clusters;
  ClusterSlot slot_count = 0;
};

}  // namespace headgate::config
