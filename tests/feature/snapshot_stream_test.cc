// The real server and the real client, over loopback.
#include <gmock/gmock.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <thread>

#include "controller/publish/snapshot_server.h"
#include "tests/feature/data_plane.h"
#include "tests/feature/test_pki.h"

namespace headgate::feature {
namespace {

using publish::Change;
using publish::SnapshotServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Change Put(const std::string& name, uint64_t hash, size_t padding = 0) {
  auto resource = std::make_shared<v1::Resource>();
  resource->set_name(name);
  resource->set_hash(hash);
  v1::Provenance* cause = resource->add_provenance();
  cause->set_kind("Ingress");
  cause->set_namespace_("default");
  cause->set_name("shop");
  resource->mutable_secret_data()->add_data()->set_value(std::string(padding, 'x'));
  return {name, std::move(resource)};
}
Change Removal(const std::string& name) { return {name, nullptr}; }

// Waits for what nobody announces; a minute at most.
bool Eventually(const std::function<bool()>& condition) {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  for (int i = 0; i < 12'000; ++i) {
    if (condition()) return true;
    never.wait_for(lock, std::chrono::milliseconds(5));
  }
  return false;
}

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "headgate-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class SnapshotStreamTest : public testing::Test {
 protected:
  void StartServer(uint16_t port = 0, const std::optional<publish::TlsPaths>& tls = std::nullopt) {
    metrics_ = std::make_unique<MetricsRegistry>();
    auto server = SnapshotServer::Start(
        {.listen = {"127.0.0.1", port}, .tls = tls, .tls_look_every = absl::Milliseconds(10)},
        clock_, *metrics_);
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  bool EveryoneIsCurrent(size_t count) {
    return Eventually([&] {
      const auto subscribers = server_->Subscribers();
      const std::string version = server_->Snapshot().version;
      return subscribers.size() == count &&
             std::all_of(subscribers.begin(), subscribers.end(),
                         [&](const auto& s) { return s.acked_version == version; });
    });
  }

  SystemClock clock_;
  std::unique_ptr<MetricsRegistry> metrics_;
  std::unique_ptr<SnapshotServer> server_;
};

TEST_F(SnapshotStreamTest, NothingIsSentBeforeTheFirstPublish) {
  StartServer();
  DataPlane data_plane(server_->port(), "");
  ASSERT_TRUE(Eventually([&] { return server_->Subscribers().size() == 1; }));
  EXPECT_THAT(data_plane.applier().calls(), IsEmpty());
  EXPECT_FALSE(data_plane.client().status().configured);

  server_->Publish({Put("settings", 1), Put("vhost/a", 2)});
  ASSERT_TRUE(data_plane.applier().WaitForContent({{"settings", 1}, {"vhost/a", 2}}));
  EXPECT_THAT(data_plane.applier().calls(), SizeIs(1));
  ASSERT_TRUE(EveryoneIsCurrent(1));
  EXPECT_TRUE(data_plane.client().status().configured);
  EXPECT_EQ(data_plane.client().status().version, server_->Snapshot().version);
}

TEST_F(SnapshotStreamTest, AChangeReachesEveryDataPlaneAndNothingElseDoes) {
  StartServer();
  server_->Publish({Put("settings", 1), Put("a", 1), Put("b", 1)});
  DataPlane one(server_->port(), "");
  DataPlane other(server_->port(), "");
  ASSERT_TRUE(EveryoneIsCurrent(2));

  server_->Publish({Put("a", 2), Removal("b")});
  for (DataPlane* data_plane : {&one, &other}) {
    ASSERT_TRUE(data_plane->applier().WaitForContent({{"settings", 1}, {"a", 2}}));
    EXPECT_THAT(data_plane->applier().calls().back().upserts, ElementsAre("a"));
    EXPECT_THAT(data_plane->applier().calls().back().removed, ElementsAre("b"));
  }
}

TEST_F(SnapshotStreamTest, ASlowDataPlaneGetsTheMergedLatestState) {
  StartServer();
  server_->Publish({Put("a", 1)});
  DataPlane slow(server_->port(), "");
  DataPlane quick(server_->port(), "");
  ASSERT_TRUE(EveryoneIsCurrent(2));

  slow.applier().HoldBack();
  server_->Publish({Put("a", 2)});
  ASSERT_TRUE(quick.applier().WaitForContent({{"a", 2}}));
  for (uint64_t form = 3; form <= 100; ++form) server_->Publish({Put("a", form), Put("b", form)});
  ASSERT_TRUE(quick.applier().WaitForContent({{"a", 100}, {"b", 100}}))
      << "one does not wait for the other";
  slow.applier().Release();
  ASSERT_TRUE(slow.applier().WaitForContent({{"a", 100}, {"b", 100}}));
  EXPECT_THAT(slow.applier().calls(), SizeIs(3)) << "the first, the one held back, all the rest";
}

TEST_F(SnapshotStreamTest, DataPlanesAreToldHowManyThereAre) {
  StartServer();
  server_->Publish({Put("a", 1)});
  DataPlane one(server_->port(), "");
  ASSERT_TRUE(one.applier().WaitForDataPlanes(1));
  {
    DataPlane other(server_->port(), "");
    ASSERT_TRUE(other.applier().WaitForDataPlanes(2));
    ASSERT_TRUE(one.applier().WaitForDataPlanes(2));
  }
  ASSERT_TRUE(one.applier().WaitForDataPlanes(1));
  EXPECT_THAT(one.applier().calls(), SizeIs(1)) << "nothing was applied anew for that";
  EXPECT_TRUE(Eventually([&] { return one.client().status().data_planes == 1; }));
}

TEST_F(SnapshotStreamTest, DataPlanesOfOtherControllersCountWhereTheyAreKnown) {
  StartServer();
  server_->Publish({Put("a", 1)});
  DataPlane one(server_->port(), "");
  ASSERT_TRUE(one.applier().WaitForDataPlanes(1));
  server_->SetFleet(5);
  ASSERT_TRUE(one.applier().WaitForDataPlanes(5));
  server_->SetFleet(0);
  ASSERT_TRUE(one.applier().WaitForDataPlanes(1)) << "never fewer than those that are connected";
}

TEST_F(SnapshotStreamTest, AfterAReconnectOnlyTheDifferenceIsSent) {
  StartServer();
  const uint16_t port = server_->port();
  server_->Publish({Put("same", 1), Put("changed", 1), Put("gone", 1)});
  DataPlane data_plane(port, "");
  ASSERT_TRUE(EveryoneIsCurrent(1));

  server_ = nullptr;
  StartServer(port);
  server_->Publish({Put("same", 1), Put("changed", 2), Put("new", 1)});
  ASSERT_TRUE(data_plane.applier().WaitForContent({{"same", 1}, {"changed", 2}, {"new", 1}}));
  const auto calls = data_plane.applier().calls();
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_THAT(calls[1].upserts, ElementsAre("changed", "new"));
  EXPECT_THAT(calls[1].removed, ElementsAre("gone"));
}

TEST_F(SnapshotStreamTest, WhileTheControllerIsAwayOrEmptyWhatIsThereStays) {
  StartServer();
  const uint16_t port = server_->port();
  server_->Publish({Put("a", 1)});
  DataPlane data_plane(port, "");
  ASSERT_TRUE(EveryoneIsCurrent(1));
  server_ = nullptr;
  ASSERT_TRUE(Eventually([&] { return !data_plane.client().status().connected; }));
  EXPECT_THAT(data_plane.client().status().last_error, HasSubstr("UNAVAILABLE"));
  StartServer(port);  // and has not synced yet
  ASSERT_TRUE(Eventually([&] { return server_->Subscribers().size() == 1; }));
  EXPECT_EQ(data_plane.applier().content(), (Content{{"a", 1}}));
  EXPECT_THAT(data_plane.applier().calls(), SizeIs(1));
}

TEST_F(SnapshotStreamTest, ARestartedDataPlaneServesFromDiskWithoutAController) {
  TempDir dir;
  StartServer();
  const uint16_t port = server_->port();
  server_->Publish({Put("a", 1), Put("b", 1)});
  {
    DataPlane data_plane(port, dir.path());
    ASSERT_TRUE(EveryoneIsCurrent(1));
    server_->Publish({Put("a", 2), Removal("b"), Put("c", 1)});
    ASSERT_TRUE(EveryoneIsCurrent(1));
  }
  const std::string version = server_->Snapshot().version;
  server_ = nullptr;
  DataPlane again(port, dir.path());
  ASSERT_TRUE(again.applier().WaitForContent({{"a", 2}, {"c", 1}}));
  ASSERT_TRUE(Eventually([&] { return again.client().status().configured; }));
  EXPECT_EQ(again.client().status().version, version);

  StartServer(port);
  server_->Publish({Put("a", 2), Put("c", 1)});
  ASSERT_TRUE(EveryoneIsCurrent(1));
  const auto calls = again.applier().calls();
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_THAT(calls[1].upserts, IsEmpty()) << "it held everything";
}

TEST_F(SnapshotStreamTest, ARefusedResourceKeepsItsLastGoodForm) {
  TempDir dir;
  StartServer();
  const uint16_t port = server_->port();
  server_->Publish({Put("good", 1), Put("bad", 1)});
  {
    DataPlane data_plane(port, dir.path());
    ASSERT_TRUE(EveryoneIsCurrent(1));
    data_plane.applier().Refuse("bad");
    data_plane.applier().Refuse("new-and-bad");
    server_->Publish({Put("good", 2), Put("bad", 2), Put("new-and-bad", 1)});
    ASSERT_TRUE(EveryoneIsCurrent(1));
    EXPECT_EQ(data_plane.applier().content(), (Content{{"good", 2}, {"bad", 1}}));
    ASSERT_THAT(server_->Subscribers()[0].refused, SizeIs(2));
    EXPECT_EQ(server_->Subscribers()[0].refused[0].resource->name(), "bad");
    EXPECT_EQ(server_->Subscribers()[0].refused[0].reason, "refused by the test");
    EXPECT_THAT(data_plane.client().status().refused, SizeIs(2));
    EXPECT_THAT(metrics_->Render(), HasSubstr("headgate_snapshot_refused_resources 2"));
    EXPECT_THAT(metrics_->Render(),
                HasSubstr("headgate_snapshot_refused{resource=\"bad\",kind=\"Ingress\","
                          "namespace=\"default\",name=\"shop\",field=\"\"} 1\n"));

    // Not sent again with other changes, and the counts agree.
    server_->Publish({Put("good", 3)});
    ASSERT_TRUE(EveryoneIsCurrent(1));
    EXPECT_THAT(data_plane.applier().calls().back().upserts, ElementsAre("good"));
    EXPECT_EQ(data_plane.client().status().mismatches, 0u);
  }
  {
    // The disk holds the good forms. The controller sends the refused ones once a stream.
    DataPlane again(port, dir.path());
    ASSERT_TRUE(again.applier().WaitForCalls(2));
    EXPECT_THAT(again.applier().calls()[0].upserts, ElementsAre("bad", "good"));
    EXPECT_THAT(again.applier().calls()[1].upserts, ElementsAre("bad", "new-and-bad"));
    ASSERT_TRUE(again.applier().WaitForContent({{"good", 3}, {"bad", 2}, {"new-and-bad", 1}}));
    ASSERT_TRUE(EveryoneIsCurrent(1));
    EXPECT_THAT(server_->Subscribers()[0].refused, IsEmpty());
    EXPECT_THAT(metrics_->Render(), Not(HasSubstr("headgate_snapshot_refused{")));
  }
}

TEST_F(SnapshotStreamTest, ARefusedResourceIsTriedAgainWhenItChanges) {
  StartServer();
  server_->Publish({Put("a", 1)});
  DataPlane data_plane(server_->port(), "");
  ASSERT_TRUE(EveryoneIsCurrent(1));
  data_plane.applier().Refuse("b");
  server_->Publish({Put("b", 1)});
  ASSERT_TRUE(EveryoneIsCurrent(1));
  data_plane.applier().RefuseNothing();
  server_->Publish({Put("b", 2)});
  ASSERT_TRUE(data_plane.applier().WaitForContent({{"a", 1}, {"b", 2}}));
  ASSERT_TRUE(EveryoneIsCurrent(1));
  EXPECT_THAT(server_->Subscribers()[0].refused, IsEmpty());
  EXPECT_THAT(data_plane.client().status().refused, IsEmpty());
}

TEST_F(SnapshotStreamTest, ALargeSnapshotPassesInChunks) {
  TempDir dir;
  StartServer();
  Content expected;
  std::vector<Change> changes;
  // More than one gRPC message may hold, and an inventory of two chunks. Not more: ThreadSanitizer
  // is slow.
  for (int i = 0; i < 15'000; ++i) {
    const std::string name = "vhost/host-" + std::to_string(i) + ".example.com";
    changes.push_back(Put(name, static_cast<uint64_t>(i) + 1, 300));
    expected[name] = static_cast<uint64_t>(i) + 1;
  }
  server_->Publish(std::move(changes));
  {
    DataPlane data_plane(server_->port(), dir.path());
    ASSERT_TRUE(data_plane.applier().WaitForContent(expected));
    ASSERT_TRUE(EveryoneIsCurrent(1));
    EXPECT_THAT(data_plane.applier().calls(), SizeIs(1))
        << "all of it at once, whatever the chunks";
  }
  // The inventory goes back in chunks, too.
  server_->Publish({Put("one-more", 1)});
  DataPlane again(server_->port(), dir.path());
  ASSERT_TRUE(EveryoneIsCurrent(1));
  ASSERT_THAT(again.applier().calls(), SizeIs(2));
  EXPECT_THAT(again.applier().calls()[1].upserts, ElementsAre("one-more"));
}

TEST_F(SnapshotStreamTest, ManyRestartsNeverLoseOrShrinkAnything) {
  StartServer();
  const uint16_t port = server_->port();
  Content truth = {{"a", 1}, {"b", 1}};
  server_->Publish({Put("a", 1), Put("b", 1)});
  DataPlane data_plane(port, "");
  ASSERT_TRUE(EveryoneIsCurrent(1));
  for (uint64_t round = 2; round < 12; ++round) {
    server_ = nullptr;
    StartServer(port);
    truth["a"] = round;
    server_->Publish({Put("a", round), Put("b", 1)});
    ASSERT_TRUE(data_plane.applier().WaitForContent(truth));
  }
  for (const auto& call : data_plane.applier().calls()) EXPECT_THAT(call.removed, IsEmpty());
}

// Speaks the protocol by hand.
class RawClient {
 public:
  explicit RawClient(uint16_t port)
      : channel_(grpc::CreateChannel("127.0.0.1:" + std::to_string(port),
                                     grpc::InsecureChannelCredentials())),
        stub_(v1::SnapshotDiscovery::NewStub(channel_)) {
    context_.set_deadline(
        gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(60, GPR_TIMESPAN)));
    stream_ = stub_->Subscribe(&context_);
  }
  bool Hello() {
    v1::DataPlaneMessage message;
    message.mutable_hello()->set_instance("raw");
    return stream_->Write(message);
  }
  bool Inventory() {
    v1::DataPlaneMessage message;
    message.mutable_inventory()->set_last(true);
    return stream_->Write(message);
  }
  bool Result(const std::string& version) {
    v1::DataPlaneMessage message;
    message.mutable_result()->set_version(version);
    return stream_->Write(message);
  }
  bool Read(v1::ControllerMessage* message) { return stream_->Read(message); }
  grpc::Status Finish() {
    v1::ControllerMessage rest;
    while (stream_->Read(&rest)) {
    }
    return stream_->Finish();
  }

 private:
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::SnapshotDiscovery::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::DataPlaneMessage, v1::ControllerMessage>> stream_;
};

TEST_F(SnapshotStreamTest, MessagesOutOfOrderEndTheStream) {
  StartServer();
  server_->Publish({Put("a", 1)});
  RawClient client(server_->port());
  client.Inventory();
  EXPECT_EQ(client.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(SnapshotStreamTest, AResultNobodyAskedForEndsTheStream) {
  StartServer();
  server_->Publish({Put("a", 1)});
  RawClient client(server_->port());
  ASSERT_TRUE(client.Hello());
  ASSERT_TRUE(client.Inventory());
  v1::ControllerMessage message;
  ASSERT_TRUE(client.Read(&message));
  EXPECT_EQ(message.delta().upserts_size(), 1);
  ASSERT_TRUE(client.Read(&message));
  EXPECT_EQ(message.commit().resource_count(), 1u);
  client.Result("something else");
  EXPECT_EQ(client.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(SnapshotStreamTest, StreamsEndCleanlyAtShutdown) {
  StartServer();
  server_->Publish({Put("a", 1)});
  RawClient waiting(server_->port());  // has not said hello
  RawClient served(server_->port());
  ASSERT_TRUE(served.Hello());
  ASSERT_TRUE(served.Inventory());
  v1::ControllerMessage message;
  ASSERT_TRUE(served.Read(&message));
  ASSERT_TRUE(Eventually([&] { return server_->Subscribers().size() == 1; }));
  server_ = nullptr;
  EXPECT_EQ(served.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(waiting.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(SnapshotStreamTest, WithoutTlsOnlyLoopbackIsServed) {
  MetricsRegistry metrics;
  auto server = SnapshotServer::Start({.listen = {"0.0.0.0", 0}}, clock_, metrics);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SnapshotStreamTest, APortInUseIsAnError) {
  StartServer();
  MetricsRegistry metrics;
  auto second = SnapshotServer::Start({.listen = {"127.0.0.1", server_->port()}}, clock_, metrics);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
}

class TlsTest : public SnapshotStreamTest {
 protected:
  TlsTest() {
    server_paths_ = {dir_.File("server.crt"), dir_.File("server.key"), dir_.File("clients.crt")};
    client_paths_ = {dir_.File("client.crt"), dir_.File("client.key"), dir_.File("servers.crt")};
    GiveServer(ca_.Issue("controller"), ca_);
    GiveClient(ca_.Issue("data plane"), ca_);
  }
  void GiveServer(const CertificateAndKey& own, const TestCa& clients) {
    Write(server_paths_.certificate, own.certificate);
    Write(server_paths_.key, own.key);
    Write(server_paths_.client_ca, clients.certificate());
  }
  void GiveClient(const CertificateAndKey& own, const TestCa& servers) {
    Write(client_paths_.certificate, own.certificate);
    Write(client_paths_.key, own.key);
    Write(client_paths_.controller_ca, servers.certificate());
  }
  static void Write(const std::string& path, const std::string& content) {
    ASSERT_TRUE(WriteFileAtomically(path, content).ok());
  }
  bool IsServed(DataPlane& data_plane) {
    return Eventually([&] { return data_plane.client().status().connected; });
  }

  TempDir dir_;
  TestCa ca_{"first"};
  publish::TlsPaths server_paths_;
  control::TlsPaths client_paths_;
};

TEST_F(TlsTest, BothSidesProveThemselves) {
  StartServer(0, server_paths_);
  server_->Publish({Put("a", 1)});
  DataPlane data_plane(server_->port(), "", client_paths_);
  EXPECT_TRUE(data_plane.applier().WaitForContent({{"a", 1}}));
}

TEST_F(TlsTest, AStrangerIsNotServed) {
  StartServer(0, server_paths_);
  server_->Publish({Put("a", 1)});
  TestCa strange("strange");
  GiveClient(strange.Issue("data plane"), ca_);
  DataPlane stranger(server_->port(), "", client_paths_);
  ASSERT_TRUE(Eventually([&] { return stranger.client().status().streams >= 3; }));
  EXPECT_THAT(stranger.applier().calls(), IsEmpty());
  EXPECT_THAT(server_->Subscribers(), IsEmpty());

  DataPlane naked(server_->port(), "");
  ASSERT_TRUE(Eventually([&] { return naked.client().status().streams >= 3; }));
  EXPECT_THAT(naked.applier().calls(), IsEmpty());
}

TEST_F(TlsTest, AStrangeControllerIsNotFollowed) {
  TestCa strange("strange");
  GiveServer(strange.Issue("controller"), ca_);
  StartServer(0, server_paths_);
  server_->Publish({Put("a", 1)});
  DataPlane data_plane(server_->port(), "", client_paths_);
  ASSERT_TRUE(Eventually([&] { return data_plane.client().status().streams >= 3; }));
  EXPECT_THAT(data_plane.applier().calls(), IsEmpty());
}

TEST_F(TlsTest, RotatedFilesAreTakenOverByBothSides) {
  StartServer(0, server_paths_);
  server_->Publish({Put("a", 1)});
  DataPlane early(server_->port(), "", client_paths_);
  ASSERT_TRUE(IsServed(early));

  TestCa next("next");
  GiveServer(next.Issue("controller"), next);
  GiveClient(next.Issue("data plane"), next);
  // Refused while the server still believes the old authority only, then served.
  DataPlane late(server_->port(), "", client_paths_);
  ASSERT_TRUE(IsServed(late));
  server_->Publish({Put("a", 2)});
  EXPECT_TRUE(late.applier().WaitForContent({{"a", 2}}));
  EXPECT_TRUE(early.applier().WaitForContent({{"a", 2}})) << "an open stream goes on";
}

TEST_F(TlsTest, FilesThatDoNotFitAreNotTakenOver) {
  StartServer(0, server_paths_);
  server_->Publish({Put("a", 1)});
  const CertificateAndKey other = ca_.Issue("controller");
  Write(server_paths_.key, other.key);  // the certificate has not come yet
  Write(server_paths_.client_ca, "garbage");
  DataPlane data_plane(server_->port(), "", client_paths_);
  EXPECT_TRUE(IsServed(data_plane));
  // Long enough for gRPC to have looked, too.
  const absl::Duration until = clock_.MonotonicNow() + absl::Seconds(2);
  ASSERT_TRUE(Eventually([&] { return clock_.MonotonicNow() > until; }));
  DataPlane late(server_->port(), "", client_paths_);
  EXPECT_TRUE(IsServed(late));
}

TEST_F(TlsTest, FilesThatAreNoGoodAtTheStartAreAnError) {
  MetricsRegistry metrics;
  const auto start = [&] {
    return SnapshotServer::Start({.listen = {"127.0.0.1", 0}, .tls = server_paths_}, clock_,
                                 metrics)
        .status();
  };
  Write(server_paths_.key, ca_.Issue("other").key);
  EXPECT_THAT(start().message(), HasSubstr("server.key"));
  Write(server_paths_.certificate, "garbage");
  EXPECT_THAT(start().message(), HasSubstr("server.crt"));
  std::filesystem::remove(server_paths_.client_ca);
  EXPECT_THAT(start().message(), HasSubstr("clients.crt"));
}

}  // namespace
}  // namespace headgate::feature
