// Where clients reach Headgate: what status.loadBalancer of Ingresses says.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/kube/objects.h"

namespace headgate::status {

// IP addresses and host names; sorted, each once.
using AddressList = std::vector<std::string>;

// From what an operator gave (--publish-status-address); empty parts are left out.
AddressList GivenAddresses(std::vector<std::string> given);

// From the Service that leads to data planes (--publish-service):
//   LoadBalancer   .status.loadBalancer.ingress and .spec.externalIPs
//   NodePort       .spec.externalIPs, else the cluster IP
//   ClusterIP      the cluster IP; none for a headless one
//   ExternalName   its name
AddressList AddressesOf(const kube::Service& service);

}  // namespace headgate::status
