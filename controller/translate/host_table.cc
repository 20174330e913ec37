#include "controller/translate/host_table.h"

#include <algorithm>

#include "common/strings.h"
#include "controller/translate/precedence.h"

namespace headgate::translate {

void AddClaim(HostClaims& claims, HostClaim claim) {
  auto at = std::upper_bound(claims.begin(), claims.end(), claim,
                             [](const HostClaim& a, const HostClaim& b) {
                               return Precedes(*a.ingress->object, *b.ingress->object);
                             });
  claims.insert(at, std::move(claim));
}

void RemoveClaim(HostClaims& claims, const IngressModel& ingress) {
  auto at = std::find_if(claims.begin(), claims.end(),
                         [&](const HostClaim& claim) { return claim.ingress.get() == &ingress; });
  if (at != claims.end()) claims.erase(at);
}

std::string WildcardOf(std::string_view host) {
  const size_t dot = host.find('.');
  if (dot == std::string_view::npos || host.starts_with('*')) return {};
  return StrCat("*", host.substr(dot));
}

}  // namespace headgate::translate
