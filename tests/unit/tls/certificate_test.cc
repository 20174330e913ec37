#include "dataplane/tls/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "common/strings.h"
#include "dataplane/tls/certificate_cache.h"
#include "dataplane/tls/server_policy.h"
#include "tests/support/certificates.h"
#include "tests/support/dh_parameters.h"

namespace headgate::tls {
namespace {

using headgate::testing::KeyType;
using headgate::testing::MakeCertificate;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CertificateTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Certificate> Good(const std::string& name) {
    const auto pem = MakeCertificate({name});
    auto certificate = parser_.Parse(pem.chain, pem.key);
    EXPECT_TRUE(certificate.ok()) << certificate.status();
    return *certificate;
  }
  std::string Reason(std::string_view chain, std::string_view key) {
    const auto result = parser_.Parse(chain, key);
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(ERR_peek_error(), 0u);
    return std::string(ToStd(result.status().message()));
  }

  CertificateParser parser_;
};

TEST_F(CertificateTest, TakesEcdsaAndRsa) {
  const auto ecdsa = Good("a.com");
  EXPECT_EQ(ecdsa->key_type(), EVP_PKEY_EC);
  EXPECT_LT(ecdsa->not_before(), ecdsa->not_after());
  const auto rsa = MakeCertificate({"b.com"}, KeyType::kRsa);
  const auto parsed = parser_.Parse(rsa.chain, rsa.key);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ((*parsed)->key_type(), EVP_PKEY_RSA);
  EXPECT_NE((*parsed)->id(), ecdsa->id());
}

TEST_F(CertificateTest, KeepsIntermediatesOnce) {
  const auto issuer = MakeCertificate({"issuer"});
  const auto a = MakeCertificate({"a.com"});
  const auto b = MakeCertificate({"b.com"});
  const auto first = parser_.Parse(a.chain + "some text between\n" + issuer.chain, a.key);
  const auto second = parser_.Parse(b.chain + issuer.chain, b.key);
  ASSERT_TRUE(first.ok() && second.ok());
  ASSERT_EQ((*first)->intermediates_der().size(), 1u);
  EXPECT_EQ((*first)->intermediates_der()[0], (*second)->intermediates_der()[0]);
}

TEST_F(CertificateTest, SaysWhatIsWrong) {
  const auto a = MakeCertificate({"a.com"});
  const auto b = MakeCertificate({"b.com"});
  EXPECT_THAT(Reason("", a.key), StartsWith("chain_pem: holds no PEM certificate"));
  EXPECT_THAT(Reason("garbage", a.key), StartsWith("chain_pem: "));
  EXPECT_THAT(Reason(a.key, a.key), StartsWith("chain_pem: holds no PEM certificate"));
  EXPECT_THAT(Reason("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", a.key),
              StartsWith("chain_pem: the first certificate cannot be parsed"));
  EXPECT_THAT(
      Reason(a.chain + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", a.key),
      StartsWith("chain_pem: certificate 2 cannot be parsed"));
  EXPECT_THAT(Reason(a.chain, ""), StartsWith("key_pem: holds no unencrypted"));
  EXPECT_THAT(Reason(a.chain, a.chain), StartsWith("key_pem: holds no unencrypted"));
  EXPECT_THAT(Reason(a.chain, b.key), StartsWith("key_pem: does not belong"));
  EXPECT_THAT(Reason(std::string(300'000, 'x'), a.key), StartsWith("chain_pem: is longer"));
  std::string long_chain;
  for (int i = 0; i < 17; ++i) long_chain += a.chain;
  EXPECT_THAT(Reason(long_chain, a.key), StartsWith("chain_pem: holds more than 16"));
}

// The DER of a PEM block under another label.
std::string Relabel(std::string pem, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = pem.find(from, at)) != std::string::npos; at += to.size()) {
    pem.replace(at, from.size(), to);
  }
  return pem;
}

TEST_F(CertificateTest, FindsTheKeyAmongOtherBlocksAndRefusesEncryptedOnes) {
  const auto a = MakeCertificate({"a.com"});
  const std::string parameters =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  EXPECT_TRUE(parser_.Parse(a.chain, parameters + a.key).ok());
  EXPECT_THAT(Reason(a.chain, Relabel(a.key, "PRIVATE KEY", "ENCRYPTED PRIVATE KEY")),
              StartsWith("key_pem: holds no unencrypted"));
  EXPECT_THAT(Reason(a.chain, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
              StartsWith("key_pem: the private key cannot be parsed"));
  const auto rsa = MakeCertificate({"b.com"}, KeyType::kRsa);
  EXPECT_THAT(Reason(a.chain, rsa.key), StartsWith("key_pem: does not belong"));
}

TEST_F(CertificateTest, RefusesKeysTooWeakForOpenSsl) {
  const auto weak = MakeCertificate({"a.com"}, KeyType::kRsa, 1024);
  EXPECT_THAT(Reason(weak.chain, weak.key), HasSubstr("key too small"));
}

TEST_F(CertificateTest, EveryPrefixOfTheFilesIsRefusedOrTaken) {
  const auto pem = MakeCertificate({"a.com"});
  for (size_t i = 0; i < pem.chain.size(); i += 7) {
    EXPECT_FALSE(parser_.Parse(std::string_view(pem.chain).substr(0, i), pem.key).ok()) << i;
  }
  for (size_t i = 0; i + 1 < pem.key.size(); i += 7) {
    EXPECT_FALSE(parser_.Parse(pem.chain, std::string_view(pem.key).substr(0, i)).ok()) << i;
  }
}

TEST_F(CertificateTest, TheCacheParsesOnceAndForgetsTheLeastUsed) {
  CertificateCache cache(2);
  const auto a = Good("a"), b = Good("b"), c = Good("c");
  const X509* leaf_a = cache.Get(*a)->leaf;
  cache.Get(*b);
  EXPECT_EQ(cache.Get(*a)->leaf, leaf_a);
  cache.Get(*c);
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(cache.Get(*a)->leaf, leaf_a) << "b was the least used";
  const ParsedCertificate* parsed = cache.Get(*b);
  ASSERT_NE(parsed, nullptr);
  EXPECT_EQ(X509_check_private_key(parsed->leaf, parsed->key), 1);
}

TEST(ServerPolicy, IsValidated) {
  EXPECT_TRUE(Validate({}).ok());
  EXPECT_TRUE(Validate({.ciphers = kDefaultCiphers}).ok());
  EXPECT_FALSE(Validate({.ciphers = "NONSENSE"}).ok());
  EXPECT_TRUE(Validate({.dh_parameters = std::string(headgate::testing::kDhParameters)}).ok());
  const absl::Status weak =
      Validate({.dh_parameters = std::string(headgate::testing::kWeakDhParameters)});
  EXPECT_EQ(weak.message(), "dh_parameters: the prime has 1024 bits, not 2048 to 8192");
  EXPECT_FALSE(Validate({.min_version = Version::kTls13, .max_version = Version::kTls12}).ok());
}

}  // namespace
}  // namespace headgate::tls
