#include "controller/translate/certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <climits>
#include <ctime>

#include "common/certificate_names.h"
#include "common/openssl_ptr.h"
#include "common/strings.h"

namespace headgate::translate {
namespace {

constexpr std::string_view kChainKey = "tls.crt";
constexpr std::string_view kKeyKey = "tls.key";
constexpr std::string_view kChainField = "data[tls.crt]";
constexpr std::string_view kKeyField = "data[tls.key]";
constexpr absl::Duration kSoon = absl::Hours(10 * 24);

BioPtr ReadOnlyBio(std::string_view bytes) {
  if (bytes.size() > INT_MAX) return nullptr;
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// Called for the passphrase of an encrypted key: there is none, and nobody may be asked on a
// terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

absl::Time ToTime(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

// The first certificate of a chain, all of which must parse; null if one does not.
X509Ptr ParseChain(std::string_view pem) {
  const BioPtr bio = ReadOnlyBio(pem);
  X509Ptr leaf(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
  while (leaf != nullptr) {
    ERR_clear_error();
    const X509Ptr next(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
    if (next != nullptr) continue;
    // The end of the text shows as "no start line"; anything else is a broken certificate.
    const unsigned long error = ERR_peek_last_error();
    if (error != 0 && ERR_GET_REASON(error) != PEM_R_NO_START_LINE) leaf.reset();
    break;
  }
  ERR_clear_error();
  return leaf;
}

Diagnostic About(const kube::Secret& secret, std::string_view field, Reason reason,
                 Severity severity, std::string message) {
  return {kube::Kind::kSecret, secret.meta.key, std::string(field), reason, severity,
          std::move(message)};
}

std::string Day(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

// Adds what there is to say about the age of the certificate in use.
void CheckExpiry(const Certificate& certificate, absl::Time now, CertificateState& state) {
  const absl::Time soon = certificate.not_after - kSoon;
  if (now >= certificate.not_after) {
    state.diagnostics.push_back(About(
        *certificate.secret, kChainField, Reason::kCertificateExpired, Severity::kWarning,
        StrCat("the certificate expired at ", Day(certificate.not_after), "; it is still served")));
  } else if (now >= soon) {
    state.recheck = std::min(state.recheck, certificate.not_after);
    state.diagnostics.push_back(
        About(*certificate.secret, kChainField, Reason::kCertificateExpiresSoon, Severity::kWarning,
              StrCat("the certificate expires at ", Day(certificate.not_after))));
  } else {
    state.recheck = std::min(state.recheck, soon);
  }
}

}  // namespace

bool Certificate::Covers(std::string_view host) const {
  const size_t dot = host.find('.');
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    if (name == host) return true;
    return name.starts_with("*.") && dot != std::string_view::npos && dot > 0 &&
           !host.starts_with("*") && name.substr(1) == host.substr(dot);
  });
}

std::shared_ptr<const Certificate> ParseCertificate(std::shared_ptr<const kube::Secret> secret,
                                                    std::string* field, std::string* error) {
  const auto fail = [&](std::string_view where, std::string_view why) {
    *field = where;
    *error = why;
    ERR_clear_error();
    return nullptr;
  };
  const SecretBytes* chain = secret->Find(kChainKey);
  const SecretBytes* key = secret->Find(kKeyKey);
  if (chain == nullptr || chain->empty()) return fail(kChainField, "there is no certificate");
  if (key == nullptr || key->empty()) return fail(kKeyField, "there is no private key");
  const X509Ptr leaf = ParseChain(chain->Reveal());
  if (leaf == nullptr) return fail(kChainField, "this is not a chain of PEM certificates");
  const BioPtr bio = ReadOnlyBio(key->Reveal());
  const KeyPtr private_key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (private_key == nullptr) return fail(kKeyField, "this is not an unencrypted PEM private key");
  if (X509_check_private_key(leaf.get(), private_key.get()) != 1) {
    return fail(kKeyField, "the key does not belong to the first certificate of data[tls.crt]");
  }
  auto certificate = std::make_shared<Certificate>();
  certificate->names = CertificateNames(leaf.get());
  certificate->not_after = ToTime(X509_get0_notAfter(leaf.get()));
  certificate->secret = std::move(secret);
  ERR_clear_error();
  return certificate;
}

CertificateState ChooseCertificate(const SecretView& view,
                                   std::shared_ptr<const kube::Secret> last_good, absl::Time now) {
  using Use = CertificateState::Use;
  CertificateState state;
  const std::shared_ptr<const kube::Secret>& newest = view.secret;
  if (newest == nullptr) {
    state.use = view.readable ? Use::kMissing : Use::kUnreadable;
    return state;
  }

  std::string field;
  std::string error;
  state.certificate = ParseCertificate(newest, &field, &error);
  const bool good = state.certificate != nullptr;
  const bool expired = good && now >= state.certificate->not_after;
  if ((!good || expired) && last_good != nullptr && last_good != newest) {
    std::string unused_field;
    std::string unused_error;
    auto former = ParseCertificate(std::move(last_good), &unused_field, &unused_error);
    const bool better = former != nullptr && (!good || now < former->not_after);
    if (better && expired) {
      state.diagnostics.push_back(
          About(*newest, kChainField, Reason::kCertificateExpired, Severity::kError,
                StrCat("the new certificate expired at ", Day(state.certificate->not_after),
                       "; the former one stays in use")));
    }
    if (better) {
      state.recheck = former->not_after;
      state.certificate = std::move(former);
    }
  }
  state.use = state.certificate != nullptr ? Use::kUsable : Use::kUnusable;
  if (!good) {
    state.diagnostics.push_back(
        About(*newest, field, Reason::kInvalidCertificate, Severity::kError,
              StrCat(error, state.use == Use::kUsable ? "; the last good certificate stays in use"
                                                      : "; the default certificate is served")));
  }
  if (state.use == Use::kUsable) CheckExpiry(*state.certificate, now, state);
  return state;
}

}  // namespace headgate::translate
