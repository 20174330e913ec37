// Which certificate a host gets, and whether it counts as having TLS configured.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/translate/certificates.h"
#include "controller/translate/host_table.h"

namespace headgate::translate {

// Looks up what a Secret amounts to. The Secrets of every claim's TLS section must be known.
using CertificateLookup = std::function<const CertificateState&(const kube::ObjectKey& secret)>;

struct HostTls {
  // Some Ingress of the host has a TLS section (or, for a host under a wildcard host, that one
  // has).
  bool configured = false;
  // The Secret whose certificate is offered; nothing: the default certificate.
  std::optional<kube::ObjectKey> secret;
  // The Ingress and the field that decided. Meaningful when configured.
  kube::ObjectKey ingress;
  std::string field;

  friend bool operator==(const HostTls&, const HostTls&) = default;
};

struct HostTlsResult {
  HostTls tls;
  std::vector<Diagnostic> diagnostics;
};

// Looks at the claims alone, oldest first: an Ingress whose TLS section names the host decides; if
// there is none, one with a certificate that covers the host; if there is none, one with any TLS
// section. A Secret that is missing, unusable or for other hosts leaves the host with the default
// certificate. Rules without host (kEveryHost) always have that one, and never count as configured.
// `other_name`: the claims are those of a host that `host` is another name of. Then a TLS section
// alone is not enough.
HostTlsResult ResolveTls(std::string_view host, const HostClaims& claims, bool other_name,
                         const CertificateLookup& certificate_of);

// The Secrets that the TLS sections of an Ingress name, as far as the names can be used.
std::vector<kube::ObjectKey> SecretsOf(const kube::Ingress& ingress);

}  // namespace headgate::translate
