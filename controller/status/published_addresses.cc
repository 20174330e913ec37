#include "controller/status/published_addresses.h"

#include <algorithm>
#include <utility>

namespace headgate::status {
namespace {

AddressList ClusterAddress(const kube::Service& service) {
  if (service.cluster_ip.empty() || service.cluster_ip == "None") return {};
  return {service.cluster_ip};
}

}  // namespace

AddressList GivenAddresses(std::vector<std::string> given) {
  std::erase(given, "");
  std::sort(given.begin(), given.end());
  given.erase(std::unique(given.begin(), given.end()), given.end());
  return given;
}

AddressList AddressesOf(const kube::Service& service) {
  switch (service.type) {
    case kube::ServiceType::kLoadBalancer: {
      std::vector<std::string> all = service.external_ips;
      all.insert(all.end(), service.load_balancer.begin(), service.load_balancer.end());
      return GivenAddresses(std::move(all));
    }
    case kube::ServiceType::kNodePort:
      return service.external_ips.empty() ? ClusterAddress(service)
                                          : GivenAddresses(service.external_ips);
    case kube::ServiceType::kClusterIp: return ClusterAddress(service);
    case kube::ServiceType::kExternalName: break;
  }
  return GivenAddresses({service.external_name});
}

}  // namespace headgate::status
