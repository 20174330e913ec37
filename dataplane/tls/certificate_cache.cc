#include "dataplane/tls/certificate_cache.h"

#include <utility>

#include "dataplane/tls/openssl_ptr.h"

namespace headgate::tls {
namespace {

void Free(ParsedCertificate& parsed) {
  X509_free(parsed.leaf);
  EVP_PKEY_free(parsed.key);
  sk_X509_pop_free(parsed.chain, X509_free);
  parsed = {};
}

X509* ParseX509(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  return d2i_X509(nullptr, &bytes, static_cast<long>(der.size()));
}

// All or nothing.
ParsedCertificate Parse(const Certificate& certificate) {
  ParsedCertificate parsed;
  parsed.leaf = ParseX509(certificate.leaf_der());
  parsed.key = ParseKey(certificate.key_type(), certificate.key_der());
  parsed.chain = sk_X509_new_null();
  bool complete = parsed.leaf != nullptr && parsed.key != nullptr && parsed.chain != nullptr;
  for (const auto& der : certificate.intermediates_der()) {
    X509* intermediate = ParseX509(*der);
    complete = complete && intermediate != nullptr && sk_X509_push(parsed.chain, intermediate) > 0;
  }
  if (!complete) Free(parsed);
  ERR_clear_error();
  return parsed;
}

}  // namespace

CertificateCache::~CertificateCache() {
  for (Entry& entry : order_) Free(entry.parsed);
}

const ParsedCertificate* CertificateCache::Get(const Certificate& certificate) {
  if (const auto known = by_id_.find(certificate.id()); known != by_id_.end()) {
    order_.splice(order_.begin(), order_, known->second);
    return &order_.front().parsed;
  }
  ParsedCertificate parsed = Parse(certificate);
  if (parsed.leaf == nullptr) return nullptr;
  if (order_.size() >= capacity_) {
    by_id_.erase(order_.back().id);
    Free(order_.back().parsed);
    order_.pop_back();
  }
  order_.push_front({certificate.id(), parsed});
  by_id_[certificate.id()] = order_.begin();
  return &order_.front().parsed;
}

}  // namespace headgate::tls
