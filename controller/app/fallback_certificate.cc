#include "controller/app/fallback_certificate.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <utility>

#include "controller/app/x509_issuer.h"

namespace headgate::app {
namespace {

constexpr absl::Duration kLifetime = absl::Hours(365 * 24);
constexpr absl::Duration kSlack = absl::Hours(24);  // for clients whose clock is late

}  // namespace

absl::StatusOr<translate::CertificatePem> MakeFallbackCertificate(absl::Time now) {
  const CertificateSpec spec = {
      .subject = {{"O", "Acme Co"}, {"CN", "Kubernetes Ingress Controller Fake Certificate"}},
      .extensions = {{"subjectAltName", "DNS:ingress.local"},
                     {"basicConstraints", "critical,CA:FALSE"},
                     {"keyUsage", "critical,digitalSignature,keyEncipherment"},
                     {"extendedKeyUsage", "serverAuth"}},
      .not_before = now - kSlack,
      .not_after = now - kSlack + kLifetime};
  const absl::StatusOr<KeyedCertificate> made = Issue(spec, KeyPtr(EVP_RSA_gen(2048)));
  if (!made.ok()) return made.status();
  return translate::CertificatePem{CertificateToPem(made->certificate.get()),
                                   KeyToPem(made->key.get())};
}

}  // namespace headgate::app
