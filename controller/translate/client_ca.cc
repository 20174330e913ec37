#include "controller/translate/client_ca.h"

#include <utility>

#include "common/strings.h"
#include "controller/translate/emit.h"
#include "controller/translate/names.h"
#include "controller/translate/pem.h"

namespace headgate::translate {
namespace {

constexpr std::string_view kAnnotation = "nginx.ingress.kubernetes.io/auth-tls-secret";
constexpr size_t kMaxPem = 1024 * 1024;

v1::ClientAuth::Mode ModeOf(ClientVerification verification) {
  switch (verification) {
    case ClientVerification::kOff: return v1::ClientAuth::OFF;
    case ClientVerification::kOptional: return v1::ClientAuth::OPTIONAL;
    case ClientVerification::kOptionalNoCa: return v1::ClientAuth::OPTIONAL_NO_CA;
    case ClientVerification::kRequired: break;
  }
  return v1::ClientAuth::REQUIRED;
}

}  // namespace

ClientCa ReadClientCa(const kube::ObjectKey& key, const SecretView& view) {
  const std::string name = StrCat("Secret ", key.ToString());
  const kube::Secret* secret = view.secret.get();
  if (secret == nullptr) return {nullptr, StrCat(name, " ", view.Absence())};
  const SecretBytes* ca = secret->Find("ca.crt");
  const SecretBytes* crl = secret->Find("ca.crl");
  if (ca == nullptr) return {nullptr, StrCat(name, " has no ca.crt")};
  if (ca->size() > kMaxPem || (crl != nullptr && crl->size() > kMaxPem)) {
    return {nullptr, StrCat(name, " has a ca.crt or ca.crl of more than 1 MiB")};
  }
  if (CountPem(ca->Reveal()).certificates == 0) {
    return {nullptr, StrCat(name, ": ca.crt holds no PEM certificate")};
  }
  if (crl != nullptr && CountPem(crl->Reveal()).revocation_lists == 0) {
    return {nullptr, StrCat(name, ": ca.crl holds no PEM revocation list")};
  }
  v1::Resource resource;
  if (crl != nullptr) AddSecretEntry(resource, "ca.crl", crl->Reveal());
  AddSecretEntry(resource, "ca.crt", ca->Reveal());
  AddProvenance(resource, kube::Kind::kSecret, key, "");
  return {Finish(SecretName(key), std::move(resource)), {}};
}

std::optional<kube::ObjectKey> ClientCaOf(const IngressModel& ingress) {
  const auto& asked = ingress.settings.client_certificates;
  if (!asked || asked->secret.ns != ingress.key().ns) return std::nullopt;
  return asked->secret;
}

std::optional<v1::ClientAuth> ResolveClientAuth(const HostClaims& claims,
                                                const ClientCaLookup& ca_of) {
  for (const HostClaim& claim : claims) {
    const IngressModel& ingress = *claim.ingress;
    const auto& asked = ingress.settings.client_certificates;
    if (!asked) continue;
    v1::ClientAuth auth;
    const std::optional<kube::ObjectKey> secret = ClientCaOf(ingress);
    if (!secret || !ca_of(*secret).usable()) return auth;
    auth.set_mode(ModeOf(asked->verification));
    auth.set_secret(SecretName(*secret));
    auth.set_verify_depth(asked->verify_depth);
    auth.set_error_page(asked->error_page);
    auth.set_pass_certificate(asked->pass_certificate);
    auth.set_match_subject(asked->match_subject);
    return auth;
  }
  return std::nullopt;
}

std::vector<Diagnostic> CheckClientCa(const IngressModel& ingress, const ClientCaLookup& ca_of) {
  const auto& asked = ingress.settings.client_certificates;
  if (!asked) return {};
  std::string problem;
  if (asked->secret.name.empty()) {
    problem = "the value is not NAMESPACE/NAME";
  } else if (asked->secret.ns != ingress.key().ns) {
    problem = StrCat("Secret ", asked->secret.ToString(), " is in another namespace");
  } else {
    problem = ca_of(asked->secret).problem;
  }
  if (problem.empty()) return {};
  return {{kube::Kind::kIngress, ingress.key(), std::string(kAnnotation), Reason::kInvalidClientCa,
           Severity::kError,
           StrCat(problem,
                  "; where this Ingress is the first to ask for client certificates, "
                  "every request to the host is answered 403")}};
}

}  // namespace headgate::translate
