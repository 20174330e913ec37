#include "controller/status/ingress_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/fake_api_server.h"
#include "tests/support/kube_objects.h"

namespace headgate::status {
namespace {

using headgate::testing::Backend;
using headgate::testing::FakeApiServer;
using headgate::testing::SimpleIngress;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using translate::Diagnostic;
using translate::Reason;
using translate::Severity;

class IngressEventsTest : public ::testing::Test {
 protected:
  IngressEventsTest() {
    state_.Apply(kube::Change(kube::Object(headgate::testing::Class("headgate"))));
  }
  ~IngressEventsTest() override {
    if (events_ != nullptr) events_->Stop();
  }

  void Start(IngressEventsOptions options = {}) {
    events_ = std::make_unique<IngressEvents>(
        options, api_.Connect(), [this] { return leads_.load(); },
        [this] {
          const std::lock_guard lock(mutex_);
          ++looks_;
          return subscribers_;
        },
        clock_, metrics_);
    events_->Start();
  }
  // The cluster as it is when the controller starts.
  void StartWith(std::vector<std::string> ingresses, std::vector<Diagnostic> raised = {}) {
    for (const std::string& name : ingresses) Put(name, "1");
    Start();
    Turn(1, std::move(raised));
  }
  void Put(const std::string& name, const std::string& form) {
    kube::Ingress ingress =
        SimpleIngress("shop", name, name + ".example.com", Backend("web", 80), form);
    ingress.meta.uid = "uid-" + name;
    ingress.meta.annotations = {{"form", form}};
    state_.Apply(kube::Change(kube::Object(std::move(ingress))));
  }
  void Turn(publish::Position position, std::vector<Diagnostic> raised = {},
            std::vector<Diagnostic> cleared = {}) {
    translate::TranslationUpdate update;
    update.raised = std::move(raised);
    update.cleared = std::move(cleared);
    events_->OnTurn(state_, state_.TakeChanges(), update, position);
  }
  // A data plane for each, which has answered to that position.
  void Acknowledge(std::vector<publish::Position> positions,
                   std::vector<publish::RefusedResource> refused = {}) {
    {
      const std::lock_guard lock(mutex_);
      subscribers_.clear();
      for (const publish::Position position : positions) {
        publish::SubscriberStatus status;
        status.acked_position = position;
        status.acked_version = "v" + std::to_string(position);
        status.refused = refused;
        subscribers_.push_back(std::move(status));
      }
    }
    events_->OnAcknowledged();
  }
  static Diagnostic About(const std::string& name, Reason reason, Severity severity) {
    return {kube::Kind::kIngress, {"shop", name}, "spec", reason, severity, "so it is"};
  }
  // Lets the thread write all it has; "web Applied: ..." in order.
  std::vector<std::string> Written() {
    // The second look begins after whatever the test did; until then the thread need not have
    // noticed.
    for (int i = 0; i < 2; ++i) {
      const int before = looks_;
      events_->OnAcknowledged();
      while (looks_ == before) std::this_thread::yield();
    }
    for (int i = 0; i < 50; ++i) {
      EXPECT_TRUE(clock_.AwaitWaiters(1));
      if (clock_.NextDeadline() == absl::InfiniteDuration()) break;
      clock_.Advance(absl::Milliseconds(200));
    }
    std::vector<std::string> lines;
    for (const FakeApiServer::Request& request : api_.writes()) {
      if (request.method != "POST") continue;
      lines.push_back(StrCat(request.body["involvedObject"]["name"].get<std::string>(), " ",
                             request.body["reason"].get<std::string>(), ": ",
                             request.body["message"].get<std::string>()));
    }
    return lines;
  }

  FakeApiServer api_;
  FakeClock clock_;
  MetricsRegistry metrics_;
  std::atomic<bool> leads_{true};
  std::atomic<int> looks_{0};
  std::mutex mutex_;
  std::vector<publish::SubscriberStatus> subscribers_;
  state::ClusterState state_{state::ClusterState::Options{}};
  std::unique_ptr<IngressEvents> events_;
};

TEST_F(IngressEventsTest, AChangeIsAppliedWhenEveryDataPlaneHasIt) {
  StartWith({"old"});
  Acknowledge({1, 1});
  Put("web", "1");
  Turn(2);
  Acknowledge({2, 1});
  EXPECT_THAT(Written(), IsEmpty());
  Acknowledge({3, 2});
  EXPECT_THAT(
      Written(),
      ElementsAre(
          "web Applied: in effect at every data plane that is connected to a controller (2), "
          "version v2"));
}

TEST_F(IngressEventsTest, WithoutADataPlaneNothingIsApplied) {
  StartWith({});
  Put("web", "1");
  Turn(2);
  Acknowledge({});
  EXPECT_THAT(Written(), IsEmpty());
  Acknowledge({2});
  EXPECT_THAT(Written(), SizeIs(1));
}

TEST_F(IngressEventsTest, AFormThatChangesNothingIsInEffectAtOnce) {
  StartWith({"web"});
  Acknowledge({1});
  Put("web", "2");
  Turn(1);
  EXPECT_THAT(Written(), ElementsAre(HasSubstr("web Applied")));
}

TEST_F(IngressEventsTest, OfWhatWasThereOnlyWhatIsWrongIsTold) {
  StartWith({"good", "bad"}, {About("bad", Reason::kInvalidPath, Severity::kError)});
  Acknowledge({1});
  EXPECT_THAT(Written(), ElementsAre("bad Rejected: spec: so it is"));
}

TEST_F(IngressEventsTest, ReasonsAreThoseOfTheDocumentation) {
  StartWith({"web"});
  Turn(2, {About("web", Reason::kPathConflict, Severity::kWarning),
           About("web", Reason::kSecretNotFound, Severity::kWarning),
           About("web", Reason::kSecretNotReadable, Severity::kError),
           About("web", Reason::kUnknownAnnotation, Severity::kWarning),
           About("web", Reason::kServiceNotFound, Severity::kWarning),
           About("web", Reason::kInvalidAnnotation, Severity::kInfo)});
  EXPECT_THAT(Written(), ElementsAre(HasSubstr("Conflict"), HasSubstr("SecretMissing"),
                                     HasSubstr("SecretNotReadable"), HasSubstr("UnknownAnnotation"),
                                     HasSubstr("ServiceNotFound")));
}

TEST_F(IngressEventsTest, WhatIsRejectedIsNotApplied) {
  StartWith({"web"});
  Acknowledge({1});
  Put("web", "2");
  const Diagnostic wrong = About("web", Reason::kInvalidAnnotation, Severity::kError);
  Turn(1, {wrong});
  EXPECT_THAT(Written(), ElementsAre(HasSubstr("web Rejected")));
  Put("web", "3");
  Turn(1, {}, {wrong});
  EXPECT_THAT(Written(), ElementsAre(HasSubstr("web Rejected"), HasSubstr("web Applied")));
}

TEST_F(IngressEventsTest, ARefusalOfADataPlaneIsToldOnceAndIsNoApplication) {
  StartWith({"web"});
  Put("web", "2");
  Turn(2);
  auto resource = std::make_shared<v1::Resource>();
  resource->set_name("vhost/web.example.com");
  resource->set_hash(7);
  v1::Provenance& cause = *resource->add_provenance();
  cause.set_kind("Ingress");
  cause.set_namespace_("shop");
  cause.set_name("web");
  api_.Put("/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web",
           {{"metadata", {{"name", "web"}, {"uid", "uid-web"}}}});
  Acknowledge({2, 2}, {{resource, "too many routes"}});
  Acknowledge({2, 2}, {{resource, "too many routes"}});
  EXPECT_THAT(Written(), ElementsAre(HasSubstr("web Rejected: a data plane refuses "
                                               "vhost/web.example.com: too many routes")));
}

TEST_F(IngressEventsTest, OnlyTheLeaderTellsAndItTellsWhatStands) {
  leads_ = false;
  const Diagnostic gone = About("web", Reason::kPathConflict, Severity::kWarning);
  StartWith({"web"}, {About("web", Reason::kInvalidPath, Severity::kError), gone});
  Turn(2, {}, {gone});
  EXPECT_THAT(Written(), IsEmpty());
  leads_ = true;
  events_->LeadChanged();
  EXPECT_THAT(Written(), ElementsAre(HasSubstr("web Rejected")));
}

TEST_F(IngressEventsTest, WhatDataPlanesSayIsToldByTheControllerThatHearsIt) {
  leads_ = false;
  StartWith({"web"});
  Put("web", "2");
  Turn(2, {About("web", Reason::kServiceNotFound, Severity::kWarning)});
  Acknowledge({2});
  EXPECT_THAT(Written(), ElementsAre(HasSubstr("web Applied")));
}

TEST_F(IngressEventsTest, AnObjectThatChangesAllTheTimeDoesNotFillTheCluster) {
  StartWith({"web"});
  for (int i = 2; i < 60; ++i) {
    Put("web", std::to_string(i));
    Turn(static_cast<publish::Position>(i));
    Acknowledge({static_cast<publish::Position>(i)});
    Written();
  }
  EXPECT_THAT(Written(), SizeIs(EventLimiter::kBurst));
  EXPECT_THAT(metrics_.Render(), HasSubstr("headgate_ingress_events_left_out_total 33\n"));
}

TEST_F(IngressEventsTest, ApplicationsNeedNotBeTold) {
  Start({.applied = false});
  Turn(1);
  Put("web", "1");
  Turn(2, {About("web", Reason::kServiceNotFound, Severity::kWarning)});
  Acknowledge({2});
  EXPECT_THAT(Written(), ElementsAre(HasSubstr("ServiceNotFound")));
}

TEST(EventLimiterTest, OneMoreComesInFiveMinutes) {
  EventLimiter limiter;
  const kube::ObjectKey web{"shop", "web"};
  absl::Duration now = absl::Hours(1);
  for (int i = 0; i < EventLimiter::kBurst; ++i) EXPECT_TRUE(limiter.Admit(web, now));
  EXPECT_FALSE(limiter.Admit(web, now));
  EXPECT_TRUE(limiter.Admit({"shop", "other"}, now));
  now += EventLimiter::kRefill;
  EXPECT_TRUE(limiter.Admit(web, now));
  EXPECT_FALSE(limiter.Admit(web, now));
}

}  // namespace
}  // namespace headgate::status
