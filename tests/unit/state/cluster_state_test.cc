#include "controller/state/cluster_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/kube_objects.h"

namespace headgate::state {
namespace {

using kube::Kind;
using kube::ObjectKey;
using testing::Backend;
using testing::Class;
using testing::Ipv4;
using ::testing::IsEmpty;
using testing::SimpleIngress;
using testing::SimpleService;
using testing::Slice;
using ::testing::UnorderedElementsAre;

kube::Replacement List(Kind kind, std::vector<kube::Object> objects) {
  kube::Replacement list;
  list.kind = kind;
  list.objects = std::move(objects);
  return list;
}

kube::Service Versioned(kube::Service service, std::string version) {
  service.meta.resource_version = std::move(version);
  return service;
}

class ClusterStateTest : public ::testing::Test {
 protected:
  void Put(kube::Object object) { state_.Apply(kube::Change(std::move(object))); }
  void Drop(Kind kind, ObjectKey key) {
    state_.Apply(kube::Change(kube::Deletion{kind, std::move(key)}));
  }

  ClusterState state_{ClusterState::Options{}};
};

TEST_F(ClusterStateTest, IsSyncedOnceEveryRequiredKindIs) {
  for (Kind kind : {Kind::kIngress, Kind::kIngressClass, Kind::kService, Kind::kEndpointSlice}) {
    state_.Apply(List(kind, {}));
    state_.MarkSynced(kind);
    EXPECT_FALSE(state_.Synced());
  }
  state_.MarkSynced(Kind::kConfigMap);  // not required
  EXPECT_FALSE(state_.Synced());
  state_.MarkSynced(Kind::kSecret);
  EXPECT_TRUE(state_.Synced());
}

TEST_F(ClusterStateTest, AStatusIsNoChangeOfWhatAnIngressAsksFor) {
  Put(Class("headgate"));
  kube::Ingress ours = SimpleIngress("a", "ours", "a.example.com", Backend("web", 80), "1");
  kube::Ingress other = SimpleIngress("a", "other", "b.example.com", Backend("web", 80), "1");
  other.class_name = "nginx";
  Put(ours);
  Put(other);
  state_.TakeChanges();
  for (kube::Ingress* ingress : {&ours, &other}) {
    ingress->addresses = {"192.0.2.1"};
    ingress->meta.resource_version = "2";
    Put(*ingress);
  }
  EXPECT_TRUE(state_.HasChanges());
  const Changes changes = state_.TakeChanges();
  EXPECT_THAT(changes.ingresses, IsEmpty());
  EXPECT_THAT(changes.statuses, UnorderedElementsAre(ObjectKey{"a", "ours"}));
  EXPECT_THAT(state_.FindIngress({"a", "ours"})->addresses, ::testing::ElementsAre("192.0.2.1"));
}

TEST_F(ClusterStateTest, KnowsWhichConfigMapsWereLookedFor) {
  EXPECT_FALSE(state_.KnowsConfigMap({"a", "files"}));
  kube::Replacement list = List(Kind::kConfigMap, {});
  list.ns = "a";
  list.name = "files";
  state_.Apply(list);
  EXPECT_THAT(state_.TakeChanges().config_maps, UnorderedElementsAre(ObjectKey{"a", "files"}));
  EXPECT_TRUE(state_.KnowsMissingConfigMap({"a", "files"}));
  EXPECT_FALSE(state_.KnowsConfigMap({"a", "other"}));

  kube::ConfigMap files;
  files.meta = testing::Meta("a", "files");
  kube::ConfigMap other;
  other.meta = testing::Meta("a", "other");
  Put(files);
  Put(other);
  EXPECT_FALSE(state_.KnowsMissingConfigMap({"a", "files"}));
  state_.Apply(list);  // says nothing of the other
  EXPECT_TRUE(state_.KnowsMissingConfigMap({"a", "files"}));
  EXPECT_NE(state_.FindConfigMap({"a", "other"}), nullptr);
}

TEST_F(ClusterStateTest, KnowsWhichSecretsAreRead) {
  EXPECT_TRUE(state_.ReadsSecret({"any", "where"}));
  ClusterState::Options options;
  options.secrets = {{"shop", ""}, {"edge", "tls"}};
  const ClusterState some(options);
  EXPECT_TRUE(some.ReadsSecret({"shop", "any"}));
  EXPECT_TRUE(some.ReadsSecret({"edge", "tls"}));
  EXPECT_FALSE(some.ReadsSecret({"edge", "other"}));
  EXPECT_FALSE(some.ReadsSecret({"tls", "edge"}));
  const ClusterState copy(some, {});
  EXPECT_FALSE(copy.ReadsSecret({"edge", "other"}));
}

TEST_F(ClusterStateTest, NamesWhatChanged) {
  Put(SimpleService("a", "web", 80, 8080));
  Put(Slice("a", "web-1", "web", 8080, {Ipv4(10, 0, 0, 1)}));
  const Changes changes = state_.TakeChanges();
  EXPECT_THAT(changes.services, UnorderedElementsAre(ObjectKey{"a", "web"}));
  EXPECT_THAT(changes.endpoints, UnorderedElementsAre(ObjectKey{"a", "web"}));
  EXPECT_FALSE(state_.HasChanges());
}

TEST_F(ClusterStateTest, AnUpdateOfBookkeepingAloneIsNoChange) {
  Put(Versioned(SimpleService("a", "web", 80, 8080), "5"));
  state_.TakeChanges();
  Put(Versioned(SimpleService("a", "web", 80, 8080), "6"));
  EXPECT_FALSE(state_.HasChanges());
  EXPECT_EQ(state_.FindService({"a", "web"})->meta.resource_version, "6");
}

TEST_F(ClusterStateTest, VersionsNeverGoBack) {
  Put(Versioned(SimpleService("a", "web", 80, 8080), "10"));
  state_.TakeChanges();
  Put(Versioned(SimpleService("a", "web", 81, 8080), "9"));
  EXPECT_FALSE(state_.HasChanges());
  EXPECT_EQ(state_.FindService({"a", "web"})->ports[0].port, 80);
  state_.Apply(List(Kind::kService, {Versioned(SimpleService("a", "web", 82, 8080), "9")}));
  EXPECT_FALSE(state_.HasChanges());
  EXPECT_EQ(state_.FindService({"a", "web"})->ports[0].port, 80);
  EXPECT_EQ(state_.stale_events(), 2u);
}

TEST_F(ClusterStateTest, RelistAppliesTheDifferenceOnly) {
  state_.Apply(List(Kind::kService,
                    {SimpleService("a", "same", 80, 8080), SimpleService("a", "gone", 80, 8080),
                     SimpleService("a", "changed", 80, 8080)}));
  state_.TakeChanges();
  state_.Apply(List(Kind::kService,
                    {SimpleService("a", "changed", 81, 8080), SimpleService("a", "new", 80, 8080),
                     SimpleService("a", "same", 80, 8080)}));
  EXPECT_THAT(state_.TakeChanges().services,
              UnorderedElementsAre(ObjectKey{"a", "gone"}, ObjectKey{"a", "changed"},
                                   ObjectKey{"a", "new"}));
  EXPECT_EQ(state_.FindService({"a", "gone"}), nullptr);
  EXPECT_EQ(state_.object_count(Kind::kService), 3u);
}

TEST_F(ClusterStateTest, RelistOfOneNamespaceLeavesTheOthersAlone) {
  Put(SimpleService("a", "web", 80, 8080));
  Put(SimpleService("b", "web", 80, 8080));
  kube::Replacement list = List(Kind::kService, {});
  list.ns = "b";
  state_.Apply(std::move(list));
  EXPECT_NE(state_.FindService({"a", "web"}), nullptr);
  EXPECT_EQ(state_.FindService({"b", "web"}), nullptr);
}

TEST_F(ClusterStateTest, AMalformedFormLeavesTheLastGoodOne) {
  Put(Versioned(SimpleService("a", "web", 80, 8080), "3"));
  state_.TakeChanges();
  state_.Apply(kube::Change(kube::MalformedObject{Kind::kService, {"a", "web"}, "4", "bad port"}));
  EXPECT_NE(state_.FindService({"a", "web"}), nullptr);
  EXPECT_EQ(state_.invalid().at({Kind::kService, {"a", "web"}}), "bad port");
  EXPECT_FALSE(state_.TakeChanges().validity.empty());

  // Also in a list: there it is, so it is not gone.
  kube::Replacement list = List(Kind::kService, {});
  list.malformed.push_back({Kind::kService, {"a", "web"}, "4", "bad port"});
  state_.Apply(std::move(list));
  EXPECT_NE(state_.FindService({"a", "web"}), nullptr);
  EXPECT_FALSE(state_.HasChanges());

  Put(Versioned(SimpleService("a", "web", 81, 8080), "5"));
  EXPECT_THAT(state_.invalid(), IsEmpty());
  EXPECT_FALSE(state_.TakeChanges().validity.empty());
}

TEST_F(ClusterStateTest, AMalformedObjectThatGoesIsForgotten) {
  state_.Apply(kube::Change(kube::MalformedObject{Kind::kService, {"a", "web"}, "", "bad"}));
  state_.Apply(List(Kind::kService, {}));
  EXPECT_THAT(state_.invalid(), IsEmpty());
}

TEST_F(ClusterStateTest, SlicesFollowTheirService) {
  Put(Slice("a", "two", "web", 8080, {}));
  Put(Slice("a", "one", "web", 8080, {}));
  ASSERT_EQ(state_.SlicesOf({"a", "web"}).size(), 2u);
  EXPECT_EQ(state_.SlicesOf({"a", "web"})[0]->meta.key.name, "one");
  state_.TakeChanges();

  Put(Slice("a", "one", "api", 8080, {}));
  EXPECT_EQ(state_.SlicesOf({"a", "web"}).size(), 1u);
  EXPECT_EQ(state_.SlicesOf({"a", "api"}).size(), 1u);
  EXPECT_THAT(state_.TakeChanges().endpoints,
              UnorderedElementsAre(ObjectKey{"a", "web"}, ObjectKey{"a", "api"}));

  Drop(Kind::kEndpointSlice, {"a", "two"});
  EXPECT_THAT(state_.SlicesOf({"a", "web"}), IsEmpty());
}

TEST_F(ClusterStateTest, IngressesOfOtherClassesAreSilent) {
  Put(Class("headgate"));
  kube::Ingress other = SimpleIngress("a", "other", "x.example", Backend("web", 80));
  other.class_name = "nginx";
  Put(other);
  EXPECT_FALSE(state_.HasChanges());
  EXPECT_EQ(state_.FindIngress({"a", "other"}), nullptr);
  Drop(Kind::kIngress, {"a", "other"});
  EXPECT_FALSE(state_.HasChanges());
}

TEST_F(ClusterStateTest, AClassThatComesOrGoesTakesItsIngressesAlong) {
  Put(SimpleIngress("a", "web", "x.example", Backend("web", 80)));
  EXPECT_FALSE(state_.HasChanges());
  Put(Class("headgate"));
  EXPECT_THAT(state_.TakeChanges().ingresses, UnorderedElementsAre(ObjectKey{"a", "web"}));
  EXPECT_NE(state_.FindIngress({"a", "web"}), nullptr);
  Put(Class("headgate", "example.com/other"));
  EXPECT_THAT(state_.TakeChanges().ingresses, UnorderedElementsAre(ObjectKey{"a", "web"}));
  EXPECT_EQ(state_.FindIngress({"a", "web"}), nullptr);
  EXPECT_THAT(state_.IngressKeys(), IsEmpty());
}

TEST_F(ClusterStateTest, AnIngressThatLeavesOurClassIsAChange) {
  Put(Class("headgate"));
  kube::Ingress ingress = SimpleIngress("a", "web", "x.example", Backend("web", 80));
  Put(ingress);
  state_.TakeChanges();
  ingress.class_name = "nginx";
  Put(ingress);
  EXPECT_THAT(state_.TakeChanges().ingresses, UnorderedElementsAre(ObjectKey{"a", "web"}));
}

}  // namespace
}  // namespace headgate::state
