// CAs of client certificates: Secrets that auth-tls-secret names, and what follows for the hosts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "controller/kube/objects.h"
#include "controller/translate/diagnostic.h"
#include "controller/translate/host_table.h"
#include "controller/translate/secret_view.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

// What such a Secret amounts to.
struct ClientCa {
  // SecretData "secret/<ns>/<name>" with ca.crt and ca.crl; null when it cannot be used.
  ResourcePtr resource;
  std::string problem;  // why; empty otherwise

  bool usable() const { return resource != nullptr; }
};

// No earlier form is kept: a CA that was taken away is not trusted any longer.
ClientCa ReadClientCa(const kube::ObjectKey& key, const SecretView& view);

// The Secret that an Ingress refers to; nothing if it refers to none, or to one that it may not
// use.
std::optional<kube::ObjectKey> ClientCaOf(const IngressModel& ingress);

using ClientCaLookup = std::function<const ClientCa&(const kube::ObjectKey& secret)>;

// The oldest Ingress that asks for client certificates decides for the whole host. If what it asks
// for cannot be had the host is closed. Nothing: no Ingress asks.
std::optional<v1::ClientAuth> ResolveClientAuth(const HostClaims& claims,
                                                const ClientCaLookup& ca_of);

// What is wrong with the reference, if anything.
std::vector<Diagnostic> CheckClientCa(const IngressModel& ingress, const ClientCaLookup& ca_of);

}  // namespace headgate::translate
