// From a source's events to a data plane: the real state, translation, publishing and client; only
// the API server is played.
#include "controller/app/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "controller/publish/snapshot_server.h"
#include "tests/feature/data_plane.h"
#include "tests/support/kube_objects.h"

namespace headgate::feature {
namespace {

using headgate::testing::Backend;
using headgate::testing::Class;
using headgate::testing::Ipv4;
using headgate::testing::SimpleIngress;
using headgate::testing::SimpleService;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::set<std::string> NamesOf(const Content& content) {
  std::set<std::string> names;
  for (const auto& [name, hash] : content) names.insert(name);
  return names;
}

class PipelineTest : public ::testing::Test {
 protected:
  PipelineTest() { StartController(); }
  ~PipelineTest() override { StopController(); }

  void StartController(uint16_t port = 0) {
    metrics_ = std::make_unique<MetricsRegistry>();
    publish::SnapshotServer::Options options;
    options.listen = {"127.0.0.1", port};
    auto server = publish::SnapshotServer::Start(options, clock_, *metrics_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    app::Pipeline::Options pipeline;
    pipeline.translate.fallback_certificate = {"chain", SecretBytes("key")};
    pipeline_ = std::make_unique<app::Pipeline>(
        pipeline,
        [this](std::vector<publish::Change> changes) { server_->Publish(std::move(changes)); },
        clock_, *metrics_);
  }
  void StopController() {
    pipeline_ = nullptr;
    server_ = nullptr;
  }

  kube::EventSink& sink() { return pipeline_->sink(); }

  void List(kube::Kind kind, std::vector<kube::Object> objects) {
    kube::Replacement replacement;
    replacement.kind = kind;
    replacement.objects = std::move(objects);
    sink().OnReplace(std::move(replacement));
    sink().OnSynced(kind);
  }
  // All kinds but Ingress.
  void ListTheRest() {
    List(kube::Kind::kIngressClass, {Class("headgate")});
    List(kube::Kind::kService, {SimpleService("shop", "web", 80, 8080)});
    List(kube::Kind::kEndpointSlice, {Slice({1})});
    List(kube::Kind::kSecret, {});
  }
  // With the addresses 10.0.0.N.
  static kube::EndpointSlice Slice(std::vector<uint8_t> last_bytes) {
    std::vector<kube::Endpoint> endpoints;
    for (const uint8_t last : last_bytes) endpoints.push_back(Ipv4(10, 0, 0, last));
    return headgate::testing::Slice("shop", "web-1", "web", 8080, std::move(endpoints));
  }
  static kube::Ingress Shop(const std::string& name, const std::string& host,
                            const std::string& version) {
    return SimpleIngress("shop", name, host, Backend("web", 80), version);
  }
  void ListShop() {
    ListTheRest();
    List(kube::Kind::kIngress, {Shop("web", "shop.example.com", "1")});
  }

  const std::set<std::string> kShopNames = {"settings", "cert/default", "vhost/shop.example.com",
                                            "cluster/shop/web/80", "endpoints/shop/web/80"};

  // False after a minute without it.
  static bool WaitForNames(DataPlane& data_plane, const std::set<std::string>& names) {
    for (size_t calls = 1; NamesOf(data_plane.applier().content()) != names; ++calls) {
      if (!data_plane.applier().WaitForCalls(calls)) return false;
    }
    return true;
  }

  SystemClock clock_;
  std::unique_ptr<MetricsRegistry> metrics_;
  std::unique_ptr<publish::SnapshotServer> server_;
  std::unique_ptr<app::Pipeline> pipeline_;
};

TEST_F(PipelineTest, NothingIsPublishedBeforeEveryKindIsListed) {
  DataPlane data_plane(server_->port(), "");
  List(kube::Kind::kIngress, {Shop("web", "shop.example.com", "1")});
  List(kube::Kind::kIngressClass, {Class("headgate")});
  List(kube::Kind::kService, {SimpleService("shop", "web", 80, 8080)});
  List(kube::Kind::kEndpointSlice, {Slice({1})});
  // Changes that come meanwhile do not open the gate, either.
  sink().OnChanges({Shop("web", "shop.example.com", "2")});
  EXPECT_FALSE(pipeline_->published());
  EXPECT_FALSE(server_->Snapshot().published);
  List(kube::Kind::kSecret, {});
  ASSERT_TRUE(WaitForNames(data_plane, kShopNames));
  EXPECT_THAT(data_plane.applier().calls(), SizeIs(1));
  EXPECT_TRUE(pipeline_->published());
}

TEST_F(PipelineTest, AChangeOfEndpointsIsAllThatIsSent) {
  ListShop();
  DataPlane data_plane(server_->port(), "");
  ASSERT_TRUE(WaitForNames(data_plane, kShopNames));
  sink().OnChanges({Slice({1, 2})});
  ASSERT_TRUE(data_plane.applier().WaitForCalls(2));
  EXPECT_THAT(data_plane.applier().calls()[1].upserts, ElementsAre("endpoints/shop/web/80"));
  EXPECT_THAT(data_plane.applier().calls()[1].removed, IsEmpty());
}

TEST_F(PipelineTest, ADeletedIngressTakesItsHostAlong) {
  ListShop();
  DataPlane data_plane(server_->port(), "");
  ASSERT_TRUE(WaitForNames(data_plane, kShopNames));
  sink().OnChanges({Shop("more", "more.example.com", "2")});
  ASSERT_TRUE(data_plane.applier().WaitForCalls(2));
  EXPECT_THAT(data_plane.applier().calls()[1].upserts, ElementsAre("vhost/more.example.com"));
  sink().OnChanges({kube::Deletion{kube::Kind::kIngress, {"shop", "more"}}});
  ASSERT_TRUE(data_plane.applier().WaitForCalls(3));
  EXPECT_THAT(data_plane.applier().calls()[2].removed, ElementsAre("vhost/more.example.com"));
}

TEST_F(PipelineTest, ARelistThatChangesNothingSendsNothing) {
  ListShop();
  DataPlane data_plane(server_->port(), "");
  ASSERT_TRUE(WaitForNames(data_plane, kShopNames));
  kube::Replacement again;
  again.kind = kube::Kind::kIngress;
  again.objects = {Shop("web", "shop.example.com", "1")};
  sink().OnReplace(std::move(again));
  sink().OnChanges({Shop("more", "more.example.com", "2")});
  ASSERT_TRUE(data_plane.applier().WaitForCalls(2));
  EXPECT_THAT(data_plane.applier().calls()[1].upserts, ElementsAre("vhost/more.example.com"));
  EXPECT_THAT(data_plane.applier().calls()[1].removed, IsEmpty());
}

TEST_F(PipelineTest, ABrokenIngressKeepsItsLastGoodFormAndIsNamed) {
  ListShop();
  DataPlane data_plane(server_->port(), "");
  ASSERT_TRUE(WaitForNames(data_plane, kShopNames));
  kube::MalformedObject malformed;
  malformed.kind = kube::Kind::kIngress;
  malformed.key = {"shop", "web"};
  malformed.resource_version = "2";
  malformed.error = "Ingress shop/web: spec.rules: expected array";
  sink().OnChanges({malformed, Slice({2})});
  ASSERT_TRUE(data_plane.applier().WaitForCalls(2));
  EXPECT_EQ(NamesOf(data_plane.applier().content()), kShopNames);
  EXPECT_THAT(metrics_->Render(),
              HasSubstr("headgate_diagnostics{severity=\"error\",reason=\"Undecodable\"} 1"));
  constexpr char kSeries[] =
      "headgate_object_diagnostics{severity=\"error\",reason=\"Undecodable\",kind=\"Ingress\","
      "namespace=\"shop\",name=\"web\",field=";
  EXPECT_THAT(metrics_->Render(), HasSubstr(kSeries));
  sink().OnChanges({Shop("web", "shop.example.com", "3"), Slice({3})});
  ASSERT_TRUE(data_plane.applier().WaitForCalls(3));
  EXPECT_THAT(metrics_->Render(), Not(HasSubstr(kSeries)));
}

TEST_F(PipelineTest, ARestartedControllerChangesNothingThatIsTheSame) {
  ListShop();
  const uint16_t port = server_->port();
  DataPlane data_plane(port, "");
  ASSERT_TRUE(WaitForNames(data_plane, kShopNames));
  const std::string version = server_->Snapshot().version;
  StopController();
  StartController(port);
  ListTheRest();
  List(kube::Kind::kIngress, {Shop("web", "shop.example.com", "1")});
  ASSERT_TRUE(data_plane.applier().WaitForCalls(2));
  EXPECT_EQ(server_->Snapshot().version, version);
  EXPECT_THAT(data_plane.applier().calls()[1].upserts, IsEmpty());
  EXPECT_THAT(data_plane.applier().calls()[1].removed, IsEmpty());
}

TEST_F(PipelineTest, ManyChangesAtOnceArriveInFewCommits) {
  ListShop();
  DataPlane data_plane(server_->port(), "");
  ASSERT_TRUE(WaitForNames(data_plane, kShopNames));
  std::set<std::string> names = kShopNames;
  for (int i = 0; i < 500; ++i) {
    const std::string host = "h" + std::to_string(i) + ".example.com";
    sink().OnChanges({Shop("h" + std::to_string(i), host, std::to_string(i + 2))});
    names.insert("vhost/" + host);
  }
  ASSERT_TRUE(WaitForNames(data_plane, names));
  EXPECT_LT(data_plane.applier().calls().size(), 250u);
}

TEST_F(PipelineTest, ShowsItselfInMetrics) {
  ListShop();
  DataPlane data_plane(server_->port(), "");
  ASSERT_TRUE(WaitForNames(data_plane, kShopNames));
  // The pipeline notes what it has done after it has published it.
  std::string metrics;
  const absl::Time limit = absl::Now() + absl::Seconds(10);
  do {
    metrics = metrics_->Render();
  } while (metrics.find("headgate_state_synced 1") == std::string::npos && absl::Now() < limit);
  for (const char* line :
       {"headgate_state_synced 1", "headgate_state_objects{kind=\"Ingress\"} 1",
        "headgate_snapshot_resources{kind=\"vhost\"} 1", "headgate_translation_seconds_count 1",
        "headgate_snapshot_subscribers 1"}) {
    EXPECT_THAT(metrics, HasSubstr(line));
  }
}

}  // namespace
}  // namespace headgate::feature
