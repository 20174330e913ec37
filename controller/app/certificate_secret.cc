#include "controller/app/certificate_secret.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "common/backoff.h"
#include "common/openssl_ptr.h"
#include "common/strings.h"
#include "controller/app/x509_issuer.h"
#include "controller/translate/addresses.h"

namespace headgate::app {
namespace {

using kube::Json;

constexpr absl::Duration kSlack = absl::Hours(1);  // for others whose clock is late
constexpr size_t kMaxPem = 1 << 16;

bool IsIpAddress(const std::string& name) { return translate::ParseIpAddress(name).has_value(); }

BioPtr BioOf(std::string_view pem) {
  return BioPtr(BIO_new_mem_buf(pem.data(), static_cast<int>(std::min(pem.size(), kMaxPem))));
}

X509Ptr FirstCertificate(std::string_view pem) {
  const BioPtr bio = BioOf(pem);
  X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return certificate;
}

// The certificate, if key and authority fit it.
X509Ptr Usable(const IssuedPair& pair) {
  X509Ptr leaf = FirstCertificate(pair.certificate);
  const X509Ptr authority = FirstCertificate(pair.authority);
  const BioPtr bio = BioOf(pair.key.Reveal());
  const KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  const bool fits = leaf != nullptr && authority != nullptr && key != nullptr &&
                    X509_check_private_key(leaf.get(), key.get()) == 1 &&
                    X509_verify(leaf.get(), X509_get0_pubkey(authority.get())) == 1;
  ERR_clear_error();
  return fits ? std::move(leaf) : nullptr;
}

absl::Time EndOf(const X509* certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

bool Covers(X509* certificate, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    return (IsIpAddress(name)
                ? X509_check_ip_asc(certificate, name.c_str(), 0)
                : X509_check_host(certificate, name.data(), name.size(), 0, nullptr)) == 1;
  });
}

absl::StatusOr<IssuedPair> MakePair(const PairSpec& spec, absl::Time now) {
  // Authorities are found by their names, so that each has one of its own.
  const std::string name = StrCat(spec.subject, "-ca ", absl::Hex(RandomSeed()));
  const CertificateSpec authority_spec = {
      .subject = {{"CN", name}},
      .extensions = {{"basicConstraints", "critical,CA:TRUE,pathlen:0"},
                     {"keyUsage", "critical,keyCertSign"}},
      .not_before = now - kSlack,
      .not_after = now + spec.lifetime};
  const absl::StatusOr<KeyedCertificate> authority =
      Issue(authority_spec, KeyPtr(EVP_EC_gen("P-256")));
  if (!authority.ok()) return authority.status();
  std::vector<std::string> names;
  for (const std::string& each : spec.names)
    names.push_back(StrCat(IsIpAddress(each) ? "IP:" : "DNS:", each));
  CertificateSpec leaf_spec = {.subject = {{"CN", spec.subject}},
                               .extensions = {{"basicConstraints", "critical,CA:FALSE"},
                                              {"keyUsage", "critical,digitalSignature"},
                                              {"extendedKeyUsage", spec.usage}},
                               .not_before = authority_spec.not_before,
                               .not_after = authority_spec.not_after};
  if (!names.empty())
    leaf_spec.extensions.emplace_back("subjectAltName", absl::StrJoin(names, ","));
  const absl::StatusOr<KeyedCertificate> leaf =
      Issue(leaf_spec, KeyPtr(EVP_EC_gen("P-256")), &*authority);
  if (!leaf.ok()) return leaf.status();
  return IssuedPair{.authority = CertificateToPem(authority->certificate.get()),
                    .certificate = CertificateToPem(leaf->certificate.get()),
                    .key = KeyToPem(leaf->key.get())};
}

std::optional<IssuedPair> ReadPair(const Json& document, std::string_view prefix,
                                   std::string_view authority) {
  std::string key = SecretEntry(document, StrCat(prefix, "tls.key"));
  IssuedPair pair{.authority = SecretEntry(document, StrCat(prefix, authority)),
                  .certificate = SecretEntry(document, StrCat(prefix, "tls.crt")),
                  .key = SecretBytes(key)};
  WipeMemory(key.data(), key.size());
  if (pair.authority.empty() || pair.certificate.empty() || pair.key.empty()) return std::nullopt;
  return pair;
}

void PutPair(const IssuedPair& pair, std::string_view prefix, std::string_view authority,
             Json& data) {
  data[StrCat(prefix, authority)] = absl::Base64Escape(pair.authority);
  data[StrCat(prefix, "tls.crt")] = absl::Base64Escape(pair.certificate);
  data[StrCat(prefix, "tls.key")] = absl::Base64Escape(ToAbsl(pair.key.Reveal()));
}

}  // namespace

std::string CertificateSecret::Bundle() const {
  return StrCat(previous_authority, current ? current->authority : "", next ? next->authority : "");
}

std::string SecretEntry(const Json& document, std::string_view name) {
  const auto data = document.find("data");
  if (data == document.end() || !data->is_object()) return "";
  const auto found = data->find(std::string(name));
  std::string bytes;
  if (found != data->end() && found->is_string() &&
      !absl::Base64Unescape(found->get_ref<const std::string&>(), &bytes))
    return "";
  return bytes;
}

CertificateSecret ReadCertificateSecret(const Json& document, std::string_view authority) {
  return {.current = ReadPair(document, "", authority),
          .next = ReadPair(document, "next-", authority),
          .previous_authority = SecretEntry(document, StrCat("previous-", authority))};
}

void PutCertificateSecret(const CertificateSecret& secret, Json& document,
                          std::string_view authority) {
  Json& data = document["data"] = Json::object();
  if (secret.current) PutPair(*secret.current, "", authority, data);
  if (secret.next) PutPair(*secret.next, "next-", authority, data);
  if (!secret.previous_authority.empty())
    data[StrCat("previous-", authority)] = absl::Base64Escape(secret.previous_authority);
}

RotationStep NextStep(const CertificateSecret& secret, const PairSpec& spec, absl::Time now,
                      bool announced) {
  const X509Ptr current = secret.current ? Usable(*secret.current) : nullptr;
  const X509Ptr next = secret.next ? Usable(*secret.next) : nullptr;
  const bool next_is_good =
      next != nullptr && EndOf(next.get()) > now && Covers(next.get(), spec.names);
  if (current == nullptr || EndOf(current.get()) <= now)
    return next_is_good ? RotationStep::kPromote : RotationStep::kMake;
  if (EndOf(current.get()) - now > spec.lifetime / 3 && Covers(current.get(), spec.names))
    return RotationStep::kNone;
  if (!next_is_good) return RotationStep::kAnnounce;
  return announced ? RotationStep::kPromote : RotationStep::kNone;
}

absl::Status Take(RotationStep step, const PairSpec& spec, absl::Time now,
                  CertificateSecret& secret) {
  if (step == RotationStep::kPromote) {
    secret.previous_authority = secret.current ? secret.current->authority : "";
    secret.current = std::exchange(secret.next, std::nullopt);
    return absl::OkStatus();
  }
  if (step == RotationStep::kNone) return absl::OkStatus();
  absl::StatusOr<IssuedPair> made = MakePair(spec, now);
  if (!made.ok()) return made.status();
  if (step == RotationStep::kAnnounce) {
    secret.next = *std::move(made);
    return absl::OkStatus();
  }
  secret = {.current = *std::move(made), .next = {}, .previous_authority = {}};
  return absl::OkStatus();
}

std::optional<absl::Time> EndOf(const IssuedPair& pair) {
  const X509Ptr leaf = Usable(pair);
  return leaf == nullptr ? std::nullopt : std::optional(EndOf(leaf.get()));
}

}  // namespace headgate::app
