// From what a data plane's probes say, over a real stream, to Events in front of an API server.
#include "controller/app/health_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "controller/publish/snapshot_server.h"
#include "dataplane/control/health_reporter.h"
#include "tests/feature/data_plane.h"

namespace headgate::feature {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// An API server that has one Service, or none, and takes Events.
class FakeApi {
 public:
  struct Posted {
    std::string target;
    json body;
  };

  class Connection final : public kube::Transport {
   public:
    explicit Connection(FakeApi& api) : api_(api) {}

    absl::StatusOr<kube::HttpResult> Get(const std::string& target, absl::Duration,
                                         const OnData& on_data) override {
      const std::lock_guard lock(api_.mutex_);
      api_.read_ = target;
      on_data(api_.services_);
      return kube::HttpResult{.status = 200, .error_body = {}, .retry_after = {}};
    }
    absl::StatusOr<kube::HttpResult> Write(kube::WriteMethod, const std::string& target,
                                           const std::string& body, absl::Duration,
                                           const OnData& on_data) override {
      const std::lock_guard lock(api_.mutex_);
      api_.posted_.push_back({target, json::parse(body)});
      on_data(body);
      api_.changed_.notify_all();
      return kube::HttpResult{.status = api_.status_, .error_body = {}, .retry_after = {}};
    }
    void Cancel() override {}

   private:
    FakeApi& api_;
  };

  // The next Event; null after a minute without one.
  Posted Next() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(60), [&] { return !posted_.empty(); }))
      return {};
    Posted first = std::move(posted_.front());
    posted_.pop_front();
    return first;
  }
  std::string read() {
    const std::lock_guard lock(mutex_);
    return read_;
  }
  void Answer(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string services_ = R"({"items": [{"metadata": {"name": "web", "uid": "uid-7"}}]})";
  std::string read_;
  int status_ = 201;
  std::deque<Posted> posted_;
};

class HealthEventsTest : public testing::Test {
 protected:
  HealthEventsTest() {
    auto server = publish::SnapshotServer::Start(
        {.listen = {"127.0.0.1", 0}, .health_changed = [this] { events_.Changed(); }}, clock_,
        metrics_);
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    events_.Start(std::make_unique<FakeApi::Connection>(api_),
                  [this] { return server_->Subscribers(); });
    data_plane_ = std::make_unique<DataPlane>(server_->port(), "", std::nullopt, &reporter_);
  }
  ~HealthEventsTest() override { events_.Stop(); }

  void Report(uint32_t unhealthy) {
    {
      const std::lock_guard lock(mutex_);
      unhealthy_ = unhealthy;
    }
    reporter_.Changed();
  }
  v1::HealthReport MakeReport() {
    const std::lock_guard lock(mutex_);
    v1::HealthReport report;
    report.set_healthy(5 - unhealthy_);
    report.set_unhealthy(unhealthy_);
    if (unhealthy_ == 0) return report;
    v1::UpstreamHealth& upstream = *report.add_upstreams();
    upstream.set_name("endpoints/shop/web/80");
    upstream.set_healthy(5 - unhealthy_);
    upstream.set_unhealthy(unhealthy_);
    for (uint32_t i = 0; i < unhealthy_; ++i)
      upstream.add_unhealthy_endpoints("10.0.0." + std::to_string(i) + ":80");
    return report;
  }

  SystemClock clock_;
  FakeClock event_clock_;  // of the Events alone: nobody waits a minute
  MetricsRegistry metrics_;
  FakeApi api_;
  std::mutex mutex_;
  uint32_t unhealthy_ = 0;
  app::HealthEvents events_{event_clock_, metrics_};
  std::unique_ptr<publish::SnapshotServer> server_;
  control::HealthReporter reporter_{[this] { return MakeReport(); }, clock_};
  std::unique_ptr<DataPlane> data_plane_;
};

TEST_F(HealthEventsTest, WhatProbesFindBecomesAnEventOnTheService) {
  Report(2);
  const FakeApi::Posted sick = api_.Next();
  EXPECT_EQ(sick.target, "/api/v1/namespaces/shop/events");
  EXPECT_EQ(api_.read(), "/api/v1/namespaces/shop/services?fieldSelector=metadata.name%3Dweb");
  EXPECT_EQ(sick.body["type"], "Warning");
  EXPECT_EQ(sick.body["reason"], "UnhealthyEndpoints");
  EXPECT_EQ(sick.body["message"],
            "2 of 5 endpoints of port 80 fail their health check: 10.0.0.0:80, 10.0.0.1:80");
  EXPECT_EQ(sick.body["involvedObject"],
            json::parse(R"({"apiVersion": "v1", "kind": "Service", "namespace": "shop",
                                                         "name": "web", "uid": "uid-7"})"));
  EXPECT_EQ(sick.body["metadata"]["namespace"], "shop");
  EXPECT_EQ(sick.body["source"]["component"], "headgate-controller");

  Report(0);
  ASSERT_TRUE(event_clock_.AwaitWaiters(1));
  event_clock_.Advance(publish::HealthDigest::kQuiet);
  const FakeApi::Posted good = api_.Next();
  EXPECT_EQ(good.body["type"], "Normal");
  EXPECT_EQ(good.body["reason"], "HealthyEndpoints");
  EXPECT_NE(good.body["metadata"]["name"], sick.body["metadata"]["name"]);
  EXPECT_THAT(metrics_.Render(), HasSubstr("headgate_events_failed_total 0\n"));
}

TEST_F(HealthEventsTest, WhatMayNotBeWrittenIsCounted) {
  api_.Answer(403);
  Report(1);
  api_.Next();
  ASSERT_TRUE(event_clock_.AwaitWaiters(1));
  EXPECT_THAT(metrics_.Render(), HasSubstr("headgate_events_failed_total 1\n"));
}

}  // namespace
}  // namespace headgate::feature
