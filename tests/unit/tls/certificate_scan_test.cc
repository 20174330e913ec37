#include "dataplane/tls/certificate_scan.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "dataplane/tls/certificate.h"
#include "dataplane/tls/openssl_ptr.h"
#include "tests/support/certificates.h"

namespace headgate::tls {
namespace {

using headgate::testing::KeyType;
using headgate::testing::MakeCertificate;

std::string DerOf(const std::string& pem) {
  const OpenSslPtr<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  EXPECT_EQ(PEM_read_bio(bio.get(), &label, &header, &data, &size), 1);
  std::string der(reinterpret_cast<char*>(data), static_cast<size_t>(size));
  OPENSSL_free(label);
  OPENSSL_free(header);
  OPENSSL_free(data);
  return der;
}

// The key in the form that had a label of its own for each kind (PKCS#1, SEC1).
std::string TraditionalDer(const std::string& pem) {
  const OpenSslPtr<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const OpenSslPtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  unsigned char* data = nullptr;
  const int size = i2d_PrivateKey(key.get(), &data);
  std::string der(reinterpret_cast<char*>(data), static_cast<size_t>(size));
  OPENSSL_free(data);
  return der;
}

class CertificateScanTest : public ::testing::TestWithParam<KeyType> {
 protected:
  const headgate::testing::PemPair pem_ = MakeCertificate({"a.com"}, GetParam());
  const std::string certificate_ = DerOf(pem_.chain);
  const std::string key_ = DerOf(pem_.key);
};

TEST_P(CertificateScanTest, SeesWhatOpenSslSees) {
  const auto facts = ScanCertificate(certificate_);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->key_type, GetParam() == KeyType::kEcdsa ? EVP_PKEY_EC : EVP_PKEY_RSA);
  const auto* bytes = reinterpret_cast<const unsigned char*>(certificate_.data());
  const OpenSslPtr<X509> parsed(d2i_X509(nullptr, &bytes, static_cast<long>(certificate_.size())));
  time_t before = facts->not_before;
  time_t after = facts->not_after;
  EXPECT_EQ(ASN1_TIME_cmp_time_t(X509_get0_notBefore(parsed.get()), before), 0);
  EXPECT_EQ(ASN1_TIME_cmp_time_t(X509_get0_notAfter(parsed.get()), after), 0);
  EXPECT_TRUE(ScanKeyMatches(*facts, key_));
  EXPECT_TRUE(ScanKeyMatches(*facts, TraditionalDer(pem_.key)));
}

TEST_P(CertificateScanTest, TellsKeysApart) {
  const auto facts = ScanCertificate(certificate_);
  ASSERT_TRUE(facts);
  for (const KeyType other : {KeyType::kEcdsa, KeyType::kRsa}) {
    const auto pem = MakeCertificate({"b.com"}, other);
    EXPECT_FALSE(ScanKeyMatches(*facts, DerOf(pem.key)));
    EXPECT_FALSE(ScanKeyMatches(*facts, TraditionalDer(pem.key)));
  }
}

TEST_P(CertificateScanTest, WhatIsCutOrProlongedIsLeftToOpenSsl) {
  const auto facts = ScanCertificate(certificate_);
  ASSERT_TRUE(facts);
  for (size_t size = 0; size < certificate_.size(); ++size) {
    EXPECT_FALSE(ScanCertificate(std::string_view(certificate_).substr(0, size))) << size;
  }
  for (size_t size = 0; size < key_.size(); ++size) {
    EXPECT_FALSE(ScanKeyMatches(*facts, std::string_view(key_).substr(0, size))) << size;
  }
  EXPECT_FALSE(ScanCertificate(certificate_ + "x"));
  EXPECT_FALSE(ScanKeyMatches(*facts, key_ + "x"));
}

// Not every damage can be seen, but none may be read past the end or taken for another key.
TEST_P(CertificateScanTest, SurvivesEveryChangedByte) {
  for (size_t at = 0; at < certificate_.size(); ++at) {
    std::string damaged = certificate_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x81);
    if (const auto facts = ScanCertificate(damaged)) ScanKeyMatches(*facts, key_);
  }
}

INSTANTIATE_TEST_SUITE_P(Keys, CertificateScanTest,
                         ::testing::Values(KeyType::kEcdsa, KeyType::kRsa));

TEST(CertificateScan, WeakKeysAreLeftToOpenSsl) {
  EXPECT_FALSE(ScanCertificate(DerOf(MakeCertificate({"a.com"}, KeyType::kRsa, 1024).chain)));
}

}  // namespace
}  // namespace headgate::tls
