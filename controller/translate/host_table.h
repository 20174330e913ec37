// Which Ingresses have a say about which host, in order of precedence.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/translate/diagnostic.h"
#include "controller/translate/model.h"

namespace headgate::translate {

// What one Ingress has to say about one host. Points into the model, which it keeps alive.
struct HostClaim {
  std::shared_ptr<const IngressModel> ingress;
  const std::vector<uint32_t>* rules = nullptr;
  std::string_view of;    // for another name: the host that it is one of
  bool redirect = false;  // ... and is sent to
};

// The oldest Ingress first (precedence.h).
using HostClaims = std::vector<HostClaim>;

// Everybody who names a host.
struct HostParties {
  HostClaims rules;        // Ingresses with rules for it: it exists while there is one
  HostClaims canaries;     // Ingresses that want a share of what these serve
  HostClaims other_names;  // Ingresses for which it is another name of a host of theirs

  bool empty() const { return rules.empty() && canaries.empty() && other_names.empty(); }
};

// What an Ingress says about one of its hosts, put where it belongs.
void AddClaim(HostParties& parties, const std::shared_ptr<const IngressModel>& ingress,
              const HostRules& host);
void RemoveClaim(HostParties& parties, const IngressModel& ingress);

// The host that a host without rules of its own is another name of.
struct OtherName {
  std::string of;
  bool redirect = false;  // requests are sent there; else they are served as its own
};

// Null for a host that nobody names.
using PartiesLookup = std::function<const HostParties*(std::string_view host)>;

// The first claim to the name that counts: a host with rules is no other name, and of the aliases
// of one host those of the first Ingress count that has any. The others get a diagnostic.
std::optional<OtherName> ResolveOtherName(std::string_view host, const HostParties& parties,
                                          const PartiesLookup& parties_of,
                                          std::vector<Diagnostic>& diagnostics);

// What a host is made of.
struct HostRole {
  const HostClaims* rules =
      nullptr;  // its own, or those of the host that it is another name of; null: it does not exist
  const HostClaims* canaries = nullptr;
  std::optional<OtherName> other_name;
};
// Points into what the lookup gives.
HostRole RoleOf(std::string_view host, const HostParties& parties, const PartiesLookup& parties_of,
                std::vector<Diagnostic>& diagnostics);

// The hosts whose translation depends on the rules of `host`: its other names.
std::vector<std::string> OtherNamesOf(std::string_view host, const HostParties& parties);

// "*.example.com" for "a.example.com"; empty when no wildcard host can be meant (one label, the
// wildcard host itself, kEveryHost).
std::string WildcardOf(std::string_view host);

}  // namespace headgate::translate
