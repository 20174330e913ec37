#include "dataplane/tls/certificate.h"

#include <openssl/pem.h>
#include <time.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/hash/hash.h"
#include "common/strings.h"
#include "dataplane/tls/certificate_scan.h"
#include "dataplane/tls/openssl_ptr.h"

namespace headgate::tls {
namespace {

constexpr size_t kMaxPemBytes = 256 * 1024;
constexpr size_t kMaxChainLength = 16;

absl::Status Refuse(std::string_view field, std::string_view problem) {
  ERR_clear_error();
  return absl::InvalidArgumentError(StrCat(field, ": ", problem));
}

OpenSslPtr<BIO> OpenText(std::string_view text) {
  return OpenSslPtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

OpenSslPtr<X509> ParseDer(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  return OpenSslPtr<X509>(d2i_X509(nullptr, &bytes, static_cast<long>(der.size())));
}

// The certificates of a PEM text in DER; other blocks are passed over.
std::vector<std::string> ReadChain(std::string_view pem) {
  std::vector<std::string> chain;
  const OpenSslPtr<BIO> bio = OpenText(pem);
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  while (PEM_read_bio(bio.get(), &label, &header, &data, &size) == 1) {
    if (std::string_view(label) == PEM_STRING_X509) {
      chain.emplace_back(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    }
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<size_t>(size));
  }
  ERR_clear_error();
  return chain;
}

// The first private key of a PEM text in DER; empty if there is none, or it is encrypted.
SecretBytes ReadKey(std::string_view pem) {
  constexpr std::string_view kEncrypted = PEM_STRING_PKCS8;
  constexpr std::string_view kSuffix = "PRIVATE KEY";  // PKCS#8, or preceded by "RSA " or "EC "
  SecretBytes key;
  const OpenSslPtr<BIO> bio = OpenText(pem);
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  bool found = false;
  while (!found && PEM_read_bio(bio.get(), &label, &header, &data, &size) == 1) {
    const std::string_view kind = label;
    found = kind.size() >= kSuffix.size() && kind.substr(kind.size() - kSuffix.size()) == kSuffix;
    const bool encrypted = kind == kEncrypted || *header != '\0';
    if (found && !encrypted) {
      key = SecretBytes({reinterpret_cast<const char*>(data), static_cast<size_t>(size)});
    }
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<size_t>(size));
  }
  ERR_clear_error();
  return key;
}

int64_t ToUnixSeconds(const ASN1_TIME* time) {
  tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

// True when a look is enough to know that OpenSSL will take the chain and the key.
bool ScanAll(const std::vector<std::string>& ders, const SecretBytes& key_der,
             CertificateFacts& facts) {
  const std::optional<CertificateFacts> leaf = ScanCertificate(ders[0]);
  if (!leaf || !ScanKeyMatches(*leaf, key_der.Reveal())) return false;
  facts = *leaf;
  return std::all_of(ders.begin() + 1, ders.end(),
                     [](const std::string& der) { return ScanCertificate(der).has_value(); });
}

}  // namespace

EVP_PKEY* ParseKey(int type, std::string_view der) {
  const auto size = static_cast<long>(der.size());
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  if (EVP_PKEY* key = d2i_PrivateKey(type, nullptr, &bytes, size)) return key;
  bytes = reinterpret_cast<const unsigned char*>(der.data());
  return d2i_AutoPrivateKey(nullptr, &bytes, size);
}

CertificateParser::CertificateParser() : probe_(SSL_CTX_new(TLS_server_method())) {}
CertificateParser::~CertificateParser() { SSL_CTX_free(probe_); }

absl::StatusOr<std::shared_ptr<const Certificate>> CertificateParser::Parse(
    std::string_view chain_pem, std::string_view key_pem) {
  if (chain_pem.size() > kMaxPemBytes) return Refuse("chain_pem", "is longer than 256 KiB");
  if (key_pem.size() > kMaxPemBytes) return Refuse("key_pem", "is longer than 256 KiB");
  std::vector<std::string> ders = ReadChain(chain_pem);
  if (ders.empty()) return Refuse("chain_pem", "holds no PEM certificate");
  if (ders.size() > kMaxChainLength) return Refuse("chain_pem", "holds more than 16 certificates");
  SecretBytes key_der = ReadKey(key_pem);
  if (key_der.empty()) return Refuse("key_pem", "holds no unencrypted PEM private key");
  CertificateFacts facts;
  if (!ScanAll(ders, key_der, facts)) {
    if (absl::Status checked = CheckAll(ders, key_der, facts); !checked.ok()) return checked;
  }

  std::shared_ptr<Certificate> out(new Certificate);
  out->id_ = next_id_++;
  out->key_type_ = facts.key_type;
  out->not_before_ = facts.not_before;
  out->not_after_ = facts.not_after;
  out->key_ = std::move(key_der);
  out->leaf_ = std::move(ders[0]);
  out->leaf_.shrink_to_fit();
  for (size_t i = 1; i < ders.size(); ++i) out->intermediates_.push_back(Share(std::move(ders[i])));
  out->intermediates_.shrink_to_fit();
  ERR_clear_error();
  return out;
}

absl::Status CertificateParser::CheckAll(const std::vector<std::string>& ders,
                                         const SecretBytes& key_der, CertificateFacts& facts) {
  const OpenSslPtr<X509> leaf = ParseDer(ders[0]);
  if (leaf == nullptr || X509_get0_pubkey(leaf.get()) == nullptr) {
    return Refuse("chain_pem", "the first certificate cannot be parsed");
  }
  const OpenSslPtr<STACK_OF(X509)> chain(sk_X509_new_null());
  for (size_t i = 1; i < ders.size(); ++i) {
    OpenSslPtr<X509> intermediate = ParseDer(ders[i]);
    if (intermediate == nullptr) {
      return Refuse("chain_pem", StrCat("certificate ", i + 1, " cannot be parsed"));
    }
    sk_X509_push(chain.get(), intermediate.release());
  }
  facts.key_type = EVP_PKEY_get_base_id(X509_get0_pubkey(leaf.get()));
  facts.not_before = ToUnixSeconds(X509_get0_notBefore(leaf.get()));
  facts.not_after = ToUnixSeconds(X509_get0_notAfter(leaf.get()));
  const OpenSslPtr<EVP_PKEY> key(ParseKey(facts.key_type, key_der.Reveal()));
  if (key == nullptr) return Refuse("key_pem", "the private key cannot be parsed");
  if (X509_check_private_key(leaf.get(), key.get()) != 1) {
    return Refuse("key_pem", "does not belong to the first certificate of chain_pem");
  }
  if (SSL_CTX_use_cert_and_key(probe_, leaf.get(), key.get(), chain.get(), 1) != 1) {
    return Refuse("chain_pem", TakeOpenSslError());
  }
  return absl::OkStatus();
}

std::shared_ptr<const std::string> CertificateParser::Share(std::string der) {
  std::weak_ptr<const std::string>& known = shared_[absl::Hash<std::string>{}(der)];
  if (auto same = known.lock(); same && *same == der) return same;
  der.shrink_to_fit();
  auto shared = std::make_shared<const std::string>(std::move(der));
  known = shared;
  if (shared_.size() >= sweep_at_) {
    absl::erase_if(shared_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = 2 * shared_.size() + 64;
  }
  return shared;
}

}  // namespace headgate::tls
