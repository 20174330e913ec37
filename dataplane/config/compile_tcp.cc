#include "dataplane/config/compile_tcp.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "dataplane/config/compile_values.h"

namespace headgate::config {
namespace {

// What is logged of one connection bounds it (observe::RequestRecord).
constexpr uint32_t kMaxTries = 8;

// "ns/service/port" of "cluster/ns/service/port" and whatever follows.
std::string ServicePort(std::string_view cluster) {
  std::string_view name = AfterPrefix(cluster, "cluster/");
  size_t end = 0;
  for (int parts = 0; parts < 3 && end != std::string_view::npos; ++parts) {
    end = name.find('/', parts == 0 ? 0 : end + 1);
  }
  return std::string(name.substr(0, end));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const TcpService>> CompileTcpService(const v1::TcpService& in,
                                                                    ClusterRegistry& clusters) {
  HEADGATE_RETURN_IF_ERROR(CheckRange("port", in.port(), 1, 65535));
  HEADGATE_RETURN_IF_ERROR(CheckReference("cluster", in.cluster(), "cluster/"));
  auto out = std::make_shared<TcpService>();
  out->port = static_cast<uint16_t>(in.port());
  out->name = ServicePort(in.cluster());
  if (in.has_proxy_protocol()) {
    const v1::ProxyProtocol& proxy = in.proxy_protocol();
    out->load_balancers.required = proxy.required();
    HEADGATE_ASSIGN_OR_RETURN(out->load_balancers.trusted,
                              CompileCidrs("proxy_protocol.trusted_cidrs", proxy.trusted_cidrs()));
    if (proxy.has_timeout()) {
      HEADGATE_ASSIGN_OR_RETURN(
          out->load_balancers.header_timeout,
          CompileDuration("proxy_protocol.timeout", proxy.timeout(), ZeroDuration::kRefused));
    }
  }
  if (in.has_idle_timeout()) {
    HEADGATE_ASSIGN_OR_RETURN(out->idle_timeout, CompileDuration("idle_timeout", in.idle_timeout(),
                                                                 ZeroDuration::kRefused));
  }
  if (in.has_tries()) out->tries = in.tries() == 0 ? kMaxTries : std::min(in.tries(), kMaxTries);
  if (in.has_tries_timeout()) {
    HEADGATE_ASSIGN_OR_RETURN(
        out->tries_timeout,
        CompileDuration("tries_timeout", in.tries_timeout(), ZeroDuration::kAllowed));
  }
  out->access_log = !in.no_access_log();
  out->cluster = clusters.Acquire(in.cluster());
  return out;
}

}  // namespace headgate::config
