#include "controller/kube/event_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/fake_api_server.h"

namespace headgate::kube {
namespace {

using ::headgate::testing::FakeApiServer;

constexpr char kEvents[] = "/api/v1/namespaces/shop/events";

class EventWriterTest : public ::testing::Test {
 protected:
  EventWriterTest() {
    api_.Put("/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web",
             {{"metadata", {{"name", "web"}, {"uid", "uid-web"}}}});
  }
  static Event Rejected(std::string message) {
    return {.kind = Kind::kIngress,
            .object = {"shop", "web"},
            .uid = {},
            .warning = true,
            .reason = "Rejected",
            .message = std::move(message)};
  }
  // The one that the last write was about.
  FakeApiServer::Json Last() {
    const FakeApiServer::Request request = api_.writes().back();
    return api_.Find(request.method == "POST"
                         ? request.target + "/" +
                               request.body["metadata"]["name"].get<std::string>()
                         : request.target);
  }

  FakeApiServer api_;
  FakeClock clock_;
  EventWriter writer_{api_.Connect(), clock_};
};

TEST_F(EventWriterTest, AnEventIsAboutItsObject) {
  ASSERT_TRUE(writer_.Write(Rejected("bad")).ok());
  EXPECT_EQ(api_.writes()[0].target, kEvents);
  const auto event = Last();
  EXPECT_EQ(event["involvedObject"],
            FakeApiServer::Json::parse(R"({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
                                           "namespace": "shop", "name": "web", "uid": "uid-web"})"));
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["reason"], "Rejected");
  EXPECT_EQ(event["message"], "bad");
  EXPECT_EQ(event["count"], 1);
}

TEST_F(EventWriterTest, TheSameAgainIsCounted) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(writer_.Write(Rejected("bad")).ok());
    clock_.Advance(absl::Seconds(10));
  }
  EXPECT_EQ(Last()["count"], 3);
  EXPECT_GT(Last()["lastTimestamp"], Last()["firstTimestamp"]);
  ASSERT_TRUE(writer_.Write(Rejected("worse")).ok());
  EXPECT_EQ(Last()["count"], 1);
}

TEST_F(EventWriterTest, AnotherControllersEventIsGoneOnWith) {
  ASSERT_TRUE(writer_.Write(Rejected("bad")).ok());
  ASSERT_TRUE(writer_.Write(Rejected("bad")).ok());
  EventWriter next(api_.Connect(), clock_);
  ASSERT_TRUE(next.Write(Rejected("bad")).ok());
  EXPECT_EQ(Last()["count"], 2) << "told again, not happened again";
  ASSERT_TRUE(next.Write(Rejected("bad")).ok());
  EXPECT_EQ(Last()["count"], 3);
}

TEST_F(EventWriterTest, AnEventThatExpiredComesAnew) {
  ASSERT_TRUE(writer_.Write(Rejected("bad")).ok());
  api_.Delete(std::string(kEvents) + "/" + Last()["metadata"]["name"].get<std::string>());
  ASSERT_TRUE(writer_.Write(Rejected("bad")).ok());
  EXPECT_EQ(api_.writes().back().method, "POST");
  EXPECT_EQ(Last()["count"], 1);
}

TEST_F(EventWriterTest, WhatIsGoneHasNoEvents) {
  api_.Delete("/apis/networking.k8s.io/v1/namespaces/shop/ingresses/web");
  EXPECT_TRUE(absl::IsNotFound(writer_.Write(Rejected("bad"))));
  EXPECT_TRUE(api_.writes().empty());
}

}  // namespace
}  // namespace headgate::kube
