#include "controller/app/webhook_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_split.h"
#include "common/strings.h"
#include "tests/support/certificates.h"
#include "tests/support/fake_api_server.h"
#include "tests/unit/app/trust.h"

namespace headgate::app {
namespace {

using headgate::testing::FakeApiServer;
using kube::Json;
using ::testing::StartsWith;

constexpr char kSecret[] = "/api/v1/namespaces/headgate/secrets/admission";
constexpr char kConfiguration[] =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/headgate";

class WebhookCertificateTest : public ::testing::Test {
 protected:
  WebhookCertificateTest() {
    api_.Put(kSecret, {{"metadata", {{"name", "admission"}}}});
    api_.Put(kConfiguration, {{"webhooks",
                               {{{"name", "a"}, {"clientConfig", {{"url", "https://x"}}}},
                                {{"name", "b"}, {"clientConfig", {{"url", "https://y"}}}}}}});
  }
  ~WebhookCertificateTest() override {
    for (auto& controller : controllers_) controller->Stop();
  }

  // One of several controllers; `leads` is looked at each time.
  WebhookCertificate& Start(const std::atomic<bool>& leads) {
    WebhookCertificateOptions options;
    options.secret = {"headgate", "admission"};
    options.configuration = "headgate";
    options.certificate = {.names = names_, .lifetime = absl::Minutes(12)};
    metrics_.push_back(std::make_unique<MetricsRegistry>());
    controllers_.push_back(std::make_unique<WebhookCertificate>(
        options, api_.Connect(), [&leads] { return leads.load(); }, clock_, *metrics_.back()));
    controllers_.back()->Start();
    Rest();
    return *controllers_.back();
  }
  // Lets every thread do what it has to do now.
  void Rest() { ASSERT_TRUE(clock_.AwaitWaiters(static_cast<int>(controllers_.size()))); }
  // Each of them looks again, several times.
  void Pass(absl::Duration time) {
    const absl::Duration end = clock_.MonotonicNow() + time;
    while (clock_.MonotonicNow() < end) {
      clock_.Advance(std::min(absl::Seconds(10), end - clock_.MonotonicNow()));
      Rest();
      Check();
    }
  }
  // What each serves is what the API server trusts, always.
  void Check() {
    for (const auto& controller : controllers_) {
      const auto pair = controller->pair();
      if (pair == nullptr || !checking_) continue;
      EXPECT_TRUE(Trusts(Bundle(), pair->certificate, "admission.headgate.svc", clock_.WallNow()));
    }
  }
  std::string Bundle(int webhook = 0) const {
    std::string bundle;
    absl::Base64Unescape(
        api_.Find(kConfiguration)["webhooks"][webhook]["clientConfig"].value("caBundle", ""),
        &bundle);
    return bundle;
  }
  size_t Authorities() const {
    return std::vector<absl::string_view>(absl::StrSplit(Bundle(), "BEGIN CERTIFICATE")).size() - 1;
  }
  static std::string Served(const WebhookCertificate& controller) {
    const auto pair = controller.pair();
    return pair == nullptr ? "" : pair->certificate;
  }

  FakeClock clock_;
  FakeApiServer api_;
  std::vector<std::string> names_ = {"admission.headgate.svc", "192.0.2.1"};
  bool checking_ = true;
  const std::atomic<bool> yes_ = true, no_ = false;

 private:
  std::vector<std::unique_ptr<MetricsRegistry>> metrics_;
  std::vector<std::unique_ptr<WebhookCertificate>> controllers_;
};

TEST_F(WebhookCertificateTest, TheLeaderMakesItAndTheOthersServeIt) {
  const WebhookCertificate& other = Start(no_);
  EXPECT_EQ(other.pair(), nullptr);
  EXPECT_TRUE(api_.writes().empty());
  const WebhookCertificate& leader = Start(yes_);
  ASSERT_NE(leader.pair(), nullptr);
  Pass(absl::Seconds(20));
  EXPECT_EQ(Served(other), Served(leader));
  for (const std::string& name : names_)
    EXPECT_TRUE(Trusts(Bundle(0), Served(leader), name, clock_.WallNow())) << name;
  EXPECT_EQ(Bundle(1), Bundle(0));
  EXPECT_FALSE(Trusts(Bundle(), Served(leader), "other.headgate.svc", clock_.WallNow()));
  EXPECT_EQ(api_.Find(kConfiguration)["webhooks"][0]["clientConfig"]["url"], "https://x");
  EXPECT_EQ(api_.writes().size(), 2u) << "what is as it should be is not written again";
}

TEST_F(WebhookCertificateTest, AnotherIsAnnouncedBeforeItIsServed) {
  const WebhookCertificate& leader = Start(yes_);
  const WebhookCertificate& other = Start(no_);
  Pass(absl::Seconds(20));
  const std::string first = Served(leader);
  Pass(absl::Minutes(7));
  EXPECT_EQ(Served(leader), first);
  EXPECT_EQ(Authorities(), 1u);
  // A third of the lifetime is left.
  Pass(absl::Minutes(1));
  EXPECT_EQ(Authorities(), 2u);
  EXPECT_EQ(Served(leader), first) << "API servers may not have heard of the new authority";
  Pass(absl::Minutes(2));
  const std::string second = Served(leader);
  EXPECT_NE(second, first);
  EXPECT_EQ(Served(other), second);
  EXPECT_EQ(Authorities(), 2u) << "a controller may still serve the one before";
  Pass(absl::Minutes(10));
  EXPECT_NE(Served(leader), second);
  EXPECT_EQ(Authorities(), 2u) << "the first is forgotten";
}

TEST_F(WebhookCertificateTest, ItWaitsWhileTheApiServerCannotBeTold) {
  const WebhookCertificate& leader = Start(yes_);
  const std::string first = Served(leader);
  api_.Fail(500, "validatingwebhookconfigurations");
  Pass(absl::Minutes(9));
  EXPECT_EQ(Served(leader), first);
  api_.Fail(0);
  Pass(absl::Minutes(1));
  EXPECT_EQ(Served(leader), first) << "it was told a moment ago";
  Pass(absl::Minutes(2));
  EXPECT_NE(Served(leader), first);
}

TEST_F(WebhookCertificateTest, ANewLeaderGoesOnWhereTheOldOneStopped) {
  std::atomic<bool> first_leads = true, second_leads = false;
  const WebhookCertificate& first = Start(first_leads);
  const WebhookCertificate& second = Start(second_leads);
  Pass(absl::Minutes(8) + absl::Seconds(10));
  EXPECT_EQ(Authorities(), 2u);
  const std::string before = Served(first);
  first_leads = false;
  second_leads = true;
  Pass(absl::Seconds(30));
  EXPECT_EQ(Served(second), before) << "it does not know since when API servers were told";
  Pass(absl::Minutes(2));
  EXPECT_NE(Served(second), before);
  EXPECT_EQ(Served(first), Served(second));
}

TEST_F(WebhookCertificateTest, WhatIsTakenAwayIsPutBack) {
  const WebhookCertificate& leader = Start(yes_);
  const std::string bundle = Bundle();
  Json configuration = api_.Find(kConfiguration);
  configuration["webhooks"][1]["clientConfig"].erase("caBundle");
  api_.Put(kConfiguration, configuration);
  Pass(absl::Seconds(10));
  EXPECT_EQ(Bundle(1), bundle);
  // A Secret without content, as a new install of the same name would bring.
  checking_ = false;
  const std::string before = Served(leader);
  api_.Put(kSecret, {{"metadata", {{"name", "admission"}}}});
  Pass(absl::Seconds(20));
  EXPECT_NE(Served(leader), before);
  checking_ = true;
  Check();
}

TEST_F(WebhookCertificateTest, WithoutTheSecretNothingIsMade) {
  api_.Delete(kSecret);
  const WebhookCertificate& leader = Start(yes_);
  EXPECT_EQ(leader.pair(), nullptr);
  EXPECT_TRUE(api_.writes().empty());
}

TEST_F(WebhookCertificateTest, ACertificateForOtherNamesIsReplaced) {
  names_ = {"old.headgate.svc"};
  checking_ = false;
  std::atomic<bool> leads = true;
  const WebhookCertificate& old = Start(leads);
  EXPECT_TRUE(Trusts(Bundle(), Served(old), "old.headgate.svc", clock_.WallNow()));
  names_ = {"admission.headgate.svc"};
  leads = false;
  const WebhookCertificate& renamed = Start(yes_);
  Pass(absl::Minutes(2));
  EXPECT_TRUE(Trusts(Bundle(), Served(renamed), "admission.headgate.svc", clock_.WallNow()));
}

// One that somebody else made, such as the chart: it is used until it is time.
TEST(CertificateSecretTest, TakesWhatIsThereAndRefusesWhatDoesNotFit) {
  const absl::Time now = absl::Now();
  const PairSpec spec = {.names = {"a.example"}, .lifetime = absl::Hours(24)};
  CertificateSecret secret;
  EXPECT_EQ(NextStep(secret, spec, now, true), RotationStep::kMake);
  const testing::PemPair made = testing::MakeCertificate({"a.example"});
  secret.current =
      IssuedPair{.authority = made.chain, .certificate = made.chain, .key = SecretBytes(made.key)};
  EXPECT_EQ(NextStep(secret, spec, now, true), RotationStep::kNone);
  const testing::PemPair other = testing::MakeCertificate({"a.example"});
  secret.current->key = SecretBytes(other.key);
  EXPECT_EQ(NextStep(secret, spec, now, true), RotationStep::kMake) << "the key is another one's";
  secret.current->key = SecretBytes(made.key);
  secret.current->authority = other.chain;
  EXPECT_EQ(NextStep(secret, spec, now, true), RotationStep::kMake)
      << "the authority is another one's";
  secret.current->authority = "none";
  EXPECT_EQ(NextStep(secret, spec, now, true), RotationStep::kMake);
  secret.current.reset();
  secret.next =
      IssuedPair{.authority = made.chain, .certificate = made.chain, .key = SecretBytes(made.key)};
  EXPECT_EQ(NextStep(secret, spec, now, false), RotationStep::kPromote)
      << "nothing else can be served";
}

TEST(CertificateSecretTest, ReadsWhatItWrites) {
  CertificateSecret secret;
  const PairSpec spec = {.names = {"a.example"}, .lifetime = absl::Hours(24)};
  ASSERT_TRUE(Take(RotationStep::kMake, spec, absl::Now(), secret).ok());
  ASSERT_TRUE(Take(RotationStep::kAnnounce, spec, absl::Now(), secret).ok());
  ASSERT_TRUE(Take(RotationStep::kPromote, spec, absl::Now(), secret).ok());
  ASSERT_TRUE(Take(RotationStep::kAnnounce, spec, absl::Now(), secret).ok());
  Json document = {{"data", {{"stale", "eA=="}}}, {"metadata", {{"name", "x"}}}};
  PutCertificateSecret(secret, document);
  EXPECT_FALSE(document["data"].contains("stale"));
  const CertificateSecret read = ReadCertificateSecret(document);
  EXPECT_EQ(read.Bundle(), secret.Bundle());
  EXPECT_EQ(read.current->key, secret.current->key);
  EXPECT_EQ(read.next->certificate, secret.next->certificate);
  document["data"]["tls.key"] = "not base64!";
  EXPECT_FALSE(ReadCertificateSecret(document).current.has_value());
  for (const char* text :
       {"{}", "[]", R"({"data": 1})", R"({"data": {"tls.crt": 1, "tls.key": null}})"}) {
    EXPECT_FALSE(ReadCertificateSecret(Json::parse(text)).current.has_value()) << text;
  }
}

}  // namespace
}  // namespace headgate::app
