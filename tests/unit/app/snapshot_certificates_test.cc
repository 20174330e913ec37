#include "controller/app/snapshot_certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/strings.h"
#include "controller/app/x509_issuer.h"
#include "tests/support/fake_api_server.h"
#include "tests/unit/app/trust.h"

namespace headgate::app {
namespace {

using headgate::testing::FakeApiServer;
using kube::Json;
using ::testing::HasSubstr;

constexpr char kController[] = "/api/v1/namespaces/headgate/secrets/controller-tls";
constexpr char kDataPlane[] = "/api/v1/namespaces/headgate/secrets/dataplane-tls";
constexpr char kName[] = "controller.headgate.svc";
constexpr absl::Duration kLifetime = absl::Minutes(12);
constexpr absl::Duration kSettle = absl::Minutes(1);  // a twelfth of it

// The files of a pod.
struct Files {
  std::string trusted, certificate;
};

class SnapshotCertificatesTest : public ::testing::Test {
 protected:
  SnapshotCertificatesTest() { Install(kLifetime); }
  ~SnapshotCertificatesTest() override {
    for (auto& controller : controllers_) controller->Stop();
  }

  // What the chart makes: two certificates of one authority.
  void Install(absl::Duration lifetime) {
    const absl::Time now = clock_.WallNow();
    CertificateSpec spec = {.subject = {{"CN", "ca"}},
                            .extensions = {{"basicConstraints", "critical,CA:TRUE"}},
                            .not_before = now - absl::Hours(1),
                            .not_after = now + lifetime};
    const auto authority = Issue(spec, KeyPtr(EVP_EC_gen("P-256")));
    ASSERT_TRUE(authority.ok());
    const auto put = [&](const char* path, CertificateSpec::Fields extensions) {
      spec.subject = {{"CN", "leaf"}};
      spec.extensions = std::move(extensions);
      const auto leaf = Issue(spec, KeyPtr(EVP_EC_gen("P-256")), &*authority);
      ASSERT_TRUE(leaf.ok());
      api_.Put(path,
               {{"metadata", {{"name", "x"}}},
                {"data",
                 {{"ca.crt", absl::Base64Escape(CertificateToPem(authority->certificate.get()))},
                  {"tls.crt", absl::Base64Escape(CertificateToPem(leaf->certificate.get()))},
                  {"tls.key", absl::Base64Escape(ToAbsl(KeyToPem(leaf->key.get()).Reveal()))}}}});
    };
    put(kController, {{"subjectAltName", StrCat("DNS:", kName)}});
    put(kDataPlane, {{"extendedKeyUsage", "clientAuth"}});
  }

  // One of several controllers.
  void Start(const std::atomic<bool>& leads) {
    SnapshotCertificatesOptions options;
    options.controller = {"headgate", "controller-tls"};
    options.data_plane = {"headgate", "dataplane-tls"};
    options.names = {kName};
    options.lifetime = kLifetime;
    metrics_.push_back(std::make_unique<MetricsRegistry>());
    controllers_.push_back(std::make_unique<SnapshotCertificates>(
        std::move(options), api_.Connect(), [&leads] { return leads.load(); }, clock_,
        *metrics_.back()));
    controllers_.back()->Start();
    Rest();
  }
  void Rest() { ASSERT_TRUE(clock_.AwaitWaiters(static_cast<int>(controllers_.size()))); }
  // Time passes for all, and pods read their files some time after they are written.
  void Pass(absl::Duration time) {
    constexpr absl::Duration kStep = absl::Seconds(10);
    const absl::Duration end = clock_.MonotonicNow() + time;
    while (clock_.MonotonicNow() < end) {
      clock_.Advance(std::min(kStep, end - clock_.MonotonicNow()));
      Rest();
      controller_files_.push_back(Read(kController));
      data_plane_files_.push_back(Read(kDataPlane));
      if (controller_files_.size() * kStep >= kSettle) {
        controller_files_.pop_front();
        data_plane_files_.pop_front();
      }
      CheckAll();
    }
  }
  // Whichever of the last files the one has that has not read the newest yet.
  void CheckAll() {
    for (const Files& controller : controller_files_) Check(controller, data_plane_files_.back());
    for (const Files& data_plane : data_plane_files_) Check(controller_files_.back(), data_plane);
  }
  // The two ends take each other's certificate.
  void Check(const Files& controller, const Files& data_plane) {
    ASSERT_TRUE(Trusts(data_plane.trusted, controller.certificate, kName, clock_.WallNow()));
    ASSERT_TRUE(Trusts(controller.trusted, data_plane.certificate, "", clock_.WallNow(),
                       X509_PURPOSE_SSL_CLIENT));
  }
  Files Read(const char* path) const {
    const Json document = api_.Find(path);
    return {SecretEntry(document, "ca.crt"), SecretEntry(document, "tls.crt")};
  }

  FakeClock clock_;
  FakeApiServer api_;
  const std::atomic<bool> yes_ = true, no_ = false;
  std::vector<std::unique_ptr<MetricsRegistry>> metrics_;

 private:
  std::deque<Files> controller_files_, data_plane_files_;
  std::vector<std::unique_ptr<SnapshotCertificates>> controllers_;
};

TEST_F(SnapshotCertificatesTest, BothAreReplacedAgainAndAgainAndNobodyIsCutOff) {
  Start(yes_);
  Start(no_);
  const Files controller = Read(kController), data_plane = Read(kDataPlane);
  Pass(absl::Minutes(7));
  EXPECT_EQ(Read(kController).certificate, controller.certificate) << "it is not time yet";
  EXPECT_EQ(Read(kDataPlane).certificate, data_plane.certificate);
  std::string last_controller = controller.certificate, last_data_plane = data_plane.certificate;
  for (int i = 0; i < 4; ++i) {
    Pass(absl::Minutes(11));
    EXPECT_NE(Read(kController).certificate, last_controller);
    EXPECT_NE(Read(kDataPlane).certificate, last_data_plane);
    last_controller = Read(kController).certificate;
    last_data_plane = Read(kDataPlane).certificate;
  }
  EXPECT_FALSE(Trusts(Read(kDataPlane).trusted, controller.certificate, kName,
                      clock_.WallNow() - absl::Minutes(45)))
      << "the first authority is trusted no longer";
  EXPECT_THAT(metrics_[1]->Render(), HasSubstr("{side=\"dataplane\"}"));
}

TEST_F(SnapshotCertificatesTest, WhoDoesNotLeadWritesNothing) {
  Start(no_);
  Pass(absl::Minutes(9));
  EXPECT_TRUE(api_.writes().empty());
}

TEST_F(SnapshotCertificatesTest, WhatIsAsItShouldBeIsNotWrittenAgain) {
  Start(yes_);
  Pass(absl::Minutes(6));
  EXPECT_EQ(api_.writes().size(), 2u) << "each once, with its authority";
}

TEST_F(SnapshotCertificatesTest, ItWaitsWhileOneSideCannotBeTold) {
  Start(yes_);
  Pass(absl::Minutes(1));
  const Files before = Read(kController);
  api_.Fail(500, "dataplane-tls");
  Pass(absl::Minutes(8));
  EXPECT_EQ(Read(kController).certificate, before.certificate);
  EXPECT_THAT(metrics_[0]->Render(), HasSubstr("headgate_snapshot_certificate_failures_total"));
  api_.Fail(0);
  Pass(absl::Minutes(2));
  EXPECT_NE(Read(kController).certificate, before.certificate);
}

TEST_F(SnapshotCertificatesTest, ANewLeaderWaitsAgain) {
  std::atomic<bool> first = true, second = false;
  Start(first);
  Start(second);
  Pass(absl::Minutes(8) + absl::Seconds(30));
  const std::string before = Read(kController).certificate;
  first = false;
  second = true;
  Pass(absl::Minutes(3));
  EXPECT_NE(Read(kController).certificate, before);
}

TEST_F(SnapshotCertificatesTest, WhatHasExpiredOrIsGoneIsMadeAnew) {
  Install(-absl::Minutes(1));
  Start(yes_);
  Pass(kSettle);
  Json emptied = api_.Find(kController);
  emptied.erase("data");
  api_.Put(kController, emptied);
  clock_.Advance(absl::Minutes(1));
  Rest();
  const Files controller = Read(kController), data_plane = Read(kDataPlane);
  EXPECT_TRUE(Trusts(data_plane.trusted, controller.certificate, kName, clock_.WallNow()));
  EXPECT_TRUE(Trusts(controller.trusted, data_plane.certificate, "", clock_.WallNow(),
                     X509_PURPOSE_SSL_CLIENT));
}

}  // namespace
}  // namespace headgate::app
