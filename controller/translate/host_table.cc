#include "controller/translate/host_table.h"

#include <algorithm>

#include "common/strings.h"
#include "controller/translate/annotations/reader.h"
#include "controller/translate/precedence.h"

namespace headgate::translate {
namespace {

HostClaims& ListOf(HostParties& parties, const IngressModel& ingress, const HostRules& host) {
  if (!host.of.empty()) return parties.other_names;
  return ingress.settings.headers.canary ? parties.canaries : parties.rules;
}

// Whether the aliases of `ingress` are those of the host.
bool HasAliasesFor(const HostParties& of, const IngressModel& ingress) {
  const auto first = std::find_if(of.rules.begin(), of.rules.end(), [](const HostClaim& claim) {
    return !claim.ingress->settings.headers.aliases.empty();
  });
  return first != of.rules.end() && first->ingress.get() == &ingress;
}

}  // namespace

void AddClaim(HostParties& parties, const std::shared_ptr<const IngressModel>& ingress,
              const HostRules& host) {
  HostClaims& claims = ListOf(parties, *ingress, host);
  auto at = std::upper_bound(
      claims.begin(), claims.end(), *ingress->object,
      [](const kube::Ingress& a, const HostClaim& b) { return Precedes(a, *b.ingress->object); });
  claims.insert(at, {ingress, &host.rules, host.of, host.redirect});
}

void RemoveClaim(HostParties& parties, const IngressModel& ingress) {
  for (HostClaims* claims : {&parties.rules, &parties.canaries, &parties.other_names}) {
    std::erase_if(*claims, [&](const HostClaim& claim) { return claim.ingress.get() == &ingress; });
  }
}

std::optional<OtherName> ResolveOtherName(std::string_view host, const HostParties& parties,
                                          const PartiesLookup& parties_of,
                                          std::vector<Diagnostic>& diagnostics) {
  std::optional<OtherName> chosen;
  for (const HostClaim& claim : parties.other_names) {
    const auto complain = [&](std::string message) {
      const std::string_view name = claim.redirect ? "from-to-www-redirect" : "server-alias";
      diagnostics.push_back({kube::Kind::kIngress, claim.ingress->key(),
                             claim.ingress->AnnotationName(name), Reason::kInvalidHost,
                             claim.redirect ? Severity::kInfo : Severity::kWarning,
                             std::move(message)});
    };
    const HostParties* of = parties_of(claim.of);
    if (!parties.rules.empty()) {
      complain(
          StrCat("\"", host, "\" is a host by itself and no other name of \"", claim.of, "\""));
    } else if (of == nullptr || of->rules.empty()) {
      continue;  // a canary's
    } else if (!claim.redirect && !HasAliasesFor(*of, *claim.ingress)) {
      complain(StrCat("the aliases of host \"", claim.of,
                      "\" are those of an Ingress that comes first"));
    } else if (!chosen) {
      chosen = OtherName{std::string(claim.of), claim.redirect};
    } else if (chosen->of != claim.of) {
      complain(StrCat("\"", host, "\" is already another name of \"", chosen->of, "\""));
    }
  }
  return chosen;
}

HostRole RoleOf(std::string_view host, const HostParties& parties, const PartiesLookup& parties_of,
                std::vector<Diagnostic>& diagnostics) {
  HostRole role{nullptr, &parties.canaries,
                ResolveOtherName(host, parties, parties_of, diagnostics)};
  if (role.other_name) {
    const HostParties& of = *parties_of(role.other_name->of);
    role.rules = &of.rules;
    role.canaries = &of.canaries;
  } else if (!parties.rules.empty()) {
    role.rules = &parties.rules;
  }
  return role;
}

std::vector<std::string> OtherNamesOf(std::string_view host, const HostParties& parties) {
  std::vector<std::string> names;
  for (const HostClaim& claim : parties.rules) {
    for (const HostRules& other : claim.ingress->hosts) {
      if (other.of == host) names.push_back(other.host);
    }
  }
  return names;
}

std::string WildcardOf(std::string_view host) {
  const size_t dot = host.find('.');
  if (dot == std::string_view::npos || host.starts_with('*')) return {};
  return StrCat("*", host.substr(dot));
}

}  // namespace headgate::translate
