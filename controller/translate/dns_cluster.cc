#include "controller/translate/dns_cluster.h"

#include "absl/strings/str_cat.h"
#include "common/hash.h"
#include "common/strings.h"
#include "controller/translate/addresses.h"
#include "controller/translate/emit.h"

namespace headgate::translate {
namespace {

bool IsAllowed(const std::string& host, const Options& options) {
  if (options.allow_loopback_endpoints) return true;
  if (const auto address = ParseIpAddress(host))
    return !IsLoopback(*address) && !IsLinkLocal(*address);
  return !IsLocalhostName(host);
}

}  // namespace

std::string ClusterName(const DnsClusterRef& ref) {
  std::string name = StrCat("cluster/~/", ref.tls ? "https" : "http", "/", ref.host, "/", ref.port);
  if (ref.connections == ConnectionSettings()) return name;
  v1::Cluster settings;
  SetConnections(ref.connections, settings);
  StrAppend(&name, "/with-",
            absl::StrCat(absl::Hex(ContentHash(settings.SerializeAsString()), absl::kZeroPad16)));
  return name;
}

ResourcePtr TranslateDnsCluster(const DnsClusterRef& ref, const Options& options) {
  if (!IsAllowed(ref.host, options)) return nullptr;
  v1::Resource resource;
  v1::Cluster& cluster = *resource.mutable_cluster();
  cluster.set_protocol(ref.tls ? v1::Cluster::HTTPS : v1::Cluster::HTTP1);
  if (ref.tls && !ParseIpAddress(ref.host)) cluster.mutable_tls()->set_server_name(ref.host);
  cluster.mutable_dns()->set_host(ref.host);
  cluster.mutable_dns()->set_port(ref.port);
  cluster.set_log_name(StrCat(ref.host, ":", ref.port));
  SetConnections(ref.connections, cluster);
  return Finish(ClusterName(ref), std::move(resource));
}

}  // namespace headgate::translate
