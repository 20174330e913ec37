#include "controller/app/certificate_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/certificates.h"

namespace headgate::app {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

translate::ResourcePtr Certificate(const std::string& name, const std::string& chain,
                                   bool from_secret = true) {
  auto resource = std::make_shared<v1::Resource>();
  resource->set_name("cert/" + name);
  resource->mutable_certificate()->set_chain_pem(chain);
  if (from_secret) {
    v1::Provenance& cause = *resource->add_provenance();
    cause.set_kind("Secret");
    cause.set_namespace_("shop");
    cause.set_name("tls");
  }
  return resource;
}

translate::ResourcePtr Host(const std::string& host, const std::vector<std::string>& certificates,
                            bool tls = true) {
  auto resource = std::make_shared<v1::Resource>();
  resource->set_name("vhost/" + host);
  v1::VirtualHost& body = *resource->mutable_virtual_host();
  body.set_host(host);
  body.set_tls_configured(tls);
  for (const std::string& name : certificates) body.add_certificates("cert/" + name);
  return resource;
}

class CertificateMetricsTest : public ::testing::Test {
 protected:
  void Put(std::vector<translate::ResourcePtr> resources) {
    translate::TranslationUpdate update;
    update.upserted = std::move(resources);
    metrics_.Apply(update);
  }
  void Remove(const std::string& name) {
    translate::TranslationUpdate update;
    update.removed = {name};
    metrics_.Apply(update);
  }
  std::string Text() const {
    std::string text;
    MetricsWriter writer(&text);
    metrics_.Collect(writer);
    return text;
  }

  const std::string chain_ = headgate::testing::MakeCertificate({"a.example"}).chain;
  CertificateMetrics metrics_{{"headgate.dev/ingress-controller", "edge", "pod-1"}};
};

TEST_F(CertificateMetricsTest, EachHostHasASeriesForWhatItOffers) {
  Put({Certificate("shop/tls", chain_), Host("a.example", {"shop/tls"}),
       Host("b.example", {"shop/tls"}), Host("c.example", {}, false)});
  const std::string text = Text();
  for (const char* host : {"a.example", "b.example"}) {
    const std::string labels =
        std::string(
            "\\{controller_class=\"headgate.dev/ingress-controller\",controller_namespace=\"edge\","
            "controller_pod=\"pod-1\",class=\"headgate.dev/ingress-controller\",host=\"") +
        host + "\",namespace=\"shop\",secret_name=\"tls\",identifier=\"[0-9]+\"";
    EXPECT_THAT(text, ContainsRegex("nginx_ingress_controller_ssl_expire_time_seconds" + labels +
                                    "\\} [12][0-9]{9}\n"));
    EXPECT_THAT(
        text,
        ContainsRegex(
            "nginx_ingress_controller_ssl_certificate_info" + labels +
            ",issuer_organization=\"\",issuer_common_name=\"a.example\",serial_number=\"[0-9]+\","
            "public_key_algorithm=\"ECDSA\"\\} 1\n"));
  }
  EXPECT_THAT(text, Not(HasSubstr("c.example")));
  EXPECT_THAT(text, HasSubstr("headgate_certificate_series_left_out 0\n"));
}

TEST_F(CertificateMetricsTest, AHostWithoutACertificateOfItsOwnOffersTheDefault) {
  Put({Certificate(
           "default",
           headgate::testing::MakeCertificate({"x"}, headgate::testing::KeyType::kRsa).chain,
           false),
       Host("a.example", {})});
  EXPECT_THAT(Text(), HasSubstr("host=\"a.example\",namespace=\"\",secret_name=\"\""));
  EXPECT_THAT(Text(), HasSubstr("public_key_algorithm=\"RSA\"} 1\n"));
}

TEST_F(CertificateMetricsTest, SeriesGoWithTheirHostOrCertificate) {
  Put({Certificate("shop/tls", chain_), Certificate("shop/other", chain_),
       Host("a.example", {"shop/tls"}), Host("b.example", {"shop/other"})});
  Remove("vhost/a.example");
  EXPECT_THAT(Text(), Not(HasSubstr("a.example\",namespace")));
  EXPECT_THAT(Text(), HasSubstr("host=\"b.example\""));
  Remove("cert/shop/other");
  EXPECT_THAT(Text(), Not(HasSubstr("host=\"b.example\"")));
}

TEST_F(CertificateMetricsTest, WhatCannotBeReadIsShownAsExpired) {
  Put({Certificate("shop/tls", "garbage"), Host("a.example", {"shop/tls"})});
  EXPECT_THAT(Text(),
              ContainsRegex("ssl_expire_time_seconds\\{[^}]*host=\"a.example\"[^}]*\\} 0\n"));
}

TEST_F(CertificateMetricsTest, TheNumberOfSeriesIsBounded) {
  std::vector<translate::ResourcePtr> all = {Certificate("shop/tls", chain_)};
  for (size_t i = 0; i < CertificateMetrics::kMaxSeries + 3; ++i)
    all.push_back(Host("h" + std::to_string(i) + ".example", {"shop/tls"}));
  Put(std::move(all));
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("headgate_certificate_series_left_out 3\n"));
  constexpr std::string_view kSeries = "ssl_expire_time_seconds{";
  size_t shown = 0;
  for (size_t at = text.find(kSeries); at != std::string::npos; at = text.find(kSeries, at + 1))
    ++shown;
  EXPECT_EQ(shown, CertificateMetrics::kMaxSeries);
}

}  // namespace
}  // namespace headgate::app
