#include "controller/admission/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/support/kube_objects.h"

namespace headgate::admission {
namespace {

using headgate::testing::Backend;
using headgate::testing::Class;
using headgate::testing::SimpleIngress;
using headgate::testing::SimpleService;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

translate::Options TestOptions() {
  translate::Options options;
  options.fallback_certificate = {"chain", SecretBytes("key")};
  return options;
}

class JudgeTest : public ::testing::Test {
 protected:
  JudgeTest() {
    for (const kube::Kind kind :
         {kube::Kind::kIngress, kube::Kind::kIngressClass, kube::Kind::kService,
          kube::Kind::kEndpointSlice, kube::Kind::kSecret}) {
      state_.MarkSynced(kind);
    }
    Put(Class("headgate"));
    Put(SimpleService("shop", "web", 80, 8080));
    kube::Ingress first = Shop("first", "shop.example.com");
    first.meta.creation_time = 1000;
    Put(std::move(first));
    Turn();
  }
  void Put(kube::Object object) { state_.Apply(kube::Change(std::move(object))); }
  void Turn() {
    const state::Changes changes = state_.TakeChanges();
    translator_.Update(state_, changes, kNow);
    hosts_.Update(state_, changes.ingresses);
  }
  static kube::Ingress Shop(const std::string& name, const std::string& host) {
    return SimpleIngress("shop", name, host, Backend("web", 80));
  }
  static kube::Ingress With(kube::Ingress ingress, std::string annotation, std::string value) {
    ingress.meta.annotations.emplace_back("nginx.ingress.kubernetes.io/" + std::move(annotation),
                                          std::move(value));
    return ingress;
  }
  Verdict Ask(kube::Ingress candidate) {
    return Judge(std::move(candidate), state_, hosts_, translator_, kNow);
  }

  state::ClusterState state_{state::ClusterState::Options{}};
  translate::Translator translator_{TestOptions()};
  HostIndex hosts_{TestOptions().annotation_prefix};
};

TEST_F(JudgeTest, AGoodIngressIsAllowedWithoutAWord) {
  const Verdict verdict = Ask(Shop("new", "new.example.com"));
  EXPECT_TRUE(verdict.allowed);
  EXPECT_THAT(verdict.warnings, IsEmpty());
}

TEST_F(JudgeTest, WhatWouldBeRefusedIsRefusedAndSaysWhere) {
  const Verdict verdict =
      Ask(With(Shop("new", "new.example.com"), "permanent-redirect", "no address"));
  EXPECT_FALSE(verdict.allowed);
  EXPECT_THAT(verdict.reason, HasSubstr("nginx.ingress.kubernetes.io/permanent-redirect: "));
}

TEST_F(JudgeTest, AFormIsNotExcusedByAGoodOneBefore) {
  EXPECT_FALSE(
      Ask(With(Shop("first", "shop.example.com"), "permanent-redirect", "no address")).allowed);
}

TEST_F(JudgeTest, APathThatAnOlderIngressHasIsRefused) {
  const Verdict verdict = Ask(Shop("late", "SHOP.example.com"));
  EXPECT_FALSE(verdict.allowed);
  EXPECT_THAT(verdict.reason, HasSubstr("is already defined by Ingress shop/first"));
  kube::Ingress elsewhere = Shop("late", "shop.example.com");
  elsewhere.rules[0].paths[0].path = "/other";
  EXPECT_TRUE(Ask(elsewhere).allowed);
  // Itself is in nobody's way, nor is a canary.
  kube::Ingress again = Shop("first", "shop.example.com");
  again.meta.creation_time = 1000;
  EXPECT_TRUE(Ask(again).allowed);
  EXPECT_TRUE(
      Ask(With(With(Shop("late", "shop.example.com"), "canary", "true"), "canary-weight", "10"))
          .allowed);
}

TEST_F(JudgeTest, APathThatLooksLikeAPatternAndIsNoneByItsTypeIsRefused) {
  kube::Ingress candidate = Shop("new", "new.example.com");
  kube::IngressPath& path = candidate.rules[0].paths[0];
  path.path = "/a|b";
  for (const kube::PathType type : {kube::PathType::kExact, kube::PathType::kPrefix}) {
    path.type = type;
    const Verdict verdict = Ask(candidate);
    EXPECT_FALSE(verdict.allowed);
    EXPECT_THAT(verdict.reason, HasSubstr("spec.rules[0].http.paths[0].path: \"/a|b\" has"));
  }
  path.type = kube::PathType::kImplementationSpecific;
  EXPECT_TRUE(Ask(candidate).allowed);
  path = {"/A_b-c.d/0", kube::PathType::kPrefix, path.backend};
  const Verdict plain = Ask(candidate);
  EXPECT_TRUE(plain.allowed);
  EXPECT_THAT(plain.warnings, IsEmpty());
}

TEST_F(JudgeTest, AnAliasThatIsAnothersHostOrAliasIsWarnedOf) {
  const Verdict host = Ask(
      With(Shop("new", "new.example.com"), "server-alias", "Shop.example.com,free.example.com"));
  EXPECT_TRUE(host.allowed) << host.reason;
  EXPECT_THAT(host.warnings,
              ElementsAre(AllOf(HasSubstr("server-alias: "), HasSubstr("is a host by itself"))));
  kube::Ingress second =
      With(Shop("second", "second.example.com"), "server-alias", "alias.example.com");
  second.meta.creation_time = 2000;
  Put(std::move(second));
  Turn();
  const Verdict alias =
      Ask(With(Shop("new", "new.example.com"), "server-alias", "alias.example.com"));
  EXPECT_TRUE(alias.allowed) << alias.reason;
  EXPECT_THAT(alias.warnings,
              ElementsAre(HasSubstr("is already another name of \"second.example.com\"")));
  // One that takes a host that was only an alias of another may have it.
  EXPECT_THAT(Ask(Shop("new", "alias.example.com")).warnings, IsEmpty());
  state_.Apply(kube::Change(kube::Deletion{kube::Kind::kIngress, {"shop", "second"}}));
  Turn();
  EXPECT_THAT(
      Ask(With(Shop("new", "new.example.com"), "server-alias", "alias.example.com")).warnings,
      IsEmpty());
}

TEST_F(JudgeTest, WhatMayYetComeAndWhatIsIgnoredAreWarnings) {
  kube::Ingress candidate = SimpleIngress("shop", "new", "new.example.com", Backend("later", 80));
  candidate = With(std::move(candidate), "no-such-thing", "x");
  const Verdict verdict = Ask(std::move(candidate));
  EXPECT_TRUE(verdict.allowed) << verdict.reason;
  EXPECT_THAT(verdict.warnings,
              ::testing::UnorderedElementsAre(HasSubstr("no-such-thing"), HasSubstr("later")));
}

TEST_F(JudgeTest, AnIngressOfAnotherClassIsNotLookedAt) {
  kube::Ingress other = With(Shop("new", "shop.example.com"), "permanent-redirect", "no address");
  other.class_name = "nginx";
  const Verdict verdict = Ask(std::move(other));
  EXPECT_TRUE(verdict.allowed);
  EXPECT_THAT(verdict.warnings, IsEmpty());
}

TEST_F(JudgeTest, NothingIsTouched) {
  const translate::Translator::Work before = translator_.work();
  Ask(With(Shop("first", "shop.example.com"), "permanent-redirect", "no address"));
  Ask(Shop("new", "new.example.com"));
  EXPECT_EQ(translator_.work().ingresses, before.ingresses);
  EXPECT_FALSE(state_.HasChanges());
  EXPECT_EQ(state_.FindIngress({"shop", "new"}), nullptr);
}

TEST_F(JudgeTest, TheIndexFollowsTheState) {
  EXPECT_THAT(hosts_.Neighbours(Shop("new", "shop.example.com")),
              ElementsAre(kube::ObjectKey{"shop", "first"}));
  EXPECT_THAT(hosts_.Neighbours(Shop("first", "shop.example.com")), IsEmpty());
  Put(Shop("first", "moved.example.com"));
  Turn();
  EXPECT_THAT(hosts_.Neighbours(Shop("new", "shop.example.com")), IsEmpty());
  EXPECT_TRUE(Ask(Shop("new", "shop.example.com")).allowed);
  state_.Apply(kube::Change(kube::Deletion{kube::Kind::kIngress, {"shop", "first"}}));
  Turn();
  EXPECT_THAT(hosts_.Neighbours(Shop("new", "moved.example.com")), IsEmpty());
}

}  // namespace
}  // namespace headgate::admission
