// Which Ingresses have a say about which host, in order of precedence.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "controller/translate/model.h"

namespace headgate::translate {

// The rules that one Ingress has for one host. Points into the model, which it keeps alive.
struct HostClaim {
  std::shared_ptr<const IngressModel> ingress;
  const std::vector<uint32_t>* rules = nullptr;
};

// All claims on one host; the oldest Ingress first (precedence.h). Never empty in a table.
using HostClaims = std::vector<HostClaim>;

// Inserts at the right place.
void AddClaim(HostClaims& claims, HostClaim claim);
void RemoveClaim(HostClaims& claims, const IngressModel& ingress);

// "*.example.com" for "a.example.com"; empty when no wildcard host can be meant (one label, the
// wildcard host itself, kEveryHost).
std::string WildcardOf(std::string_view host);

}  // namespace headgate::translate
