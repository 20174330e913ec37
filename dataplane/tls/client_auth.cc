#include "dataplane/tls/client_auth.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <utility>

#include "common/hash.h"
#include "common/strings.h"
#include "dataplane/tls/openssl_ptr.h"

namespace headgate::tls {
namespace {

using Verdict = base::ClientIdentity::Verdict;

constexpr size_t kMaxTrustPem = 1024 * 1024;

struct TrustFree {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(STACK_OF(X509_INFO) * infos) const {
    sk_X509_INFO_pop_free(infos, X509_INFO_free);
  }
};
using InfoStack = std::unique_ptr<STACK_OF(X509_INFO), TrustFree>;

// Certificates and revocation lists of a PEM text; null when it is no such text.
InfoStack ReadPem(std::string_view pem) {
  const OpenSslPtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  InfoStack infos(PEM_X509_INFO_read_bio(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  return infos;
}

size_t AddCertificates(const InfoStack& infos, X509_STORE* store, STACK_OF(X509_NAME) * names) {
  size_t count = 0;
  for (int i = 0; infos != nullptr && i < sk_X509_INFO_num(infos.get()); ++i) {
    X509* certificate = sk_X509_INFO_value(infos.get(), i)->x509;
    if (certificate == nullptr || X509_STORE_add_cert(store, certificate) != 1) continue;
    ++count;
    X509_NAME* name = X509_NAME_dup(X509_get_subject_name(certificate));
    if (name != nullptr && sk_X509_NAME_push(names, name) <= 0) X509_NAME_free(name);
  }
  return count;
}

size_t AddLists(const InfoStack& infos, X509_STORE* store) {
  size_t count = 0;
  for (int i = 0; infos != nullptr && i < sk_X509_INFO_num(infos.get()); ++i) {
    X509_CRL* list = sk_X509_INFO_value(infos.get(), i)->crl;
    if (list != nullptr && X509_STORE_add_crl(store, list) == 1) ++count;
  }
  return count;
}

uint64_t FingerprintOf(std::string_view host, const ClientAuthRules& rules) {
  std::string text;
  const auto add = [&](std::string_view part) { StrAppend(&text, part.size(), ":", part); };
  add(host);
  StrAppend(&text, static_cast<int>(rules.mode), ",", rules.verify_depth, ",");
  add(rules.ca_pem);
  add(rules.crl_pem);
  const auto digest = Sha256(text);
  uint64_t fingerprint;
  std::memcpy(&fingerprint, digest.data(), sizeof(fingerprint));
  return fingerprint != 0 ? fingerprint : 1;
}

// The handshake always completes, so that a client without a good certificate can be shown why.
int AcceptForNow(int, X509_STORE_CTX*) { return 1; }

std::string NameText(const X509_NAME* name) {
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

// Everything but letters, digits and - . _ ~ is encoded.
std::string PercentEncode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string EncodedPem(X509* certificate) {
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return size > 0 ? PercentEncode({data, static_cast<size_t>(size)}) : std::string();
}

Verdict VerdictOf(long result) {
  switch (result) {
    case X509_V_OK: return Verdict::kVerified;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return Verdict::kUnverified;
    default: return Verdict::kInvalid;
  }
}

}  // namespace

ClientAuth::ClientAuth(std::string host, ClientAuthRules rules)
    : host_(std::move(host)),
      rules_(std::move(rules)),
      fingerprint_(FingerprintOf(host_, rules_)) {}

absl::Status CheckTrust(std::string_view ca_pem, std::string_view crl_pem) {
  if (ca_pem.size() > kMaxTrustPem)
    return absl::InvalidArgumentError("ca.crt is longer than 1 MiB");
  if (crl_pem.size() > kMaxTrustPem)
    return absl::InvalidArgumentError("ca.crl is longer than 1 MiB");
  const std::unique_ptr<X509_STORE, TrustFree> store(X509_STORE_new());
  STACK_OF(X509_NAME)* names = sk_X509_NAME_new_null();
  const size_t certificates = AddCertificates(ReadPem(ca_pem), store.get(), names);
  sk_X509_NAME_pop_free(names, X509_NAME_free);
  const size_t lists = crl_pem.empty() ? 1 : AddLists(ReadPem(crl_pem), store.get());
  ERR_clear_error();
  if (certificates == 0) return absl::InvalidArgumentError("ca.crt holds no PEM certificate");
  if (lists == 0) return absl::InvalidArgumentError("ca.crl holds no PEM revocation list");
  return absl::OkStatus();
}

TrustCache::~TrustCache() {
  for (auto& [fingerprint, trust] : by_fingerprint_) Free(trust);
}

void TrustCache::Free(Trust& trust) {
  X509_STORE_free(trust.store);
  sk_X509_NAME_pop_free(trust.names, X509_NAME_free);
}

const TrustCache::Trust* TrustCache::Get(const ClientAuth& auth) {
  const auto known = by_fingerprint_.find(auth.fingerprint());
  if (known != by_fingerprint_.end()) return &known->second;
  if (by_fingerprint_.size() >= kCapacity) {
    Free(by_fingerprint_.begin()->second);
    by_fingerprint_.erase(by_fingerprint_.begin());
  }
  Trust trust{X509_STORE_new(), sk_X509_NAME_new_null()};
  const ClientAuthRules& rules = auth.rules();
  bool good = AddCertificates(ReadPem(rules.ca_pem), trust.store, trust.names) > 0;
  if (!rules.crl_pem.empty()) {
    good = good && AddLists(ReadPem(rules.crl_pem), trust.store) > 0;
    X509_STORE_set_flags(trust.store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
  ERR_clear_error();
  if (!good) {
    Free(trust);
    return nullptr;
  }
  return &by_fingerprint_.emplace(auth.fingerprint(), trust).first->second;
}

bool TrustCache::Apply(const ClientAuth& auth, SSL* ssl) {
  const Trust* trust = Get(auth);
  if (trust == nullptr) return false;
  STACK_OF(X509_NAME)* names = SSL_dup_CA_list(trust->names);
  if (names == nullptr) return false;
  SSL_set0_CA_list(ssl, names);
  SSL_set_verify(ssl, SSL_VERIFY_PEER, AcceptForNow);
  SSL_set_verify_depth(ssl, static_cast<int>(auth.rules().verify_depth));
  return SSL_set1_verify_cert_store(ssl, trust->store) == 1;
}

std::shared_ptr<const base::ClientIdentity> IdentityOf(SSL* ssl, uint64_t rules,
                                                       bool pass_certificate) {
  auto out = std::make_shared<base::ClientIdentity>();
  out->rules = rules;
  X509* certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return out;
  const long result = SSL_get_verify_result(ssl);
  out->verdict = VerdictOf(result);
  if (result != X509_V_OK) out->failure = StrCat("FAILED:", X509_verify_cert_error_string(result));
  out->subject_dn = NameText(X509_get_subject_name(certificate));
  out->issuer_dn = NameText(X509_get_issuer_name(certificate));
  if (pass_certificate) out->certificate = EncodedPem(certificate);
  ERR_clear_error();
  return out;
}

}  // namespace headgate::tls
