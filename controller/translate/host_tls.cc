#include "controller/translate/host_tls.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "common/strings.h"

namespace headgate::translate {
namespace {

using kube::Ingress;
using kube::IngressTls;
using kube::ObjectKey;

bool Names(const IngressTls& entry, std::string_view host) {
  return std::any_of(entry.hosts.begin(), entry.hosts.end(), [&](const std::string& name) {
    return absl::EqualsIgnoreCase(name, ToAbsl(host));
  });
}

HostTls Decided(const Ingress& ingress, size_t entry) {
  HostTls tls;
  tls.configured = true;
  tls.ingress = ingress.meta.key;
  tls.field = TlsField(entry);
  return tls;
}

// An entry that names the host: its Secret if that can serve the host, else a diagnostic.
HostTlsResult Named(std::string_view host, const Ingress& ingress, size_t index,
                    const CertificateLookup& certificate_of) {
  HostTlsResult result{Decided(ingress, index), {}};
  const IngressTls& entry = ingress.tls[index];
  if (entry.secret_name.empty()) return result;
  const auto complain = [&](Reason reason, std::string_view what) {
    result.diagnostics.push_back({kube::Kind::kIngress, ingress.meta.key,
                                  TlsField(index) + ".secretName", reason, Severity::kWarning,
                                  StrCat("Secret \"", entry.secret_name, "\" ", what, "; host \"",
                                         host, "\" is served the default certificate")});
  };
  const ObjectKey secret{ingress.meta.key.ns, entry.secret_name};
  if (!IsNamePart(entry.secret_name)) {
    complain(Reason::kSecretNotFound, "is not a name");
    return result;
  }
  const CertificateState& state = certificate_of(secret);
  switch (state.use) {
    case CertificateState::Use::kMissing: complain(Reason::kSecretNotFound, kSecretMissing); break;
    case CertificateState::Use::kUnreadable:
      complain(Reason::kSecretNotReadable, kSecretUnreadable);
      break;
    case CertificateState::Use::kUnusable:
      complain(Reason::kInvalidCertificate, "holds no usable certificate");
      break;
    case CertificateState::Use::kUsable:
      if (state.certificate->Covers(host)) {
        result.tls.secret = secret;
      } else {
        complain(Reason::kCertificateHostMismatch, "holds a certificate for other hosts");
      }
      break;
  }
  return result;
}

}  // namespace

HostTlsResult ResolveTls(std::string_view host, const HostClaims& claims, bool other_name,
                         const CertificateLookup& certificate_of) {
  if (host == kEveryHost) return {};
  for (const HostClaim& claim : claims) {
    const Ingress& ingress = *claim.ingress->object;
    for (size_t i = 0; i < ingress.tls.size(); ++i) {
      if (Names(ingress.tls[i], host)) return Named(host, ingress, i, certificate_of);
    }
  }
  for (const HostClaim& claim : claims) {
    const Ingress& ingress = *claim.ingress->object;
    for (size_t i = 0; i < ingress.tls.size(); ++i) {
      if (!IsNamePart(ingress.tls[i].secret_name)) continue;
      const ObjectKey secret{ingress.meta.key.ns, ingress.tls[i].secret_name};
      const CertificateState& state = certificate_of(secret);
      if (state.use == CertificateState::Use::kUsable && state.certificate->Covers(host)) {
        HostTlsResult result{Decided(ingress, i), {}};
        result.tls.secret = secret;
        return result;
      }
    }
  }
  if (other_name) return {};
  for (const HostClaim& claim : claims) {
    const Ingress& ingress = *claim.ingress->object;
    if (!ingress.tls.empty()) return {Decided(ingress, 0), {}};
  }
  return {};
}

std::vector<ObjectKey> SecretsOf(const Ingress& ingress) {
  std::vector<ObjectKey> secrets;
  for (const IngressTls& entry : ingress.tls) {
    if (!IsNamePart(entry.secret_name)) continue;
    ObjectKey key{ingress.meta.key.ns, entry.secret_name};
    if (std::find(secrets.begin(), secrets.end(), key) == secrets.end()) {
      secrets.push_back(std::move(key));
    }
  }
  return secrets;
}

}  // namespace headgate::translate
