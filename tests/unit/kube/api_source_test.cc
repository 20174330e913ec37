#include "controller/kube/api_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>

#include "common/strings.h"
#include "tests/unit/kube/recording_sink.h"

namespace headgate::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Answers every list with nothing and keeps every watch quiet.
class FakeServer {
 public:
  class Connection : public Transport {
   public:
    explicit Connection(FakeServer& server) : server_(server) {}
    absl::StatusOr<HttpResult> Get(const std::string& target, absl::Duration,
                                   const OnData& on_data) override {
      std::unique_lock<std::mutex> lock(server_.mutex_);
      if (target.find("watch=1") == std::string::npos) {
        server_.targets_.insert(target.substr(0, target.find('?')));
        if (const size_t at = target.find("metadata.name"); at != std::string::npos) {
          server_.targets_.insert(target.substr(at));
        }
        server_.changed_.notify_all();
      }
      auto held = [&] { return server_.held_.contains(target.substr(0, target.find('?'))); };
      while (!cancelled_ && (target.find("watch=1") != std::string::npos || held())) {
        server_.changed_.wait(lock);
      }
      if (cancelled_) return absl::CancelledError("cancelled");
      int status = 200;
      if (target.starts_with("/apis/discovery.k8s.io/v1") && !server_.discovery_.empty()) {
        status = server_.discovery_.front();
        if (server_.discovery_.size() > 1) server_.discovery_.erase(server_.discovery_.begin());
      }
      lock.unlock();
      if (status == 200) on_data(R"({"metadata":{"resourceVersion":"1"},"items":[]})");
      return HttpResult{status, "", {}};
    }
    absl::StatusOr<HttpResult> Write(WriteMethod, const std::string&, const std::string&,
                                     absl::Duration, const OnData&) override {
      return absl::UnimplementedError("only reads");
    }
    void Cancel() override {
      const std::lock_guard<std::mutex> lock(server_.mutex_);
      cancelled_ = true;
      server_.changed_.notify_all();
    }

   private:
    FakeServer& server_;
    bool cancelled_ = false;
  };

  // Lists of this path do not end before Release.
  void Hold(const std::string& path) { held_.insert(path); }
  void Release(const std::string& path) {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_.erase(path);
    changed_.notify_all();
  }
  // Statuses for questions about the group of EndpointSlice, the last for ever.
  void AnswerDiscovery(std::vector<int> statuses) { discovery_ = std::move(statuses); }
  std::set<std::string> targets() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return targets_;
  }
  bool AwaitTarget(const std::string& path) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10),
                             [&] { return targets_.contains(path); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> targets_;
  std::set<std::string> held_;
  std::vector<int> discovery_;
};

class ApiSourceTest : public ::testing::Test {
 protected:
  ~ApiSourceTest() override { source.reset(); }
  void Start() {
    source = std::make_unique<ApiSource>(
        options, [this] { return std::make_unique<FakeServer::Connection>(server); }, sink, clock,
        metrics);
    source->Start();
  }

  FakeServer server;
  ApiSourceOptions options;
  RecordingSink sink;
  FakeClock clock;
  MetricsRegistry metrics;
  std::unique_ptr<ApiSource> source;
};

TEST_F(ApiSourceTest, WatchesEveryKindAndTellsEachSynced) {
  Start();
  EXPECT_TRUE(sink.AwaitLogSize(5));
  EXPECT_THAT(sink.TakeLog(),
              UnorderedElementsAre("synced Ingress", "synced IngressClass", "synced Service",
                                   "synced EndpointSlice", "synced Secret"));
  EXPECT_THAT(server.targets(),
              UnorderedElementsAre("/apis/networking.k8s.io/v1/ingresses",
                                   "/apis/networking.k8s.io/v1/ingressclasses", "/api/v1/services",
                                   "/apis/discovery.k8s.io/v1",
                                   "/apis/discovery.k8s.io/v1/endpointslices", "/api/v1/secrets"));
}

TEST_F(ApiSourceTest, AKindIsSyncedWhenAllItsNamespacesAre) {
  options.kinds = {Kind::kService, Kind::kIngressClass};
  options.namespaces = {"one", "two"};
  server.Hold("/api/v1/namespaces/two/services");
  Start();
  EXPECT_TRUE(sink.AwaitLog("synced IngressClass"));
  EXPECT_TRUE(server.AwaitTarget("/api/v1/namespaces/two/services"));
  EXPECT_TRUE(sink.Await([] { return true; }));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("synced IngressClass"));
  server.Release("/api/v1/namespaces/two/services");
  EXPECT_TRUE(sink.AwaitLog("synced Service"));
  EXPECT_THAT(server.targets(), UnorderedElementsAre("/api/v1/namespaces/one/services",
                                                     "/api/v1/namespaces/two/services",
                                                     "/apis/networking.k8s.io/v1/ingressclasses"));
}

TEST_F(ApiSourceTest, AKindIsReadInNamespacesAndByNames) {
  options.kinds = {Kind::kService, Kind::kSecret};
  options.scopes_of[Kind::kSecret] = {{"shop", ""}, {"edge", "wildcard"}};
  server.Hold("/api/v1/namespaces/edge/secrets");
  Start();
  EXPECT_TRUE(sink.AwaitLog("synced Service"));
  EXPECT_TRUE(server.AwaitTarget("/api/v1/namespaces/shop/secrets"));
  EXPECT_TRUE(server.AwaitTarget("metadata.name%3Dwildcard"));
  EXPECT_THAT(sink.TakeLog(), ElementsAre("synced Service"));
  server.Release("/api/v1/namespaces/edge/secrets");
  EXPECT_TRUE(sink.AwaitLog("synced Secret"));
  EXPECT_FALSE(server.targets().contains("/api/v1/secrets"));
}

TEST_F(ApiSourceTest, AClusterWithoutSlicesGivesEndpoints) {
  options.kinds = {Kind::kEndpointSlice};
  server.AnswerDiscovery({503, 404});
  Start();
  ASSERT_TRUE(clock.AwaitWaiters(1));  // 503 says nothing, so it asks again
  EXPECT_THAT(sink.TakeLog(), IsEmpty());
  clock.Advance(clock.NextDeadline());
  EXPECT_TRUE(sink.AwaitLog("synced EndpointSlice"));
  EXPECT_TRUE(server.targets().contains("/api/v1/endpoints"));
}

TEST_F(ApiSourceTest, AFlagChoosesEndpointsWithoutAsking) {
  options.kinds = {Kind::kEndpointSlice};
  options.endpoints_api = EndpointsApi::kLegacy;
  Start();
  EXPECT_TRUE(sink.AwaitLog("synced EndpointSlice"));
  EXPECT_THAT(server.targets(), ElementsAre("/api/v1/endpoints"));
}

TEST_F(ApiSourceTest, WatchesSingleObjectsAsTheyAreAskedFor) {
  options.kinds = {Kind::kConfigMap};
  options.scopes_of[Kind::kConfigMap] = {{"options", ""}};
  Start();
  EXPECT_TRUE(sink.AwaitLog("synced ConfigMap"));
  source->WatchObjects(Kind::kConfigMap, {{"one", "files"}, {"options", "covered"}});
  EXPECT_TRUE(server.AwaitTarget("/api/v1/namespaces/one/configmaps"));
  EXPECT_TRUE(server.AwaitTarget("metadata.name%3Dfiles"));
  EXPECT_FALSE(server.targets().contains("metadata.name%3Dcovered"));
  source->WatchObjects(Kind::kConfigMap, {{"two", "files"}});
  EXPECT_TRUE(server.AwaitTarget("/api/v1/namespaces/two/configmaps"));
  EXPECT_TRUE(sink.AwaitLog("-ConfigMap one/files"));
  source->Stop();
  source->WatchObjects(Kind::kConfigMap, {{"three", "files"}});
  EXPECT_FALSE(server.targets().contains("/api/v1/namespaces/three/configmaps"));
}

TEST_F(ApiSourceTest, StopEndsEverythingAtAnyTime) {
  server.Hold("/api/v1/services");
  server.AnswerDiscovery({503});
  Start();
  EXPECT_TRUE(server.AwaitTarget("/api/v1/services"));
  source->Stop();
  source->Stop();
}

}  // namespace
}  // namespace headgate::kube
