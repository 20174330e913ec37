#include "dataplane/config/compile_health.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "common/strings.h"
#include "dataplane/config/config_builder.h"
#include "tests/unit/config/resources.h"

namespace headgate::config {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::StartsWith;

absl::StatusOr<HealthCheck> Check(const std::string& text) {
  v1::HealthCheck check;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &check)) << text;
  return CompileHealthCheck(check);
}

std::string Reason(const std::string& text) {
  return std::string(ToStd(Check(text).status().message()));
}

TEST(CompileHealth, WhatIsLeftOutTakesItsDefault) {
  const auto check = Check("kind: HTTP");
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_EQ(*check, HealthCheck());
}

TEST(CompileHealth, EverythingCanBeSaid) {
  const auto check = Check(
      "kind: GRPC path: '/x?y' host: 'a.b' port: 9 interval { seconds: 1 nanos: 500000000 } "
      "timeout { seconds: 3 }"
      "rise: 4 fall: 5 expected_statuses { first: 200 last: 204 } expected_statuses { first: 401 "
      "last: 401 }");
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_EQ(check->kind, HealthCheck::Kind::kGrpc);
  EXPECT_EQ(check->path, "/x?y");
  EXPECT_EQ(check->host, "a.b");
  EXPECT_EQ(check->port, 9);
  EXPECT_EQ(check->interval, milliseconds(1500));
  EXPECT_EQ(check->timeout, milliseconds(3000));
  EXPECT_EQ(check->rise, 4u);
  EXPECT_EQ(check->fall, 5u);
  EXPECT_THAT(check->expected_statuses, ElementsAre(StatusRange{200, 204}, StatusRange{401, 401}));
  EXPECT_NE(Describe(*check), Describe(HealthCheck()));
}

TEST(CompileHealth, RefusesWhatNoProbeCouldDo) {
  EXPECT_THAT(Reason(""), StartsWith("health_check.kind:"));
  EXPECT_THAT(Reason("kind: HTTP path: 'x'"), StartsWith("health_check.path:"));
  EXPECT_THAT(Reason("kind: HTTP path: '/a b'"), StartsWith("health_check.path:"));
  EXPECT_THAT(Reason("kind: HTTP host: 'a\\r\\nX: y'"), StartsWith("health_check.host:"));
  EXPECT_THAT(Reason("kind: TCP port: 65536"), StartsWith("health_check.port:"));
  EXPECT_THAT(Reason("kind: TCP interval { nanos: 99000000 }"),
              StartsWith("health_check.interval:"));
  EXPECT_THAT(Reason("kind: TCP timeout { }"), StartsWith("health_check.timeout:"));
  EXPECT_THAT(Reason("kind: HTTP expected_statuses { first: 100 last: 200 }"),
              StartsWith("health_check.expected_statuses:"));
}

class ClusterHealthConfigTest : public ::testing::Test {
 protected:
  void Apply(const std::vector<v1::Resource>& upserts,
             const std::vector<std::string>& removed = {}) {
    std::vector<const v1::Resource*> pointers;
    for (const v1::Resource& resource : upserts) pointers.push_back(&resource);
    EXPECT_TRUE(builder_.Apply(pointers, removed).refusals.empty());
  }
  static v1::Resource Cluster(const std::string& suffix, const std::string& fields) {
    return MakeResource("cluster/" + suffix,
                        "cluster { endpoints: 'endpoints/n/web/80' " + fields + " }");
  }
  static v1::Resource Endpoints(const std::string& suffix, const std::string& last_bytes) {
    std::string text = "endpoints {";
    for (const char c : last_bytes)
      text += std::string(" endpoints { address: 'abc") + c + "' port: 80 }";
    return MakeResource("endpoints/" + suffix, text + " }");
  }
  std::string Group(const std::string& suffix) {
    return builder_.FindCluster("cluster/" + suffix)->health->group;
  }
  // Last bytes of the addresses, backups in capitals.
  std::string Addresses() {
    std::string out;
    for (const CompiledEndpoint& endpoint : builder_.FindCluster("cluster/n/web/80")->endpoints) {
      const char last = endpoint.address.bytes().back();
      out += endpoint.backup ? static_cast<char>(last - 'a' + 'A') : last;
    }
    return out;
  }

  ConfigBuilder builder_{ConfigBuilder::Options()};
};

TEST_F(ClusterHealthConfigTest, ClustersWithTheSameCheckOfTheSameEndpointsAreOneGroup) {
  Apply({Cluster("n/web/80", "health_check { kind: HTTP }"),
         Cluster("n/web/80/a", "health_check { kind: HTTP }"),
         Cluster("n/web/80/b", "health_check { kind: HTTP path: '/x' }"),
         Cluster("n/web/80/c", "health_check { kind: HTTP } protocol: HTTPS"),
         Cluster("n/web/80/d", "health_check { kind: HTTP } protocol: HTTPS")});
  EXPECT_EQ(Group("n/web/80"), Group("n/web/80/a"));
  EXPECT_NE(Group("n/web/80"), Group("n/web/80/b"));
  EXPECT_NE(Group("n/web/80"), Group("n/web/80/c"));
  EXPECT_NE(Group("n/web/80/c"), Group("n/web/80/d")) << "each may speak TLS in its own way";
}

TEST_F(ClusterHealthConfigTest, BackupsFollowTheEndpointsAndChangeWithTheirResource) {
  Apply({Cluster("n/web/80", "backup_endpoints: 'endpoints/n/spare/80'"),
         Endpoints("n/web/80", "ab")});
  EXPECT_EQ(Addresses(), "ab");
  Apply({Endpoints("n/spare/80", "xb")});
  EXPECT_EQ(Addresses(), "abX") << "an address that is both is no backup";
  Apply({Endpoints("n/web/80", "a")});
  EXPECT_EQ(Addresses(), "aXB");
  Apply({}, {"endpoints/n/spare/80"});
  EXPECT_EQ(Addresses(), "a");
  Apply({Cluster("n/web/80", ""), Endpoints("n/spare/80", "x")});
  EXPECT_EQ(Addresses(), "a");
}

}  // namespace
}  // namespace headgate::config
