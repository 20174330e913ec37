#include "controller/status/status_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "controller/kube/decode.h"
#include "tests/support/fake_api_server.h"

namespace headgate::status {
namespace {

using ::headgate::testing::FakeApiServer;
using ::testing::HasSubstr;

std::string PathOf(const std::string& name) {
  return "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/" + name;
}

class StatusWriterTest : public ::testing::Test {
 protected:
  StatusWriterTest() { Make(); }
  ~StatusWriterTest() override { writer_->Stop(false); }

  void Make(const StatusWriterOptions& options = {}) {
    metrics_ = std::make_unique<MetricsRegistry>();
    writer_ = std::make_unique<StatusWriter>(
        options, api_.Connect(), [this] { return leads_.load(); }, clock_, *metrics_);
  }
  void Create(const std::string& name) {
    api_.Put(PathOf(name), {{"metadata", {{"namespace", "shop"}, {"name", name}}},
                            {"spec", {{"ingressClassName", "headgate"}}}});
  }
  // Shows the writer the object as it is, as a watch would.
  void Show(const std::string& name) {
    auto document = api_.Find(PathOf(name));
    kube::Decoded decoded =
        kube::DecodeObject(kube::ResourceTypeOf(kube::Kind::kIngress), document);
    writer_->Observe({"shop", name}, std::make_shared<const kube::Ingress>(std::get<kube::Ingress>(
                                         std::get<kube::Object>(std::move(decoded)))));
  }
  void CreateAndShow(const std::string& name) {
    Create(name);
    Show(name);
  }
  FakeApiServer::Json Status(const std::string& name) const {
    return api_.Find(PathOf(name)).value("status", FakeApiServer::Json::object());
  }
  static FakeApiServer::Json Says(FakeApiServer::Json list) {
    return {{"loadBalancer", {{"ingress", std::move(list)}}}};
  }
  // Until the thread has nothing to do now.
  void Settle() { ASSERT_TRUE(clock_.AwaitWaiters(1)); }

  FakeApiServer api_;
  FakeClock clock_;
  std::atomic<bool> leads_{true};
  std::unique_ptr<MetricsRegistry> metrics_;
  std::unique_ptr<StatusWriter> writer_;
};

TEST_F(StatusWriterTest, AnIngressSaysWhereClientsReachIt) {
  writer_->Start();
  writer_->SetAddresses(AddressList{"192.0.2.1", "2001:db8::1", "lb.example.com"});
  CreateAndShow("web");
  ASSERT_TRUE(api_.AwaitWrites(1));
  Settle();
  EXPECT_EQ(
      Status("web"),
      Says({{{"ip", "192.0.2.1"}}, {{"ip", "2001:db8::1"}}, {{"hostname", "lb.example.com"}}}));
  EXPECT_EQ(api_.writes()[0].method, "PATCH");
  EXPECT_EQ(api_.writes()[0].target, PathOf("web") + "/status");
  EXPECT_THAT(metrics_->Render(), HasSubstr("headgate_status_updates_total 1\n"));
}

TEST_F(StatusWriterTest, NothingIsWrittenWithoutADifference) {
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  Create("web");
  auto object = api_.Find(PathOf("web"));
  object["status"] = Says({{{"ip", "192.0.2.1"}}});
  api_.Put(PathOf("web"), object);
  Show("web");
  writer_->Start();
  Settle();
  clock_.Advance(absl::Minutes(2));
  Settle();
  EXPECT_TRUE(api_.writes().empty());
}

TEST_F(StatusWriterTest, NothingIsWrittenWhileTheAddressesAreNotKnown) {
  CreateAndShow("web");
  writer_->Start();
  Settle();
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  ASSERT_TRUE(api_.AwaitWrites(1));
  Settle();
  Show("web");
  writer_->SetAddresses(std::nullopt);
  clock_.Advance(absl::Minutes(2));
  Settle();
  EXPECT_EQ(api_.writes().size(), 1u);
  EXPECT_EQ(Status("web"), Says({{{"ip", "192.0.2.1"}}}));
}

TEST_F(StatusWriterTest, OtherAddressesAreWrittenAtOnceAndNoneRemoveTheList) {
  CreateAndShow("web");
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  writer_->Start();
  ASSERT_TRUE(api_.AwaitWrites(1));
  Settle();
  Show("web");
  writer_->SetAddresses(AddressList{"192.0.2.2"});
  ASSERT_TRUE(api_.AwaitWrites(2));
  Settle();
  EXPECT_EQ(Status("web"), Says({{{"ip", "192.0.2.2"}}}));
  Show("web");
  writer_->SetAddresses(AddressList{});
  ASSERT_TRUE(api_.AwaitWrites(3));
  Settle();
  EXPECT_FALSE(Status("web")["loadBalancer"].contains("ingress"));
}

TEST_F(StatusWriterTest, OnlyTheLeaderWritesAndBeginsWithWhatIsThere) {
  leads_ = false;
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  CreateAndShow("web");
  writer_->Start();
  Settle();
  clock_.Advance(absl::Minutes(2));
  Settle();
  EXPECT_TRUE(api_.writes().empty());
  leads_ = true;
  writer_->LeadChanged();
  ASSERT_TRUE(api_.AwaitWrites(1));
}

TEST_F(StatusWriterTest, AConflictIsTriedAgainWithTheFreshObject) {
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  CreateAndShow("web");
  auto object = api_.Find(PathOf("web"));
  object["metadata"]["labels"]["team"] = "shop";
  api_.Put(PathOf("web"), object);  // which we have not seen
  writer_->Start();
  ASSERT_TRUE(api_.AwaitWrites(2));
  Settle();
  EXPECT_EQ(Status("web"), Says({{{"ip", "192.0.2.1"}}}));
  EXPECT_EQ(api_.Find(PathOf("web"))["metadata"]["labels"]["team"], "shop");
  EXPECT_THAT(metrics_->Render(), HasSubstr("headgate_status_failures_total 0\n"));
}

TEST_F(StatusWriterTest, AnIngressThatBecameAnothersIsLeftAlone) {
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  CreateAndShow("moved");
  CreateAndShow("replaced");
  auto object = api_.Find(PathOf("moved"));
  object["spec"]["ingressClassName"] = "nginx";
  api_.Put(PathOf("moved"), object);
  api_.Delete(PathOf("replaced"));
  Create("replaced");
  CreateAndShow("gone");
  api_.Delete(PathOf("gone"));
  CreateAndShow("unwatched");
  writer_->Observe({"shop", "unwatched"}, nullptr);
  writer_->Start();
  ASSERT_TRUE(api_.AwaitWrites(3));
  Settle();
  EXPECT_TRUE(Status("moved").empty());
  EXPECT_TRUE(Status("replaced").empty());
  EXPECT_TRUE(Status("unwatched").empty());
  EXPECT_EQ(api_.writes().size(), 3u);
}

TEST_F(StatusWriterTest, AnotherWriterIsContradictedOnceInAnInterval) {
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  CreateAndShow("web");
  writer_->Start();
  ASSERT_TRUE(api_.AwaitWrites(1));
  Settle();
  Show("web");
  auto object = api_.Find(PathOf("web"));
  object["status"] = Says({{{"ip", "198.51.100.1"}}});
  api_.Put(PathOf("web"), object);
  Show("web");
  clock_.Advance(absl::Seconds(30));
  Settle();
  EXPECT_EQ(api_.writes().size(), 1u);
  clock_.Advance(absl::Seconds(31));
  ASSERT_TRUE(api_.AwaitWrites(2));
}

// Most often the connection had died.
TEST_F(StatusWriterTest, WhatFailedIsTriedAgainSoon) {
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  CreateAndShow("web");
  api_.Fail(503);
  writer_->Start();
  ASSERT_TRUE(api_.AwaitWrites(1));
  Settle();
  EXPECT_THAT(metrics_->Render(), HasSubstr("headgate_status_failures_total 1\n"));
  EXPECT_GT(clock_.NextDeadline(), absl::ZeroDuration());
  EXPECT_LE(clock_.NextDeadline(), absl::Seconds(1));
  api_.Fail(0);
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(api_.AwaitWrites(2));
  Settle();
  EXPECT_EQ(Status("web"), Says({{{"ip", "192.0.2.1"}}}));
}

TEST_F(StatusWriterTest, AnApiServerThatFailsIsAskedLessAndLess) {
  Make({.interval = absl::Minutes(10)});
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  for (int i = 0; i < 20; ++i) CreateAndShow("web-" + std::to_string(i));
  api_.Fail(503);
  writer_->Start();
  ASSERT_TRUE(api_.AwaitWrites(1));
  for (int second = 0; second < 60; ++second) {
    Settle();
    clock_.Advance(absl::Seconds(1));
  }
  Settle();
  EXPECT_LT(api_.writes().size(), 12u) << "all Ingresses together, and not each of them";
  api_.Fail(0);
  clock_.Advance(absl::Minutes(1));
  ASSERT_TRUE(api_.AwaitWrites(
      [](const auto& writes) { return writes.back().target.find("web-9") != std::string::npos; }));
}

TEST_F(StatusWriterTest, WritesAreSpreadOverTime) {
  Make({.rate = 2, .burst = 3});
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  for (int i = 0; i < 9; ++i) CreateAndShow("web-" + std::to_string(i));
  writer_->Start();
  ASSERT_TRUE(api_.AwaitWrites(3));
  Settle();
  const size_t at_once = api_.writes().size();
  EXPECT_LE(at_once, 4u);
  clock_.Advance(absl::Seconds(1));
  ASSERT_TRUE(api_.AwaitWrites(at_once + 2));
  Settle();
  EXPECT_EQ(api_.writes().size(), at_once + 2);
}

TEST_F(StatusWriterTest, TheLastLeaderTakesItsAddressesAwayAndNoOthers) {
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  writer_->Start();
  CreateAndShow("web");
  ASSERT_TRUE(api_.AwaitWrites(1));
  Settle();
  Show("web");
  Create("other");
  auto object = api_.Find(PathOf("other"));
  object["status"] = Says({{{"ip", "198.51.100.1"}}});
  api_.Put(PathOf("other"), object);
  api_.Fail(503, "other");  // it stays another's
  Show("other");
  writer_->Stop(true);
  EXPECT_FALSE(Status("web")["loadBalancer"].contains("ingress"));
  EXPECT_EQ(Status("other"), Says({{{"ip", "198.51.100.1"}}}));
}

TEST_F(StatusWriterTest, WhatWasWrittenAMomentAgoAndBeforeIsTakenAwayToo) {
  Make({.rate = 1, .burst = 1});
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  CreateAndShow("a");
  CreateAndShow("b");
  writer_->Start();
  for (int i = 0; i < 2; ++i) {
    Settle();
    clock_.Advance(absl::Seconds(3));
  }
  ASSERT_TRUE(api_.AwaitWrites(2));
  Settle();
  // One of the two has the new address, which no watch has shown yet, and one the old.
  writer_->SetAddresses(AddressList{"192.0.2.2"});
  ASSERT_TRUE(api_.AwaitWrites(3));
  writer_->Stop(true);
  for (const char* name : {"a", "b"}) {
    EXPECT_FALSE(Status(name)["loadBalancer"].contains("ingress")) << name;
  }
}

TEST_F(StatusWriterTest, OneThatDoesNotLeadTakesNothingAway) {
  writer_->SetAddresses(AddressList{"192.0.2.1"});
  CreateAndShow("web");
  writer_->Start();
  ASSERT_TRUE(api_.AwaitWrites(1));
  Settle();
  Show("web");
  leads_ = false;
  writer_->Stop(true);
  EXPECT_EQ(Status("web"), Says({{{"ip", "192.0.2.1"}}}));
}

}  // namespace
}  // namespace headgate::status
