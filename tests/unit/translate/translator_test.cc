#include "controller/translate/translator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "absl/time/clock.h"
#include "tests/support/certificates.h"
#include "tests/support/dh_parameters.h"
#include "tests/support/kube_objects.h"
#include "tests/unit/translate/held_snapshot.h"

namespace headgate::translate {
namespace {

using headgate::testing::Backend;
using headgate::testing::Class;
using headgate::testing::Ipv4;
using headgate::testing::MakeCertificate;
using headgate::testing::PemPair;
using headgate::testing::SimpleIngress;
using headgate::testing::SimpleService;
using headgate::testing::Slice;
using kube::Kind;
using kube::ObjectKey;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kRedirect = "nginx.ingress.kubernetes.io/permanent-redirect";

kube::Secret TlsSecret(const std::string& name, const PemPair& pair) {
  kube::Secret secret;
  secret.meta = headgate::testing::Meta("default", name);
  secret.data.emplace_back("tls.crt", SecretBytes(pair.chain));
  secret.data.emplace_back("tls.key", SecretBytes(pair.key));
  return secret;
}

class TranslatorTest : public ::testing::Test {
 protected:
  TranslatorTest() { Put(Class("headgate")); }

  void Put(kube::Object object) { state_.Apply(kube::Change(std::move(object))); }
  void Drop(Kind kind, ObjectKey key) {
    state_.Apply(kube::Change(kube::Deletion{kind, std::move(key)}));
  }
  // Translates what changed; returns what it did to the snapshot.
  TranslationUpdate Update() {
    TranslationUpdate update = translator_.Update(state_, state_.TakeChanges(), now_);
    held_.Apply(update);
    return update;
  }
  static std::vector<std::string> Names(const TranslationUpdate& update) {
    std::vector<std::string> names;
    for (const auto& resource : update.upserted) names.push_back(resource->name());
    return names;
  }
  kube::Ingress WithTls(std::string host, std::string secret) {
    kube::Ingress ingress = SimpleIngress("default", "shop", host, Backend("web", 80));
    ingress.tls = {{{std::move(host)}, std::move(secret)}};
    return ingress;
  }
  const std::string& ServedChain(const std::string& name) {
    static const std::string kNone;
    const v1::Resource* resource = held_.Find(name);
    return resource != nullptr ? resource->certificate().chain_pem() : kNone;
  }

  state::ClusterState state_{state::ClusterState::Options{}};
  Translator translator_{Options{}};
  HeldSnapshot held_;
  absl::Time now_ = absl::Now();
};

TEST_F(TranslatorTest, TheFirstUpdateIsEverythingAndTheNextOneIsNothing) {
  Put(SimpleIngress("default", "shop", "shop.test", Backend("web", 80)));
  Put(SimpleService("default", "web", 80, 8080));
  EXPECT_THAT(Names(Update()),
              ElementsAre("cert/default", "cluster/default/web/80", "endpoints/default/web/80",
                          "settings", "vhost/shop.test"));
  EXPECT_FALSE(Update().ChangesSnapshot());
}

TEST_F(TranslatorTest, AnEndpointChangeTouchesItsEndpointsAlone) {
  Put(SimpleIngress("default", "shop", "shop.test", Backend("web", 80)));
  Put(SimpleService("default", "web", 80, 8080));
  Put(Slice("default", "web-1", "web", 8080, {Ipv4(10, 0, 0, 1)}));
  Update();
  Put(Slice("default", "web-1", "web", 8080, {Ipv4(10, 0, 0, 2)}));
  EXPECT_THAT(Names(Update()), ElementsAre("endpoints/default/web/80"));
}

// Counted, not timed: the units redone for a change are the same at 10 and at 1,000 Ingresses.
TEST_F(TranslatorTest, TheWorkForAChangeDoesNotGrowWithTheNumberOfIngresses) {
  const auto work_for_changes = [](int count) {
    state::ClusterState state{state::ClusterState::Options{}};
    const auto put = [&](kube::Object object) { state.Apply(kube::Change(std::move(object))); };
    put(Class("headgate"));
    for (int i = 0; i < count; ++i) {
      const std::string n = std::to_string(i);
      put(SimpleIngress("default", "i" + n, "host" + n + ".test", Backend("s" + n, 80)));
      put(SimpleService("default", "s" + n, 80, 8080));
      put(Slice("default", "e" + n, "s" + n, 8080, {Ipv4(10, 0, 0, 1)}));
    }
    Translator translator{Options{}};
    translator.Update(state, state.TakeChanges(), absl::UnixEpoch());
    const Translator::Work before = translator.work();
    put(Slice("default", "e7", "s7", 8080, {Ipv4(10, 0, 0, 2)}));
    translator.Update(state, state.TakeChanges(), absl::UnixEpoch());
    put(SimpleIngress("default", "i7", "host7.test", Backend("s8", 80)));
    translator.Update(state, state.TakeChanges(), absl::UnixEpoch());
    const Translator::Work& after = translator.work();
    return std::vector<uint64_t>{after.ingresses - before.ingresses,
                                 after.certificates - before.certificates,
                                 after.hosts - before.hosts, after.clusters - before.clusters,
                                 after.endpoints - before.endpoints};
  };
  EXPECT_THAT(work_for_changes(10), ElementsAre(1, 0, 1, 0, 1));
  EXPECT_EQ(work_for_changes(10), work_for_changes(1000));
}

TEST_F(TranslatorTest, AChangeBackAndForthWithinABatchIsNoChange) {
  Put(SimpleIngress("default", "shop", "shop.test", Backend("web", 80)));
  Update();
  Put(SimpleIngress("default", "shop", "other.test", Backend("web", 80)));
  Put(SimpleIngress("default", "shop", "shop.test", Backend("web", 80)));
  EXPECT_FALSE(Update().ChangesSnapshot());
}

TEST_F(TranslatorTest, WhatNobodyRefersToIsNotPublished) {
  Put(SimpleService("default", "idle", 80, 8080));
  Put(TlsSecret("idle", MakeCertificate({"shop.test"})));
  EXPECT_THAT(Names(Update()), ElementsAre("cert/default", "settings"));
  EXPECT_EQ(translator_.work().certificates, 0u);
}

TEST_F(TranslatorTest, RemovingAnIngressTakesAlongWhatItAloneUsed) {
  Put(WithTls("shop.test", "shop-tls"));
  Put(TlsSecret("shop-tls", MakeCertificate({"shop.test"})));
  Put(SimpleService("default", "web", 80, 8080));
  Put(SimpleIngress("default", "blog", "blog.test", Backend("web", 80)));
  Update();
  Drop(Kind::kIngress, {"default", "shop"});
  EXPECT_THAT(Update().removed, ElementsAre("cert/default/shop-tls", "vhost/shop.test"));
  Drop(Kind::kIngress, {"default", "blog"});
  EXPECT_THAT(Update().removed,
              ElementsAre("cluster/default/web/80", "endpoints/default/web/80", "vhost/blog.test"));
}

// --- last good forms ---

TEST_F(TranslatorTest, ARefusedIngressKeepsItsLastGoodForm) {
  kube::Ingress ingress = SimpleIngress("default", "shop", "shop.test", Backend("web", 80));
  Put(ingress);
  Update();
  ingress.meta.annotations = {{kRedirect, "no url"}};
  ingress.rules[0].host = "new.test";
  Put(ingress);
  EXPECT_FALSE(Update().ChangesSnapshot());
  EXPECT_THAT(held_.Diagnostics(), Contains(HasSubstr(kRedirect)));

  ingress.meta.annotations.clear();
  Put(ingress);
  const TranslationUpdate update = Update();
  EXPECT_THAT(Names(update), ElementsAre("vhost/new.test"));
  EXPECT_THAT(update.removed, ElementsAre("vhost/shop.test"));
  EXPECT_EQ(update.cleared.size(), 1u);
}

TEST_F(TranslatorTest, DhParametersChangeAtOnceAndKeepTheirLastGoodForm) {
  using headgate::testing::kDhParameters;
  using headgate::testing::kWeakDhParameters;
  Options options;
  options.config_map = ObjectKey{"headgate", "options"};
  Translator translator(options);
  const auto served = [&] {
    held_.Apply(translator.Update(state_, state_.TakeChanges(), now_));
    return held_.Find("settings")->settings().tls().dh_parameters();
  };
  const auto put_secret = [&](std::string_view pem) {
    kube::Secret secret;
    secret.meta = headgate::testing::Meta("crypto", "dh");
    secret.data.emplace_back("dhparam.pem", SecretBytes(pem));
    Put(std::move(secret));
  };
  kube::ConfigMap config_map;
  config_map.meta = headgate::testing::Meta("headgate", "options");
  config_map.data.emplace_back("ssl-dh-param", "crypto/dh");
  Put(config_map);
  EXPECT_EQ(served(), "");
  EXPECT_THAT(held_.Diagnostics(), ElementsAre(HasSubstr("Secret crypto/dh: it does not exist")));
  put_secret(kDhParameters);
  EXPECT_EQ(served(), kDhParameters);
  EXPECT_THAT(held_.Diagnostics(), IsEmpty());
  put_secret(kWeakDhParameters);
  EXPECT_EQ(served(), kDhParameters);
  EXPECT_THAT(held_.Diagnostics(), ElementsAre(AllOf(HasSubstr("data[dhparam.pem]: the prime has"),
                                                     HasSubstr("its last good form stays"))));
  Drop(Kind::kSecret, {"crypto", "dh"});
  EXPECT_EQ(served(), "") << "deleting is a decision";
  put_secret(kWeakDhParameters);
  EXPECT_EQ(served(), "");
}

TEST_F(TranslatorTest, ARefusedIngressThatWasNeverGoodIsNotServed) {
  kube::Ingress ingress = SimpleIngress("default", "shop", "shop.test", Backend("web", 80));
  ingress.meta.annotations = {{kRedirect, "no url"}};
  Put(ingress);
  Update();
  EXPECT_EQ(held_.Find("vhost/shop.test"), nullptr);
}

TEST_F(TranslatorTest, ADeletedIngressLeavesNoLastGoodForm) {
  kube::Ingress ingress = SimpleIngress("default", "shop", "shop.test", Backend("web", 80));
  Put(ingress);
  Update();
  Drop(Kind::kIngress, {"default", "shop"});
  Update();
  ingress.meta.annotations = {{kRedirect, "no url"}};
  Put(ingress);
  Update();
  EXPECT_EQ(held_.Find("vhost/shop.test"), nullptr);
  EXPECT_THAT(translator_.last_good().ingresses, IsEmpty());
}

TEST_F(TranslatorTest, AMalformedIngressKeepsItsLastGoodForm) {
  Put(SimpleIngress("default", "shop", "shop.test", Backend("web", 80)));
  Update();
  state_.Apply(
      kube::Change(kube::MalformedObject{Kind::kIngress,
                                         {"default", "shop"},
                                         "",
                                         "Ingress default/shop: spec.rules: must be a list"}));
  EXPECT_FALSE(Update().ChangesSnapshot());
  EXPECT_THAT(held_.Diagnostics(),
              Contains(HasSubstr("Ingress default/shop spec.rules Undecodable")));
}

TEST_F(TranslatorTest, ASecretReplacedByGarbageKeepsTheLastGoodCertificate) {
  const PemPair good = MakeCertificate({"shop.test"});
  const PemPair next = MakeCertificate({"shop.test"});
  Put(SimpleService("default", "web", 80, 8080));
  Put(WithTls("shop.test", "shop-tls"));
  Put(TlsSecret("shop-tls", good));
  Update();
  for (const PemPair& bad : {PemPair{"garbage", "garbage"}, PemPair{good.chain, next.key},
                             PemPair{good.chain, ""}, PemPair{"", ""}}) {
    Put(TlsSecret("shop-tls", bad));
    EXPECT_FALSE(Update().ChangesSnapshot());
    EXPECT_EQ(ServedChain("cert/default/shop-tls"), good.chain);
    EXPECT_THAT(held_.Diagnostics(),
                ElementsAre(AllOf(HasSubstr("Secret default/shop-tls data["),
                                  HasSubstr("the last good certificate stays in use"))));
  }
  Put(TlsSecret("shop-tls", next));
  EXPECT_THAT(Names(Update()), ElementsAre("cert/default/shop-tls"));
  EXPECT_EQ(ServedChain("cert/default/shop-tls"), next.chain);
  EXPECT_THAT(held_.Diagnostics(), IsEmpty());
}

TEST_F(TranslatorTest, ADeletedSecretGivesWayToTheDefaultCertificate) {
  Put(WithTls("shop.test", "shop-tls"));
  Put(TlsSecret("shop-tls", MakeCertificate({"shop.test"})));
  Update();
  Drop(Kind::kSecret, {"default", "shop-tls"});
  const TranslationUpdate update = Update();
  EXPECT_THAT(update.removed, ElementsAre("cert/default/shop-tls"));
  EXPECT_THAT(held_.Find("vhost/shop.test")->virtual_host().certificates(), IsEmpty());
  EXPECT_TRUE(held_.Find("vhost/shop.test")->virtual_host().tls_configured());
  EXPECT_THAT(translator_.last_good().secrets, IsEmpty());
}

TEST_F(TranslatorTest, RenewingACertificateTouchesTheCertificateAlone) {
  Put(WithTls("shop.test", "shop-tls"));
  Put(TlsSecret("shop-tls", MakeCertificate({"shop.test"})));
  Update();
  const uint64_t hosts = translator_.work().hosts;
  Put(TlsSecret("shop-tls", MakeCertificate({"shop.test"})));
  EXPECT_THAT(Names(Update()), ElementsAre("cert/default/shop-tls"));
  EXPECT_EQ(translator_.work().hosts, hosts);
}

TEST_F(TranslatorTest, TheExpiryOfACertificateIsNoticedByTheClockAlone) {
  Put(SimpleService("default", "web", 80, 8080));
  Put(WithTls("shop.test", "shop-tls"));
  Put(TlsSecret("shop-tls", MakeCertificate({"shop.test"})));
  Update();
  EXPECT_THAT(held_.Diagnostics(), IsEmpty());
  now_ += absl::Hours(24 * 356);
  EXPECT_EQ(Update().raised.size(), 1u);
  EXPECT_THAT(held_.Diagnostics(), ElementsAre(HasSubstr("CertificateExpiresSoon")));
  now_ += absl::Hours(24 * 10);
  EXPECT_FALSE(Update().ChangesSnapshot());
  EXPECT_THAT(held_.Diagnostics(), ElementsAre(HasSubstr("CertificateExpired")));
}

TEST_F(TranslatorTest, AnIngressClassThatComesLaterBringsItsIngresses) {
  Drop(Kind::kIngressClass, {"", "headgate"});
  Put(SimpleIngress("default", "shop", "shop.test", Backend("web", 80)));
  Update();
  EXPECT_EQ(held_.Find("vhost/shop.test"), nullptr);
  Put(Class("headgate"));
  EXPECT_THAT(Names(Update()), ElementsAre("vhost/shop.test"));
  Drop(Kind::kIngressClass, {"", "headgate"});
  EXPECT_THAT(Update().removed, ElementsAre("vhost/shop.test"));
}

TEST_F(TranslatorTest, AServiceThatComesLaterClearsItsDiagnostics) {
  Put(SimpleIngress("default", "shop", "shop.test", Backend("web", 80)));
  Update();
  EXPECT_THAT(held_.Diagnostics(), ElementsAre(HasSubstr("ServiceNotFound")));
  Put(SimpleService("default", "web", 80, 8080));
  EXPECT_THAT(Names(Update()), ElementsAre("cluster/default/web/80", "endpoints/default/web/80"));
  EXPECT_THAT(held_.Diagnostics(), IsEmpty());
}

TEST_F(TranslatorTest, AConflictEndsWithItsWinner) {
  kube::Ingress old = SimpleIngress("default", "old", "shop.test", Backend("web", 80));
  old.meta.creation_time = 1;
  kube::Ingress young = SimpleIngress("default", "young", "shop.test", Backend("api", 80));
  young.meta.creation_time = 2;
  Put(young);
  Put(old);
  Update();
  const auto service = [&] {
    return held_.Find("vhost/shop.test")->virtual_host().routes(0).origin().service();
  };
  EXPECT_EQ(service(), "web");
  EXPECT_THAT(held_.Diagnostics(), Contains(AllOf(HasSubstr("Ingress default/young"),
                                                  HasSubstr("Ingress default/old"))));
  Drop(Kind::kIngress, {"default", "old"});
  Update();
  EXPECT_EQ(service(), "api");
  EXPECT_THAT(held_.Diagnostics(), Not(Contains(HasSubstr("PathConflict"))));
}

}  // namespace
}  // namespace headgate::translate
