#include "dataplane/config/compile_clusters.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "common/strings.h"

namespace headgate::config {
namespace {

using ::testing::StartsWith;

absl::StatusOr<ClusterSpec> Cluster(const std::string& text) {
  v1::Cluster cluster;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &cluster)) << text;
  return CompileCluster(cluster, false);
}

absl::StatusOr<std::vector<CompiledEndpoint>> Endpoints(const std::string& text) {
  v1::Endpoints endpoints;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &endpoints)) << text;
  return CompileEndpoints(endpoints);
}

template <typename T>
std::string Reason(const absl::StatusOr<T>& result) {
  return std::string(ToStd(result.status().message()));
}

TEST(CompileClusters, CompilesEndpoints) {
  const auto endpoints = Endpoints(
      "endpoints { address: '\\012\\000\\000\\001' port: 80 weight: 7 }"
      "endpoints { address: "
      "'\\040\\001\\015\\270\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001' port: 443"
      "            state: DRAINING }");
  ASSERT_TRUE(endpoints.ok()) << endpoints.status();
  ASSERT_EQ(endpoints->size(), 2u);
  EXPECT_EQ((*endpoints)[0].address.Text(), "10.0.0.1:80");
  EXPECT_EQ((*endpoints)[0].weight, 7u);
  EXPECT_FALSE((*endpoints)[0].draining);
  EXPECT_EQ((*endpoints)[1].address.Text(), "[2001:db8::1]:443");
  EXPECT_EQ((*endpoints)[1].weight, 1u);
  EXPECT_TRUE((*endpoints)[1].draining);
}

TEST(CompileClusters, DuplicatesAreOneEndpointThatIsLiveIfAnyIs) {
  const auto endpoints = Endpoints(
      "endpoints { address: '\\012\\000\\000\\001' port: 80 state: DRAINING }"
      "endpoints { address: '\\012\\000\\000\\001' port: 81 state: DRAINING }"
      "endpoints { address: '\\012\\000\\000\\001' port: 80 }");
  ASSERT_TRUE(endpoints.ok());
  ASSERT_EQ(endpoints->size(), 2u);
  EXPECT_FALSE((*endpoints)[0].draining);
  EXPECT_TRUE((*endpoints)[1].draining);
}

TEST(CompileClusters, RefusesBadEndpoints) {
  EXPECT_THAT(Reason(Endpoints("endpoints { address: 'abc' port: 80 }")),
              StartsWith("endpoints[0].address: is not 4 or 16 bytes"));
  EXPECT_THAT(Reason(Endpoints("endpoints { address: 'abcd' }")),
              StartsWith("endpoints[0].port: 0"));
  EXPECT_THAT(Reason(Endpoints("endpoints { address: 'abcd' port: 65536 }")),
              StartsWith("endpoints[0].port: 65536"));
  EXPECT_THAT(Reason(Endpoints("endpoints { address: 'abcd' port: 1 state: 9 }")),
              StartsWith("endpoints[0].state: "));
}

TEST(CompileClusters, CompilesClusters) {
  const auto cluster = Cluster("protocol: H2C endpoints: 'endpoints/n/a/80' log_name: 'n-a-80'");
  ASSERT_TRUE(cluster.ok()) << cluster.status();
  EXPECT_EQ(cluster->protocol, Protocol::kH2c);
  EXPECT_EQ(std::get<ClusterSpec::EndpointsName>(cluster->source).name, "endpoints/n/a/80");
  const auto dns = Cluster("protocol: HTTPS dns { host: 'My_Host.Example.' port: 443 }");
  ASSERT_TRUE(dns.ok()) << dns.status();
  EXPECT_EQ(std::get<ClusterSpec::DnsName>(dns->source).name, "my_host.example.");
  EXPECT_EQ(std::get<ClusterSpec::DnsName>(dns->source).port, 443);
}

TEST(CompileClusters, RefusesBadClusters) {
  EXPECT_THAT(Reason(Cluster("")), StartsWith("discovery: "));
  EXPECT_THAT(Reason(Cluster("endpoints: 'cluster/a'")), StartsWith("endpoints: "));
  EXPECT_THAT(Reason(Cluster("protocol: 9 endpoints: 'endpoints/a'")), StartsWith("protocol: "));
  EXPECT_THAT(Reason(Cluster("balancing { policy: 9 } endpoints: 'endpoints/a'")),
              StartsWith("balancing.policy: "));
  EXPECT_THAT(Reason(Cluster("log_name: 'a\\nb' endpoints: 'endpoints/a'")),
              StartsWith("log_name: "));
  EXPECT_THAT(Reason(Cluster("dns { host: 'a.org' }")), StartsWith("dns.port: "));
  EXPECT_THAT(Reason(Cluster("dns { host: '' port: 1 }")), StartsWith("dns.host: "));
  EXPECT_THAT(Reason(Cluster("dns { host: 'a b' port: 1 }")), StartsWith("dns.host: "));
  EXPECT_THAT(Reason(Cluster("dns { host: 'a..b' port: 1 }")), StartsWith("dns.host: "));
}

TEST(CompileClusters, KnowsLocalAddresses) {
  const auto local = [](const char* ip) { return IsLocalAddress(*base::Address::ParseIp(ip, 0)); };
  for (const char* ip : {"127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254", "224.0.0.1",
                         "255.255.255.255", "::", "::1", "fe80::1", "febf::1", "ff02::1"}) {
    EXPECT_TRUE(local(ip)) << ip;
  }
  for (const char* ip : {"10.0.0.1", "169.253.0.1", "192.168.1.1", "223.255.255.255", "::2",
                         "fec0::1", "fd00::1", "2001:db8::1"}) {
    EXPECT_FALSE(local(ip)) << ip;
  }
}

}  // namespace
}  // namespace headgate::config
