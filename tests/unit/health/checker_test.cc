#include "dataplane/health/checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/dataplane/http2_peer.h"
#include "tests/support/dataplane/peer.h"

namespace headgate::health {
namespace {

using config::HealthCheck;
using std::chrono::milliseconds;
using test::Http2Peer;
using test::Peer;
using test::PeerListener;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A checker whose verdicts the test waits for, and clusters for it.
class CheckerTest : public ::testing::Test {
 protected:
  CheckerTest() {
    check_.interval = milliseconds(100);
    check_.timeout = milliseconds(5'000);
    check_.rise = check_.fall = 1;
    checker_.Start();
  }

  // A cluster whose group is named by `group`.
  std::shared_ptr<config::CompiledCluster> Cluster(const std::vector<base::Address>& addresses,
                                                   const std::string& group = "group") {
    auto cluster = std::make_shared<config::CompiledCluster>();
    auto health = std::make_shared<config::UpstreamHealth>();
    health->check = check_;
    health->group = group;
    health->source = "endpoints/ns/web/80";
    cluster->health = std::move(health);
    std::vector<config::CompiledEndpoint> endpoints;
    for (const base::Address& address : addresses) endpoints.push_back({.address = address});
    cluster->endpoints = config::EndpointList(std::move(endpoints));
    return cluster;
  }

  void Set(config::ClusterSlot slot, std::shared_ptr<const config::CompiledCluster> cluster) {
    config::ConfigUpdate update;
    update.clusters.push_back({slot, std::move(cluster)});
    checker_.Apply(update);
  }

  // Waits until the latest verdict for the slot names these endpoints.
  bool AwaitUnhealthy(config::ClusterSlot slot, const std::vector<base::Address>& addresses) {
    std::unique_lock lock(mutex_);
    return told_changed_.wait_for(lock, std::chrono::seconds(10), [&] {
      const auto at = told_.find(slot);
      return at != told_.end() && at->second->addresses == addresses;
    });
  }
  size_t told_slots() {
    std::lock_guard lock(mutex_);
    return told_.size();
  }

  HealthCheck check_;
  PeerListener listener_;

 private:
  void Take(std::vector<config::HealthVerdict> verdicts) {
    std::lock_guard lock(mutex_);
    for (config::HealthVerdict& verdict : verdicts)
      told_[verdict.slot] = std::move(verdict.unhealthy);
    told_changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable told_changed_;
  std::map<config::ClusterSlot, std::shared_ptr<const config::UnhealthyEndpoints>> told_;

 protected:
  Checker checker_{
      [this](std::vector<config::HealthVerdict> verdicts) { Take(std::move(verdicts)); }};
};

std::string Response(int status) {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 2\r\n\r\nok";
}

TEST_F(CheckerTest, AsksForThePathInTheNameOfTheHealthCheck) {
  check_.path = "/healthz?deep=1";
  check_.host = "shop.example";
  Set(0, Cluster({listener_.address()}));
  Peer peer = listener_.Accept();
  const Peer::Message request = peer.ReadRequest();
  EXPECT_THAT(request.head, HasSubstr("GET /healthz?deep=1 HTTP/1.1\r\n"));
  EXPECT_EQ(request.Field("Host"), "shop.example");
  EXPECT_EQ(request.Field("User-Agent"), "headgate-health-check");
  peer.Send(Response(200));
  EXPECT_TRUE(peer.Ended());  // each probe makes its own connection
}

TEST_F(CheckerTest, AStatusThatIsNotExpectedIsAFailureAndTheNextGoodOneTheEndOfIt) {
  Set(0, Cluster({listener_.address()}));
  Peer first = listener_.Accept();
  EXPECT_EQ(first.ReadRequest().Field("Host"), listener_.address().Text());
  first.Send(Response(500));
  EXPECT_TRUE(AwaitUnhealthy(0, {listener_.address()}));
  const std::vector<UpstreamStatus> status = checker_.Status();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].source, "endpoints/ns/web/80");
  ASSERT_EQ(status[0].unhealthy.size(), 1u);
  EXPECT_EQ(status[0].unhealthy[0].detail, "unexpected status");
  Peer second = listener_.Accept();
  second.ReadRequest();
  second.Send(Response(301));
  EXPECT_TRUE(AwaitUnhealthy(0, {}));
  EXPECT_GE(checker_.probes(), 2u);
  EXPECT_GE(checker_.failed_probes(), 1u);
}

TEST_F(CheckerTest, ExpectedStatusesTakeThePlaceOfTheUsualOnes) {
  check_.expected_statuses = {{401, 401}, {500, 503}};
  Set(0, Cluster({listener_.address()}));
  Peer first = listener_.Accept();
  first.ReadRequest();
  first.Send(Response(200));
  EXPECT_TRUE(AwaitUnhealthy(0, {listener_.address()}));
  Peer second = listener_.Accept();
  second.ReadRequest();
  second.Send(Response(502));
  EXPECT_TRUE(AwaitUnhealthy(0, {}));
}

TEST_F(CheckerTest, AnAnswerThatDoesNotComeInTimeIsAFailure) {
  check_.timeout = milliseconds(50);
  Set(0, Cluster({listener_.address()}));
  Peer silent = listener_.Accept();
  EXPECT_TRUE(AwaitUnhealthy(0, {listener_.address()}));
}

TEST_F(CheckerTest, AnAnswerThatEndsEarlyIsAFailure) {
  Set(0, Cluster({listener_.address()}));
  Peer peer = listener_.Accept();
  peer.ReadRequest();
  peer.Send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok");
  peer.Close();
  EXPECT_TRUE(AwaitUnhealthy(0, {listener_.address()}));
}

TEST_F(CheckerTest, TcpAsksForNothingButAConnection) {
  check_.kind = HealthCheck::Kind::kTcp;
  base::Address nobody;
  {
    PeerListener gone;
    nobody = gone.address();
  }
  Set(0, Cluster({listener_.address(), nobody}));
  EXPECT_TRUE(AwaitUnhealthy(0, {nobody}));
  EXPECT_TRUE(listener_.Accept().Ended());
}

TEST_F(CheckerTest, AnotherPortIsProbedIfTheCheckSaysSo) {
  PeerListener traffic;
  check_.port = listener_.port();
  Set(0, Cluster({traffic.address()}));
  Peer peer = listener_.Accept();
  peer.ReadRequest();
  peer.Send(Response(503));
  EXPECT_TRUE(AwaitUnhealthy(0, {traffic.address()}));
  EXPECT_FALSE(traffic.HasConnection());
}

TEST_F(CheckerTest, GrpcAsksForTheStateOfTheWholeServer) {
  check_.kind = HealthCheck::Kind::kGrpc;
  Set(0, Cluster({listener_.address()}));
  const auto serve = [&](std::string_view message, const std::string& grpc_status) {
    Http2Peer peer(listener_.Accept());
    const Http2Peer::Request request = peer.ReadRequest();
    EXPECT_EQ(request.fields.at(":path"), "/grpc.health.v1.Health/Check");
    EXPECT_EQ(request.fields.at("content-type"), "application/grpc");
    EXPECT_EQ(request.fields.at("te"), "trailers");
    EXPECT_EQ(request.body, std::string(5, '\0'));
    peer.SendHeaders(request.stream, {{":status", "200"}, {"content-type", "application/grpc"}},
                     false);
    peer.SendData(request.stream, message, false);
    peer.SendHeaders(request.stream, {{"grpc-status", grpc_status}}, true);
  };
  serve(std::string_view("\0\0\0\0\2\x08\x02", 7), "0");  // NOT_SERVING
  EXPECT_TRUE(AwaitUnhealthy(0, {listener_.address()}));
  serve(std::string_view("\0\0\0\0\2\x08\x01", 7), "0");
  EXPECT_TRUE(AwaitUnhealthy(0, {}));
  serve(std::string_view("\0\0\0\0\2\x08\x01", 7), "14");
  EXPECT_TRUE(AwaitUnhealthy(0, {listener_.address()}));
}

TEST_F(CheckerTest, EndpointsThatSpeakTlsAreProbedOverIt) {
  const headgate::testing::PemPair pair = headgate::testing::MakeCertificate({"web.example"});
  test::TlsEnd end({.chain = pair.chain, .key = pair.key, .alpn = "http/1.1"});
  auto cluster = Cluster({listener_.address()});
  cluster->protocol = config::Protocol::kHttps;
  cluster->tls = std::make_shared<const tls::ClientPolicy>();
  Set(0, cluster);
  Peer peer = listener_.Accept();
  ASSERT_TRUE(peer.StartTls(end));
  EXPECT_THAT(peer.ReadRequest().head, HasSubstr("GET / HTTP/1.1\r\n"));
  peer.Send(Response(503));
  EXPECT_TRUE(AwaitUnhealthy(0, {listener_.address()}));
}

TEST_F(CheckerTest, ClustersOfOneGroupShareTheirProbes) {
  check_.interval = milliseconds(60'000);
  config::ConfigUpdate update;
  for (config::ClusterSlot slot = 0; slot < 1000; ++slot)
    update.clusters.push_back({slot, Cluster({listener_.address()})});
  checker_.Apply(update);
  const std::vector<UpstreamStatus> status = checker_.Status();
  ASSERT_EQ(status.size(), 1u);
  EXPECT_EQ(status[0].endpoints, 1u);
}

TEST_F(CheckerTest, AClusterThatJoinsAGroupIsToldWhatIsKnown) {
  Set(0, Cluster({listener_.address()}));
  Peer peer = listener_.Accept();
  peer.ReadRequest();
  peer.Send(Response(500));
  ASSERT_TRUE(AwaitUnhealthy(0, {listener_.address()}));
  Set(7, Cluster({listener_.address()}));
  EXPECT_TRUE(AwaitUnhealthy(7, {listener_.address()}));
  // And a new form of the same changes nothing.
  Set(0, Cluster({listener_.address()}));
  EXPECT_EQ(checker_.Status()[0].unhealthy.size(), 1u);
}

TEST_F(CheckerTest, WhatIsGoneIsForgotten) {
  Set(0, Cluster({listener_.address()}));
  Peer peer = listener_.Accept();
  peer.ReadRequest();
  peer.Send(Response(500));
  ASSERT_TRUE(AwaitUnhealthy(0, {listener_.address()}));
  PeerListener other;
  Set(0, Cluster({other.address()}));
  EXPECT_TRUE(AwaitUnhealthy(0, {}));
  Set(0, nullptr);
  EXPECT_THAT(checker_.Status(), IsEmpty());
}

TEST_F(CheckerTest, WhereEndpointsAreToldWhoTheClientIsAProbeSpeaksForItself) {
  auto cluster = Cluster({listener_.address()});
  cluster->proxy_protocol = net::ProxyVersion::kV1;
  Set(0, cluster);
  EXPECT_THAT(listener_.Accept().ReadHead(),
              ::testing::StartsWith("PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n"));
}

}  // namespace
}  // namespace headgate::health
