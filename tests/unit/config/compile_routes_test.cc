#include "dataplane/config/compile_routes.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "common/strings.h"

namespace headgate::config {
namespace {

using ::testing::StartsWith;

class CompileRoutesTest : public ::testing::Test {
 protected:
  absl::StatusOr<CompiledHost> Compile(const std::string& text) {
    v1::VirtualHost host;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &host)) << text;
    return CompileVirtualHost(host, clusters_, access_);
  }
  // A host with one route; its match and policy may be left out.
  absl::StatusOr<CompiledHost> CompileOne(const std::string& route) {
    return Compile("host: 'a.com' routes { " + route + " }");
  }
  static const CompiledRoute* Find(const CompiledHost& host, std::string_view path) {
    http::RequestHead request;
    request.method_text = "GET";
    return host.routes->Match(request, path);
  }

  ClusterRegistry clusters_;
  AccessPool access_;
};

constexpr char kAnywhere[] = "match { prefix_path: '/' } ";

TEST_F(CompileRoutesTest, CompilesEverythingOnARoute) {
  const auto host = Compile(
      "host: '*.a.com' tls_configured: true certificates: 'cert/n/1' certificates: 'cert/n/2'"
      "routes { match { exact_path: '/x' }"
      "  forward { clusters { cluster: 'cluster/n/a/80' weight: 2 } clusters { cluster: "
      "'cluster/n/z/80' }"
      "            clusters { cluster: 'cluster/n/b/80' weight: 3 } }"
      "  policy { connect_timeout { seconds: 1 } send_timeout { seconds: 2 } read_timeout { "
      "seconds: 3 }"
      "           max_request_body_bytes: 0 https_redirect { mode: ALWAYS status: 307 } }"
      "  origin { namespace: 'n' ingress: 'i' service: 'a' service_port: 'http' path: '/x' } }");
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ(host->certificates.size(), 2u);
  EXPECT_EQ(host->routes->host(), "*.a.com");
  const CompiledRoute* route = Find(*host, "/x");
  ASSERT_NE(route, nullptr);
  const auto& forward = std::get<ForwardAction>(route->action);
  ASSERT_EQ(forward.targets.size(), 2u) << "weight 0 gets nothing";
  EXPECT_EQ(forward.targets[0].weight_end, 2u);
  EXPECT_EQ(forward.targets[1].weight_end, 5u);
  EXPECT_EQ(forward.total_weight(), 5u);
  EXPECT_EQ(clusters_.name(forward.targets[1].cluster.slot()), "cluster/n/b/80");
  ASSERT_NE(route->limits, nullptr);
  EXPECT_EQ(route->limits->connect_timeout, Duration(1000));
  EXPECT_EQ(route->limits->send_timeout, Duration(2000));
  EXPECT_EQ(route->limits->read_timeout, Duration(3000));
  EXPECT_EQ(route->limits->max_request_body_bytes, 0u);
  EXPECT_EQ(route->https_redirect, HttpsRedirectMode::kAlways);
  EXPECT_EQ(route->https_redirect_status, 307);
  EXPECT_TRUE(route->host_has_tls);
  EXPECT_EQ(route->host, "*.a.com");
  EXPECT_EQ(route->origin.ns, "n");
  EXPECT_EQ(route->origin.ingress, "i");
  EXPECT_EQ(route->origin.service, "a");
  EXPECT_EQ(route->origin.service_port, "http");
  EXPECT_EQ(route->origin.path, "/x");
}

TEST_F(CompileRoutesTest, ASingleClusterNeedsNoWeight) {
  const auto host =
      CompileOne(std::string(kAnywhere) + "forward { clusters { cluster: 'cluster/n/a/80' } }");
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ(std::get<ForwardAction>(Find(*host, "/")->action).total_weight(), 1u);
}

TEST_F(CompileRoutesTest, CompilesRedirectsAndFixedReplies) {
  const auto host = Compile(
      "host: '_' routes { match { prefix_path: '/r' } redirect { status: 308 location: "
      "'https://b.com/x' } }"
      "routes { match { prefix_path: '/s' } redirect { status: 301 scheme: 'https' } }"
      "routes { match { prefix_path: '/f' } fixed_response { status: 503 content_type: 't' body: "
      "'\\000b' } }");
  ASSERT_TRUE(host.ok()) << host.status();
  EXPECT_EQ(std::get<std::unique_ptr<const RedirectAction>>(Find(*host, "/r")->action)->location,
            "https://b.com/x");
  EXPECT_EQ(std::get<std::unique_ptr<const RedirectAction>>(Find(*host, "/s")->action)->scheme,
            "https");
  const auto& fixed = std::get<FixedAction>(Find(*host, "/f")->action);
  EXPECT_EQ(fixed.status, 503);
  EXPECT_EQ(fixed.body, std::string_view("\0b", 2));
}

TEST_F(CompileRoutesTest, TextOutlivesTheMessageAndTheHostThatOthersShare) {
  const CompiledRoute* route = nullptr;
  std::shared_ptr<const route::HostRoutes> kept;
  {
    const auto host =
        CompileOne(std::string(kAnywhere) +
                   "redirect { status: 302 location: '/a-rather-long-location-for-sso' }");
    ASSERT_TRUE(host.ok());
    kept = host->routes;
    route = Find(*host, "/");
  }
  EXPECT_EQ(std::get<std::unique_ptr<const RedirectAction>>(route->action)->location,
            "/a-rather-long-location-for-sso");
  EXPECT_EQ(route->host, "a.com");
}

TEST_F(CompileRoutesTest, ARefusedHostLeavesNoHandle) {
  EXPECT_FALSE(Compile("host: 'a.com' routes { match { prefix_path: '/' } "
                       "forward { clusters { cluster: 'cluster/n/a/80' } } } routes { }")
                   .ok());
  EXPECT_EQ(clusters_.Acquire("cluster/n/other/80").slot(), 0u);
}

struct BadRoute {
  const char* route;
  const char* reason;
};

class RefusedRouteTest : public CompileRoutesTest,
                         public ::testing::WithParamInterface<BadRoute> {};

TEST_P(RefusedRouteTest, NamesTheField) {
  const auto host = CompileOne(GetParam().route);
  ASSERT_FALSE(host.ok());
  EXPECT_THAT(std::string(ToStd(host.status().message())), StartsWith(GetParam().reason));
}

#define TO_A "forward { clusters { cluster: 'cluster/n/a/80' } } "
#define ANY "match { prefix_path: '/' } "
INSTANTIATE_TEST_SUITE_P(
    Fields, RefusedRouteTest,
    ::testing::Values(
        BadRoute{TO_A, "routes[0].match.path: is missing"},
        BadRoute{ANY, "routes[0].action: is missing"},
        BadRoute{TO_A "match { exact_path: 'x' }",
                 "routes[0].match.exact_path: does not start with '/'"},
        BadRoute{TO_A "match { prefix_path: '/a\\nb' }",
                 "routes[0].match.prefix_path: holds a control"},
        BadRoute{TO_A "match { regex_path: '/(' }", "routes[0].match.regex_path: "},
        BadRoute{TO_A "match { regex_path: '' }", "routes[0].match.regex_path length: "},
        BadRoute{TO_A "match { prefix_path: '/' methods: 'GET' methods: 'A B' }",
                 "routes[0].match.methods[1]: is not an HTTP token"},
        BadRoute{TO_A "match { prefix_path: '/' headers { name: 'a:b' exact: '1' } }",
                 "routes[0].match.headers[0].name: "},
        BadRoute{TO_A "match { prefix_path: '/' headers { name: 'a' } }",
                 "routes[0].match.headers[0]: none of"},
        BadRoute{TO_A "match { prefix_path: '/' query { name: '' exact: '1' } }",
                 "routes[0].match.query[0].name: is empty"},
        BadRoute{TO_A "match { prefix_path: '/' query { name: 'q' regex: '[' } }",
                 "routes[0].match.query[0].regex: "},
        BadRoute{ANY "forward { }", "routes[0].forward.clusters: is empty"},
        BadRoute{ANY "forward { clusters { cluster: 'endpoints/n/a/80' } }",
                 "routes[0].forward.clusters[0].cluster: "},
        BadRoute{ANY
                 "forward { clusters { cluster: 'cluster/a' } clusters { cluster: 'cluster/b' } }",
                 "routes[0].forward.clusters: all weights are 0"},
        BadRoute{ANY "forward { clusters { cluster: 'cluster/a' weight: 4294967295 }"
                     "          clusters { cluster: 'cluster/b' weight: 1 } }",
                 "routes[0].forward.clusters[1].weight: the sum"},
        BadRoute{ANY "redirect { status: 200 location: '/' }",
                 "routes[0].redirect.status: 200 is not"},
        BadRoute{ANY "redirect { status: 302 }", "routes[0].redirect.scheme: "},
        BadRoute{ANY "redirect { status: 302 location: 'b.com' }",
                 "routes[0].redirect.location: is neither"},
        BadRoute{ANY "redirect { status: 302 location: '/a\\r\\nb' }",
                 "routes[0].redirect.location: holds"},
        BadRoute{ANY "redirect { status: 302 location: '/' scheme: 'https' }",
                 "routes[0].redirect.location: excludes"},
        BadRoute{ANY "fixed_response { status: 100 }", "routes[0].fixed_response.status: "},
        BadRoute{ANY "fixed_response { status: 200 content_type: 'a\\nb' }",
                 "routes[0].fixed_response.content_type: "},
        BadRoute{ANY TO_A "policy { read_timeout { } }",
                 "routes[0].policy.read_timeout: must not be 0"},
        BadRoute{ANY TO_A "policy { https_redirect { mode: 7 } }",
                 "routes[0].policy.https_redirect.mode: "},
        BadRoute{ANY TO_A "policy { https_redirect { mode: OFF status: 303 } }",
                 "routes[0].policy.https_redirect.status: "}));

TEST_F(CompileRoutesTest, RefusesBadHostsAndReferences) {
  const auto reason = [&](const std::string& text) {
    return std::string(ToStd(Compile(text).status().message()));
  };
  EXPECT_THAT(reason("host: ''"), StartsWith("host: "));
  EXPECT_THAT(reason("host: 'A.com'"), StartsWith("host: is not in lower case"));
  EXPECT_THAT(reason("host: 'a.com:80'"), StartsWith("host: "));
  EXPECT_THAT(reason("host: 'a.*.com'"), StartsWith("host: "));
  EXPECT_THAT(reason("host: 'a.com' certificates: 'x'"), StartsWith("certificates[0]: "));
}

}  // namespace
}  // namespace headgate::config
