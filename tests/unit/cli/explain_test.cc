#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "controller/cli/data_plane.h"
#include "controller/cli/explain_command.h"
#include "controller/cli/explanation.h"
#include "controller/kube/json.h"

namespace headgate::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kObjects = R"(apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: main
  namespace: shop
  creationTimestamp: 2020-01-01T00:00:00Z
  annotations:
    nginx.ingress.kubernetes.io/proxy-read-timeout: "120"
    nginx.ingress.kubernetes.io/ssl-redirect: "false"
    example.com/owner: somebody
spec:
  tls: [{ hosts: [shop.example] }]
  rules:
  - host: shop.example
    http:
      paths:
      - { path: /, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }
      - { path: /cart, pathType: Prefix, backend: { service: { name: cart, port: { number: 80 } } } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: younger
  namespace: shop
  creationTimestamp: 2021-01-01T00:00:00Z
spec:
  rules:
  - host: shop.example
    http:
      paths:
      - { path: /cart, pathType: Prefix, backend: { service: { name: web, port: { number: 80 } } } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: try
  namespace: shop
  creationTimestamp: 2021-01-01T00:00:00Z
  annotations:
    nginx.ingress.kubernetes.io/canary: "true"
    nginx.ingress.kubernetes.io/canary-by-header: X-Try
    nginx.ingress.kubernetes.io/canary-weight: "5"
spec:
  rules:
  - host: shop.example
    http:
      paths:
      - { path: /, pathType: Prefix, backend: { service: { name: cart, port: { number: 80 } } } }
---
apiVersion: v1
kind: Service
metadata: { name: web, namespace: shop }
spec: { ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: cart, namespace: shop, annotations: { headgate.dev/load-balance: random } }
spec: { ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: cart-1, namespace: shop, labels: { kubernetes.io/service-name: cart } }
addressType: IPv4
ports: [{ port: 8080 }]
endpoints:
- { addresses: [192.0.2.7], targetRef: { kind: Pod, name: cart-abc, namespace: shop } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: options, namespace: shop }
data: { hsts-max-age: "60", http-redirect-code: "301" }
)";

class ExplainTest : public ::testing::Test {
 protected:
  ExplainTest()
      : file_(fs::path(::testing::TempDir()) / ("explain." + std::to_string(getpid()) + ".yaml")) {
    std::ofstream(file_) << kObjects;
  }
  ~ExplainTest() override { fs::remove(file_); }

  // The exit code; `out` and `err` have what was printed.
  int Explain(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"-f", file_.string()});
    return Run(arguments);
  }

  int Run(const std::vector<std::string>& arguments) {
    std::vector<const char*> texts;
    for (const std::string& argument : arguments) texts.push_back(argument.c_str());
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = RunExplain("headgate explain", texts);
    out = ::testing::internal::GetCapturedStdout();
    err = ::testing::internal::GetCapturedStderr();
    return code;
  }

  // What the explanation says of a setting.
  kube::Json Setting(const std::string& name) const {
    const kube::Json all = kube::Json::parse(out);
    for (const kube::Json& setting : all["settings"]) {
      if (setting["name"] == name) return setting;
    }
    return {};
  }

  std::string out;
  std::string err;

 private:
  const fs::path file_;
};

TEST_F(ExplainTest, SaysWhoAnswersAndWhoDoesNot) {
  EXPECT_EQ(Explain({"https://shop.example/cart/1?x=y"}), 0) << err;
  EXPECT_THAT(out, HasSubstr("GET https://shop.example/cart/1?x=y\n"));
  EXPECT_THAT(out, HasSubstr("Path       Prefix /cart\n"));
  EXPECT_THAT(out, HasSubstr("Ingress    shop/main, spec.rules[0].http.paths[1]\n"));
  EXPECT_THAT(out, HasSubstr("Service    shop/cart, port 80\n"));
  EXPECT_THAT(out, HasSubstr("Endpoints  192.0.2.7:8080 (shop/cart-abc)\n"));
  EXPECT_THAT(out, HasSubstr("Prefix / of Ingress shop/main: fits too, but is shorter\n"));
  EXPECT_THAT(out, HasSubstr("Ingress shop/younger spec.rules[0].http.paths[0] PathConflict"));
}

TEST_F(ExplainTest, SaysWhereEachSettingComesFrom) {
  EXPECT_EQ(Explain({"https://shop.example/cart", "--output=json", "--configmap=shop/options"}), 0)
      << err;
  EXPECT_EQ(Setting("read_timeout")["value"], "2m");
  EXPECT_EQ(Setting("read_timeout")["origins"],
            kube::Json({"nginx.ingress.kubernetes.io/proxy-read-timeout of Ingress shop/main"}));
  EXPECT_EQ(Setting("https_redirect")["origins"],
            kube::Json({"nginx.ingress.kubernetes.io/ssl-redirect of Ingress shop/main",
                        "http-redirect-code of ConfigMap shop/options"}));
  EXPECT_EQ(Setting("upstream.balancing")["origins"],
            kube::Json({"headgate.dev/load-balance of Service shop/cart"}));
  EXPECT_EQ(Setting("host.tls_configured")["value"], "true");
  EXPECT_EQ(Setting("host.tls_configured")["origins"], kube::Json::array());
  EXPECT_THAT(out, Not(HasSubstr("example.com/owner")));
}

TEST_F(ExplainTest, SaysWhichSideOfACanary) {
  EXPECT_EQ(Explain({"https://shop.example/"}), 0) << err;
  EXPECT_THAT(out, HasSubstr("Canary     5 requests out of 100\n"));
  EXPECT_THAT(out, HasSubstr("nginx.ingress.kubernetes.io/canary-by-header of Ingress shop/try"));
  EXPECT_EQ(Explain({"https://shop.example/", "-H", "x-try: always"}), 0) << err;
  EXPECT_THAT(out, HasSubstr("Canary     yes, by the field X-Try\n"));
  EXPECT_EQ(Explain({"https://shop.example/", "--header=X-Try: never"}), 0) << err;
  EXPECT_THAT(out, HasSubstr("Canary     no, by the field X-Try\n"));
}

TEST_F(ExplainTest, SaysWithoutWhatNothingWouldBeServed) {
  EXPECT_EQ(Explain({"shop.example/"}), 0) << err;
  EXPECT_THAT(out, HasSubstr("Answer     503: the Service has no endpoint\n"));
  EXPECT_EQ(Explain({"other.example/"}), 1) << err;
  EXPECT_THAT(out, HasSubstr("Answer     404: no Ingress has this host and path\n"));
}

// As dataplane/admin writes it.
constexpr const char* kPage = R"({
  "hosts": {"shop.example": [
    {"path": "/", "match": "prefix", "forward": [{"cluster": "cluster/a"}], "https_redirect": 308, "ingress": "shop/main"},
    {"path": "/cart", "match": "prefix", "forward": [{"cluster": "cluster/b"}], "read_timeout_ms": 120000, "ingress": "shop/main"}]},
  "clusters": {"cluster/a": {"protocol": "http1", "endpoints": []},
               "cluster/b": {"protocol": "h2c", "endpoints": [{"address": "192.0.2.7:8080"}, {"address": "[2001:db8::7]:8080"}]}},
  "health_checks": [{"upstream": "shop/cart:80", "unhealthy": {"192.0.2.7:8080": "connection refused"}}]
})";

TEST_F(ExplainTest, ADataPlaneSaysWhatItServes) {
  const auto view = ReadConfigPage(kPage);
  ASSERT_TRUE(view.ok());
  const Explanation cart = ExplainDataPlane(*view, *ParseRequestUrl("https://shop.example/cart/1"));
  EXPECT_EQ(cart.match, "Prefix /cart");
  EXPECT_EQ(cart.ingress, "shop/main");
  ASSERT_EQ(cart.endpoints.size(), 2u);
  EXPECT_EQ(cart.endpoints[0].address, "192.0.2.7:8080");
  EXPECT_EQ(cart.endpoints[0].unhealthy, "connection refused");
  EXPECT_EQ(cart.endpoints[1].address, "[2001:db8::7]:8080");
  EXPECT_EQ(cart.endpoints[1].unhealthy, "");
  EXPECT_THAT(RenderExplanation(cart), HasSubstr("  read_timeout       2m\n"));
  EXPECT_EQ(ExplainDataPlane(*view, *ParseRequestUrl("http://shop.example/")).answer,
            "308 to https://shop.example");
  EXPECT_EQ(ExplainDataPlane(*view, *ParseRequestUrl("other.example")).match, "");

  Explanation expected = cart;
  AddDataPlane(*view, *ParseRequestUrl("https://shop.example/cart/1"), expected);
  EXPECT_EQ(expected.data_plane, "has the same route");
  expected.ingress = "shop/other";
  AddDataPlane(*view, *ParseRequestUrl("https://shop.example/cart/1"), expected);
  EXPECT_EQ(expected.data_plane,
            "has another route: Prefix /cart of host shop.example, Ingress shop/main");
  AddDataPlane(*view, *ParseRequestUrl("https://other.example/"), expected);
  EXPECT_EQ(expected.data_plane, "has no route for this request");
  EXPECT_FALSE(ReadConfigPage("no JSON").ok());
  EXPECT_TRUE(ReadConfigPage(R"({"hosts": 1, "clusters": [2], "health_checks": {"a": "b"}})").ok());
}

TEST_F(ExplainTest, UsageErrorsAreOneLine) {
  EXPECT_EQ(Run({"https://shop.example/"}), 2);
  EXPECT_THAT(err, HasSubstr("give --file, --kubeconfig or --admin"));
  EXPECT_EQ(Explain({}), 2);
  EXPECT_THAT(err, HasSubstr("give one URL"));
  EXPECT_EQ(Explain({"https:///x"}), 2);
  EXPECT_EQ(Explain({"a.example", "-H", "nothing"}), 2);
  EXPECT_THAT(err, HasSubstr("is not 'NAME: VALUE'"));
}

}  // namespace
}  // namespace headgate::cli
