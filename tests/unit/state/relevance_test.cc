#include "controller/state/relevance.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "tests/support/kube_objects.h"

namespace headgate::state {
namespace {

using testing::Class;

kube::Ingress WithClass(std::optional<std::string> name, const char* annotation = nullptr) {
  kube::Ingress ingress;
  ingress.meta = testing::Meta("default", "web");
  ingress.class_name = std::move(name);
  if (annotation != nullptr) {
    ingress.meta.annotations = {{"kubernetes.io/ingress.class", annotation}};
  }
  return ingress;
}

kube::IngressClass Default(kube::IngressClass ingress_class, int64_t created) {
  ingress_class.meta.annotations = {{"ingressclass.kubernetes.io/is-default-class", "true"}};
  ingress_class.meta.creation_time = created;
  return ingress_class;
}

Relevance Build(RelevanceOptions options, const std::vector<kube::IngressClass>& classes) {
  Relevance relevance(std::move(options));
  std::vector<const kube::IngressClass*> pointers;
  for (const auto& ingress_class : classes) pointers.push_back(&ingress_class);
  relevance.Rebuild(pointers);
  return relevance;
}

TEST(RelevanceTest, OwnsTheClassesOfOurController) {
  const Relevance relevance =
      Build({}, {Class("internal"), Class("nginx", "k8s.io/ingress-nginx")});
  EXPECT_TRUE(relevance.Owns(WithClass("internal")));
  EXPECT_FALSE(relevance.Owns(WithClass("nginx")));
  EXPECT_FALSE(relevance.Owns(WithClass("missing")));
}

TEST(RelevanceTest, TakesOverAnotherControllersClassesWhenTold) {
  RelevanceOptions options;
  options.controller_class = "k8s.io/ingress-nginx";
  const Relevance relevance =
      Build(options, {Class("nginx", "k8s.io/ingress-nginx"), Class("own")});
  EXPECT_TRUE(relevance.Owns(WithClass("nginx")));
  EXPECT_FALSE(relevance.Owns(WithClass("own")));
}

TEST(RelevanceTest, ClassByNameIgnoresTheController) {
  RelevanceOptions options;
  options.ingress_class = "nginx";
  options.ingress_class_by_name = true;
  const std::vector<kube::IngressClass> classes = {Class("nginx", "k8s.io/ingress-nginx"),
                                                   Class("other", "example.com/other")};
  EXPECT_TRUE(Build(options, classes).Owns(WithClass("nginx")));
  EXPECT_FALSE(Build(options, classes).Owns(WithClass("other")));
  options.ingress_class_by_name = false;
  EXPECT_FALSE(Build(options, classes).Owns(WithClass("nginx")));
}

TEST(RelevanceTest, LegacyAnnotationNamesOurClassUnlessTheFieldIsSet) {
  const Relevance relevance = Build({}, {Class("internal")});
  EXPECT_TRUE(relevance.Owns(WithClass(std::nullopt, "headgate")));
  EXPECT_FALSE(relevance.Owns(WithClass(std::nullopt, "nginx")));
  EXPECT_FALSE(relevance.Owns(WithClass("missing", "headgate")));
  EXPECT_TRUE(relevance.Owns(WithClass("internal", "nginx")));
}

TEST(RelevanceTest, WithoutClassOnlyWhenAskedFor) {
  EXPECT_FALSE(Build({}, {Class("headgate")}).Owns(WithClass(std::nullopt)));
  RelevanceOptions options;
  options.watch_without_class = true;
  EXPECT_TRUE(Build(options, {}).Owns(WithClass(std::nullopt)));
  EXPECT_FALSE(Build(options, {}).Owns(WithClass(std::nullopt, "nginx")));
}

TEST(RelevanceTest, DefaultClassTakesIngressesWithoutClass) {
  EXPECT_TRUE(Build({}, {Default(Class("headgate"), 5)}).Owns(WithClass(std::nullopt)));
  // The newest default class wins, as in the API server's admission.
  const kube::IngressClass theirs = Class("nginx", "k8s.io/ingress-nginx");
  EXPECT_FALSE(
      Build({}, {Default(Class("headgate"), 5), Default(theirs, 6)}).Owns(WithClass(std::nullopt)));
  EXPECT_TRUE(
      Build({}, {Default(Class("headgate"), 6), Default(theirs, 6)}).Owns(WithClass(std::nullopt)));
}

TEST(RelevanceTest, OtherNamespacesAreNotOurs) {
  RelevanceOptions options;
  options.watch_namespace = "team-a";
  EXPECT_FALSE(Build(options, {Class("headgate")}).Owns(WithClass("headgate")));
  options.watch_namespace = "default";
  EXPECT_TRUE(Build(options, {Class("headgate")}).Owns(WithClass("headgate")));
}

}  // namespace
}  // namespace headgate::state
