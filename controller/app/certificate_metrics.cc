#include "controller/app/certificate_metrics.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <climits>
#include <ctime>
#include <memory>
#include <string_view>
#include <utility>

#include "common/openssl_ptr.h"

namespace headgate::app {
namespace {

constexpr std::string_view kHostPrefix = "vhost/";
constexpr std::string_view kCertificatePrefix = "cert/";
constexpr char kDefaultCertificate[] = "cert/default";

std::string NamePart(X509_NAME* name, int nid) {
  const int at = X509_NAME_get_index_by_NID(name, nid, -1);
  if (at < 0) return {};
  const ASN1_STRING* text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string Decimal(const ASN1_INTEGER* number) {
  BIGNUM* const value = ASN1_INTEGER_to_BN(number, nullptr);
  if (value == nullptr) return {};
  char* const digits = BN_bn2dec(value);
  std::string text = digits == nullptr ? "" : digits;
  OPENSSL_free(digits);
  BN_free(value);
  return text;
}

// As Go calls it.
std::string_view AlgorithmOf(X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  switch (key == nullptr ? EVP_PKEY_NONE : EVP_PKEY_base_id(key)) {
    case EVP_PKEY_RSA: return "RSA";
    case EVP_PKEY_EC: return "ECDSA";
    case EVP_PKEY_DSA: return "DSA";
    case EVP_PKEY_ED25519: return "Ed25519";
    default: return "unknown";
  }
}

}  // namespace

CertificateMetrics::Leaf CertificateMetrics::Read(const v1::Resource& resource) {
  Leaf leaf;
  for (const v1::Provenance& cause : resource.provenance()) {
    if (cause.kind() != "Secret") continue;
    leaf.ns = cause.namespace_();
    leaf.secret = cause.name();
    break;
  }
  const std::string& chain = resource.certificate().chain_pem();
  if (chain.size() > INT_MAX) return leaf;
  const BioPtr bio(BIO_new_mem_buf(chain.data(), static_cast<int>(chain.size())));
  const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (certificate == nullptr) return leaf;
  tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &parts) == 1)
    leaf.not_after = timegm(&parts);
  leaf.serial = Decimal(X509_get0_serialNumber(certificate.get()));
  X509_NAME* const issuer = X509_get_issuer_name(certificate.get());
  leaf.organization = NamePart(issuer, NID_organizationName);
  leaf.common_name = NamePart(issuer, NID_commonName);
  leaf.algorithm = AlgorithmOf(certificate.get());
  ERR_clear_error();
  return leaf;
}

void CertificateMetrics::Apply(const translate::TranslationUpdate& update) {
  std::lock_guard lock(mutex_);
  for (const translate::ResourcePtr& resource : update.upserted) {
    if (resource->has_certificate()) {
      leaves_[resource->name()] = Read(*resource);
    } else if (resource->has_virtual_host()) {
      const v1::VirtualHost& host = resource->virtual_host();
      std::vector<std::string> offered(host.certificates().begin(), host.certificates().end());
      if (offered.empty() && host.tls_configured()) offered = {kDefaultCertificate};
      hosts_[host.host()] = std::move(offered);
    }
  }
  for (const std::string_view name : update.removed) {
    if (name.starts_with(kCertificatePrefix)) leaves_.erase(std::string(name));
    if (name.starts_with(kHostPrefix)) hosts_.erase(std::string(name.substr(kHostPrefix.size())));
  }
}

// Calls `visit(host, leaf)` for what is shown; returns how much is not.
template <typename Visit>
size_t CertificateMetrics::ForEach(const Visit& visit) const {
  size_t count = 0;
  for (const auto& [host, offered] : hosts_) {
    for (const std::string& name : offered) {
      const auto leaf = leaves_.find(name);
      if (leaf != leaves_.end() && count++ < kMaxSeries) visit(host, leaf->second);
    }
  }
  return count < kMaxSeries ? 0 : count - kMaxSeries;
}

MetricLabels CertificateMetrics::LabelsOf(const std::string& host, const Leaf& leaf) const {
  return {{"controller_class", labels_.controller_class},
          {"controller_namespace", labels_.controller_namespace},
          {"controller_pod", labels_.controller_pod},
          {"class", labels_.controller_class},
          {"host", host},
          {"namespace", leaf.ns},
          {"secret_name", leaf.secret},
          {"identifier", leaf.serial}};
}

void CertificateMetrics::Collect(MetricsWriter& writer) const {
  std::lock_guard lock(mutex_);
  writer.Family("nginx_ingress_controller_ssl_expire_time_seconds", MetricType::kGauge,
                "When the certificate that a host offers expires, in seconds since 1970.");
  const size_t left_out = ForEach([&](const std::string& host, const Leaf& leaf) {
    writer.Sample(LabelsOf(host, leaf),
                  static_cast<uint64_t>(std::max<int64_t>(leaf.not_after, 0)));
  });
  writer.Family("nginx_ingress_controller_ssl_certificate_info", MetricType::kGauge,
                "1 for each certificate that a host offers.");
  ForEach([&](const std::string& host, const Leaf& leaf) {
    MetricLabels labels = LabelsOf(host, leaf);
    labels.insert(labels.end(), {{"issuer_organization", leaf.organization},
                                 {"issuer_common_name", leaf.common_name},
                                 {"serial_number", leaf.serial},
                                 {"public_key_algorithm", leaf.algorithm}});
    writer.Sample(labels, uint64_t{1});
  });
  writer.Family("headgate_certificate_series_left_out", MetricType::kGauge,
                "Certificates of hosts beyond what the two before show.");
  writer.Sample({}, uint64_t{left_out});
}

}  // namespace headgate::app
