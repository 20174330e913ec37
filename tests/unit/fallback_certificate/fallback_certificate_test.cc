#include "controller/app/fallback_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/translate/certificates.h"

namespace headgate::app {
namespace {

TEST(FallbackCertificateTest, IsAUsableCertificateForAYear) {
  const absl::Time now = absl::FromUnixSeconds(1'700'000'000);
  const auto pem = MakeFallbackCertificate(now);
  ASSERT_TRUE(pem.ok()) << pem.status();
  auto secret = std::make_shared<kube::Secret>();
  secret->data.emplace_back("tls.crt", SecretBytes(pem->chain));
  secret->data.emplace_back("tls.key", pem->key);
  std::string field;
  std::string error;
  const auto certificate = translate::ParseCertificate(secret, &field, &error);
  ASSERT_NE(certificate, nullptr) << field << ": " << error;
  EXPECT_THAT(
      certificate->names,
      ::testing::ElementsAre("ingress.local", "kubernetes ingress controller fake certificate"));
  EXPECT_EQ(certificate->not_after, now + absl::Hours(364 * 24));
}

TEST(FallbackCertificateTest, HasAnotherKeyEachTime) {
  const auto one = MakeFallbackCertificate(absl::UnixEpoch() + absl::Hours(1'000'000 / 3));
  const auto two = MakeFallbackCertificate(absl::UnixEpoch() + absl::Hours(1'000'000 / 3));
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_FALSE(one->key == two->key);
}

}  // namespace
}  // namespace headgate::app
