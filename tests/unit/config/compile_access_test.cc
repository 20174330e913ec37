#include "dataplane/config/compile_access.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/strings.h"
#include "dataplane/config/user_tables.h"
#include "tests/unit/config/resources.h"

namespace headgate::config {
namespace {

using ::testing::StartsWith;

constexpr char kExternal[] =
    "external { cluster: 'cluster/n/a/80' host: 'a' target { parts { literal: '/' } } ";

class CompileAccessTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::shared_ptr<const CompiledAccess>> Get(const std::string& text) {
    v1::RoutePolicy policy;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString("access { " + text + " }", &policy))
        << text;
    return pool_.Get("policy", policy, clusters_);
  }
  std::string Reason(const std::string& text) {
    return std::string(ToStd(Get(text).status().message()));
  }

  ClusterRegistry clusters_;
  AccessPool pool_;
};

TEST_F(CompileAccessTest, EqualPoliciesAreOneObject) {
  const auto first = *Get("allowed_cidrs: '10.0.0.0/8'");
  EXPECT_EQ(*Get("allowed_cidrs: '10.0.0.0/8'"), first);
  EXPECT_NE(*Get("denied_cidrs: '10.0.0.0/8'"), first);
}

TEST_F(CompileAccessTest, PoliciesThatNobodyHasAreForgotten) {
  for (int i = 0; i < 1000; ++i)
    Get("allowed_cidrs: '10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256) + "'")
        .IgnoreError();
  EXPECT_LE(pool_.size(), 128u);
}

TEST_F(CompileAccessTest, RoutesOfAHostShareThem) {
  ConfigBuilder builder({});
  const auto host = MakeResource("vhost/a.com",
                                 "virtual_host { host: 'a.com' routes { match { prefix_path: '/' } "
                                 "fixed_response { status: 404 } policy { access { "
                                 "allowed_cidrs: '10.0.0.0/8' } } } routes { match { prefix_path: "
                                 "'/b' } fixed_response { status: 404 } policy { access "
                                 "{ allowed_cidrs: '10.0.0.0/8' } } } routes { match { "
                                 "prefix_path: '/c' } fixed_response { status: 404 } } }");
  const v1::Resource* upserts[] = {&host};
  EXPECT_TRUE(builder.Apply(upserts, {}).refusals.empty());
  http::RequestHead request;
  request.method_text = "GET";
  const route::HostRoutes* routes = builder.config()->hosts->Find("a.com");
  ASSERT_NE(routes->Match(request, "/")->access, nullptr);
  EXPECT_EQ(routes->Match(request, "/")->access, routes->Match(request, "/b")->access);
  EXPECT_EQ(routes->Match(request, "/c")->access, nullptr);
}

TEST_F(CompileAccessTest, TheWayBackIsAddedToWhereOneSignsIn) {
  const auto parts = [&](const std::string& signin, const std::string& parameter) {
    const auto access = *Get(std::string(kExternal) + "signin { parts { literal: '" + signin +
                             "' } } signin_parameter: '" + parameter + "' }");
    std::string text;
    for (const auto& part : access->external->signin->parts) {
      text += part.variable == policy::Variable::kNone ? part.text : "$";
    }
    return text;
  };
  EXPECT_EQ(parts("https://l/", ""), "https://l/?rd=$://$$");
  EXPECT_EQ(parts("https://l/?a=b", "to"), "https://l/?a=b&to=$://$$");
  EXPECT_EQ(parts("https://l/?rd=x", ""), "https://l/?rd=x");
  EXPECT_EQ(parts("https://l/?a=b&to=x", "to"), "https://l/?a=b&to=x");
  EXPECT_EQ(parts("https://l/?hard=x", ""), "https://l/?hard=x&rd=$://$$");
}

TEST_F(CompileAccessTest, NamesWhatItRefuses) {
  EXPECT_THAT(Reason("denied_cidrs: '10.0.0.0/8' denied_cidrs: 'x'"),
              StartsWith("policy.access.denied_cidrs[1]: "));
  EXPECT_THAT(Reason("limits { requests_per_second: 1 }"),
              StartsWith("policy.access.limits.zone: "));
  EXPECT_THAT(Reason("limits { zone: 'z' connections: 1000001 }"),
              StartsWith("policy.access.limits.connections: "));
  EXPECT_THAT(Reason("limits { zone: 'z' exempt_cidrs: 'x' }"),
              StartsWith("policy.access.limits.exempt_cidrs[0]: "));
  EXPECT_THAT(Reason("password { secret: 'secret/n/s/users' }"),
              StartsWith("policy.access.password.scheme: "));
  EXPECT_THAT(Reason("password { scheme: BASIC secret: 'secret/n/s' }"),
              StartsWith("policy.access.password.secret: "));
  EXPECT_THAT(Reason("password { scheme: BASIC secret: 'secret/n/s/users' realm: 'a\"b' }"),
              StartsWith("policy.access.password.realm: "));
  EXPECT_THAT(Reason("external { host: 'a' }"), StartsWith("policy.access.external.cluster: "));
  EXPECT_THAT(Reason("external { cluster: 'cluster/n/a/80' }"),
              StartsWith("policy.access.external.host: "));
  EXPECT_THAT(Reason(std::string(kExternal) + "method: 'A B' }"),
              StartsWith("policy.access.external.method: "));
  EXPECT_THAT(Reason(std::string(kExternal) + "response_fields: 'X:' }"),
              StartsWith("policy.access.external.response_fields[0]: "));
  EXPECT_THAT(Reason(std::string(kExternal) + "request_edits { name: '' } }"),
              StartsWith("policy.access.external.request_edits[0].name: "));
}

TEST_F(CompileAccessTest, SettingsNameWhatTheyRefuse) {
  const auto reason = [](const std::string& text) {
    v1::Settings settings;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &settings)) << text;
    CompiledSettings out;
    return std::string(ToStd(CompileAccessSettings(settings, out).message()));
  };
  EXPECT_EQ(reason("limit_request_status: 429 limit_connection_status: 400 blocked { }"), "");
  EXPECT_THAT(reason("limit_request_status: 399"), StartsWith("limit_request_status: "));
  EXPECT_THAT(reason("limit_connection_status: 600"), StartsWith("limit_connection_status: "));
  EXPECT_THAT(reason("blocked { cidrs: 'x' }"), StartsWith("blocked.cidrs[0]: "));
  EXPECT_THAT(reason("blocked { user_agents { regex: '(' } }"),
              StartsWith("blocked.user_agents[0]: "));
  EXPECT_THAT(reason("blocked { referers { exact: 'a' } referers { ignore_case_regex: '[' } }"),
              StartsWith("blocked.referers[1]: "));
}

TEST(UserTablesTest, AreKnownByTheirNames) {
  EXPECT_TRUE(IsUserTable("secret/n/s/users"));
  EXPECT_TRUE(IsUserTable("secret/n/s/user-map"));
  for (const char* name : {"secret/n/s", "secret/n/users", "secret/n/s/upstream",
                           "secret/n/s/x/users", "files/n/s/users"}) {
    EXPECT_FALSE(IsUserTable(name)) << name;
  }
}

}  // namespace
}  // namespace headgate::config
