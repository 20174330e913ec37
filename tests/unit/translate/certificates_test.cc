#include "controller/translate/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "tests/support/certificates.h"

namespace headgate::translate {
namespace {

using headgate::testing::KeyType;
using headgate::testing::MakeCertificate;
using headgate::testing::PemPair;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Use = CertificateState::Use;

std::shared_ptr<const kube::Secret> ToSecret(const PemPair& pair) {
  auto secret = std::make_shared<kube::Secret>();
  secret->meta.key = {"default", "tls"};
  secret->data.emplace_back("tls.crt", SecretBytes(pair.chain));
  secret->data.emplace_back("tls.key", SecretBytes(pair.key));
  return secret;
}

// What ParseCertificate says: "" when it is content.
std::string ParseError(const PemPair& pair) {
  std::string field;
  std::string error;
  return ParseCertificate(ToSecret(pair), &field, &error) != nullptr ? "" : field + ": " + error;
}

TEST(CertificatesTest, AcceptsEcdsaAndRsaWithChains) {
  const PemPair leaf = MakeCertificate({"a.test"});
  EXPECT_EQ(ParseError(leaf), "");
  EXPECT_EQ(ParseError(MakeCertificate({"a.test"}, KeyType::kRsa)), "");
  EXPECT_EQ(ParseError({leaf.chain + MakeCertificate({"ca.test"}).chain, leaf.key}), "");
  EXPECT_EQ(ParseError({"some text before\n" + leaf.chain, leaf.key}), "");
}

TEST(CertificatesTest, SaysWhatIsWrong) {
  const PemPair pair = MakeCertificate({"a.test"});
  const PemPair other = MakeCertificate({"a.test"});
  EXPECT_THAT(ParseError({"", pair.key}), HasSubstr("data[tls.crt]: there is no certificate"));
  EXPECT_THAT(ParseError({pair.chain, ""}), HasSubstr("data[tls.key]: there is no private key"));
  EXPECT_THAT(ParseError({"garbage", pair.key}), HasSubstr("data[tls.crt]"));
  EXPECT_THAT(ParseError({pair.key, pair.key}), HasSubstr("data[tls.crt]"));
  EXPECT_THAT(ParseError({pair.chain.substr(0, pair.chain.size() / 2), pair.key}),
              HasSubstr("data[tls.crt]"));
  EXPECT_THAT(ParseError({pair.chain + pair.chain.substr(0, 100), pair.key}),
              HasSubstr("data[tls.crt]"));
  EXPECT_THAT(ParseError({pair.chain, "garbage"}), HasSubstr("data[tls.key]"));
  EXPECT_THAT(ParseError({pair.chain, other.key}), HasSubstr("does not belong"));
  // The order matters: the first certificate is the one that is served.
  EXPECT_THAT(ParseError({other.chain + pair.chain, pair.key}), HasSubstr("does not belong"));
}

TEST(CertificatesTest, ASecretWithoutTheKeysIsNoCertificate) {
  std::string field;
  std::string error;
  EXPECT_EQ(ParseCertificate(std::make_shared<kube::Secret>(), &field, &error), nullptr);
  EXPECT_EQ(field, "data[tls.crt]");
}

TEST(CertificatesTest, CoversExactNamesAndOneLabelForAStar) {
  Certificate certificate;
  certificate.names = {"a.test", "*.shop.test"};
  for (const char* host : {"a.test", "x.shop.test", "*.shop.test"}) {
    EXPECT_TRUE(certificate.Covers(host)) << host;
  }
  for (const char* host :
       {"b.test", "shop.test", "x.y.shop.test", ".shop.test", "*.test", "_", ""}) {
    EXPECT_FALSE(certificate.Covers(host)) << host;
  }
}

TEST(CertificatesTest, NamesAreLowerCaseWithTheCommonName) {
  std::string field;
  std::string error;
  const auto certificate =
      ParseCertificate(ToSecret(MakeCertificate({"Shop.Test", "*.Shop.test"})), &field, &error);
  ASSERT_NE(certificate, nullptr);
  EXPECT_THAT(certificate->names, ElementsAre("shop.test", "*.shop.test"));
}

TEST(CertificatesTest, ANewCertificateThatHasExpiredDoesNotReplaceAGoodOne) {
  // Both are valid for 364 days; at a time after that both have expired, and the newest counts.
  const auto newest = ToSecret(MakeCertificate({"a.test"}));
  const auto former = ToSecret(MakeCertificate({"a.test"}));
  const absl::Time now = absl::Now();
  EXPECT_EQ(ChooseCertificate({newest}, former, now).certificate->secret, newest);
  const CertificateState later = ChooseCertificate({newest}, former, now + absl::Hours(24 * 400));
  EXPECT_EQ(later.certificate->secret, newest);
  ASSERT_EQ(later.diagnostics.size(), 1u);
  EXPECT_EQ(later.diagnostics[0].reason, Reason::kCertificateExpired);
}

TEST(CertificatesTest, WithoutAnEarlierFormABadSecretIsUnusable) {
  const CertificateState state = ChooseCertificate({ToSecret({"x", "y"})}, nullptr, absl::Now());
  EXPECT_EQ(state.use, Use::kUnusable);
  EXPECT_EQ(state.diagnostics.size(), 1u);
  EXPECT_EQ(state.recheck, absl::InfiniteFuture());
}

TEST(CertificatesTest, AMissingSecretIsMissingWhateverItWas) {
  const auto former = ToSecret(MakeCertificate({"a.test"}));
  const CertificateState state = ChooseCertificate({nullptr}, former, absl::Now());
  EXPECT_EQ(state.use, Use::kMissing);
  EXPECT_THAT(state.diagnostics, IsEmpty());
}

TEST(CertificatesTest, RecheckIsWhenTheNextThingHappens) {
  const absl::Time now = absl::Now();
  const CertificateState fresh =
      ChooseCertificate({ToSecret(MakeCertificate({"a.test"}))}, nullptr, now);
  EXPECT_EQ(fresh.recheck, fresh.certificate->not_after - absl::Hours(240));
  const CertificateState soon =
      ChooseCertificate({fresh.certificate->secret}, nullptr, fresh.recheck);
  EXPECT_EQ(soon.recheck, fresh.certificate->not_after);
  EXPECT_EQ(ChooseCertificate({fresh.certificate->secret}, nullptr, soon.recheck).recheck,
            absl::InfiniteFuture());
}

}  // namespace
}  // namespace headgate::translate
