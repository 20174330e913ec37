#include "controller/status/ingress_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/kube/json.h"
#include "tests/support/kube_objects.h"

namespace headgate::status {
namespace {

using headgate::testing::Backend;
using headgate::testing::SimpleIngress;
using kube::Json;
using ::testing::ElementsAre;

class IngressProgressTest : public ::testing::Test {
 protected:
  IngressProgressTest() {
    state_.Apply(kube::Change(kube::Object(headgate::testing::Class("headgate"))));
  }

  void Put(const std::string& version, const std::string& form) {
    kube::Ingress ingress =
        SimpleIngress("shop", "web", "web.example", Backend("web", 80), version);
    ingress.meta.annotations = {{"form", form}};
    state_.Apply(kube::Change(kube::Object(std::move(ingress))));
  }
  void Turn(publish::Position position, std::vector<translate::Diagnostic> raised = {},
            std::vector<translate::Diagnostic> cleared = {}) {
    translate::TranslationUpdate update;
    update.raised = std::move(raised);
    update.cleared = std::move(cleared);
    book_.OnTurn(state_, state_.TakeChanges(), update, position);
  }
  static publish::SubscriberStatus At(publish::Position position) {
    publish::SubscriberStatus status;
    status.instance = "dp" + std::to_string(position);
    status.acked_position = position;
    return status;
  }
  Json Page(const std::vector<publish::SubscriberStatus>& data_planes) {
    const std::optional<IngressProgress> progress = book_.Find(state_, {"shop", "web"});
    return progress ? Json::parse(RenderProgress(*progress, data_planes)) : Json();
  }

  state::ClusterState state_{state::ClusterState::Options{}};
  IngressProgressBook book_;
};

TEST_F(IngressProgressTest, IsInEffectWhenEveryDataPlaneHasAnswered) {
  Put("7", "a");
  EXPECT_EQ(Page({At(9)})["inEffect"], false) << "it is not translated yet";
  Turn(5);
  EXPECT_EQ(Page({})["inEffect"], false) << "nobody serves it";
  EXPECT_EQ(Page({At(5), At(4)})["inEffect"], false);
  const Json page = Page({At(5), At(6)});
  EXPECT_EQ(page["inEffect"], true);
  EXPECT_EQ(page["resourceVersion"], "7");
  EXPECT_EQ(page["dataPlanes"][0]["instance"], "dp5");
}

TEST_F(IngressProgressTest, AChangeCountsFromItsTranslationOn) {
  Put("7", "a");
  Turn(5);
  Put("8", "b");
  EXPECT_EQ(Page({At(5)})["inEffect"], false) << "the new form is not translated yet";
  Turn(6);
  EXPECT_EQ(Page({At(5)})["inEffect"], false);
  EXPECT_EQ(Page({At(6)})["inEffect"], true);
}

// A label or the status of it: there is nothing to translate.
TEST_F(IngressProgressTest, AChangeOfNothingThatCountsIsInEffectAtOnce) {
  Put("7", "a");
  Turn(5);
  Put("8", "a");
  EXPECT_EQ(Page({At(5)})["inEffect"], true);
  EXPECT_EQ(Page({At(5)})["resourceVersion"], "8");
}

TEST_F(IngressProgressTest, SaysWhatIsRejectedAndWhatDataPlanesRefuse) {
  Put("7", "a");
  const translate::Diagnostic error = {kube::Kind::kIngress,        {"shop", "web"},
                                       "spec.rules[0].host",        translate::Reason::kInvalidHost,
                                       translate::Severity::kError, "is no host name"};
  Turn(5, {error});
  auto resource = std::make_shared<v1::Resource>();
  resource->set_name("vhost/web.example");
  v1::Provenance& cause = *resource->add_provenance();
  cause.set_kind("Ingress");
  cause.set_namespace_("shop");
  cause.set_name("web");
  auto other = std::make_shared<v1::Resource>();
  other->set_name("vhost/other.example");
  publish::SubscriberStatus data_plane = At(5);
  data_plane.refused = {{resource, "too much"}, {other, "not ours"}};
  const Json page = Page({data_plane});
  EXPECT_THAT(page["rejected"], ElementsAre("spec.rules[0].host: is no host name"));
  EXPECT_THAT(page["dataPlanes"][0]["refused"], ElementsAre("vhost/web.example: too much"));
  Turn(6, {}, {error});
  EXPECT_THAT(Page({At(6)})["rejected"], ElementsAre());
}

TEST_F(IngressProgressTest, OthersAreUnknown) {
  EXPECT_TRUE(Page({At(1)}).is_null());
  Put("7", "a");
  Turn(5);
  kube::Ingress foreign = SimpleIngress("shop", "web", "web.example", Backend("web", 80), "8");
  foreign.class_name = "another";
  state_.Apply(kube::Change(kube::Object(std::move(foreign))));
  Turn(6);
  EXPECT_TRUE(Page({At(6)}).is_null());
}

}  // namespace
}  // namespace headgate::status
