#include "dataplane/admin/nginx_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "dataplane/admin/metrics_page.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

const NginxLabels kLabels{.controller_namespace = "edge", .controller_pod = "pod-1"};
constexpr const char* kCommon =
    "controller_class=\"headgate.dev/"
    "ingress-controller\",controller_namespace=\"edge\",controller_pod=\"pod-1\"";

std::string Host(const std::string& host) {
  return "name: \"vhost/" + host + "\" virtual_host { host: \"" + host +
         "\" routes { match { prefix_path: \"/\" } fixed_response { status: 204 } origin { "
         "namespace: \"shop\" "
         "ingress: \"web\" service: \"front\" service_port: \"http\" path: \"/\" } } }";
}

void Get(test::TestProxy& proxy, const std::string& host, const std::string& method = "GET") {
  test::Peer client = proxy.Connect();
  client.Send(method + " / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  client.ReadResponse();
}

std::string RoutePage(test::TestProxy& proxy, std::optional<NginxLabels> labels) {
  RouteMetrics metrics(proxy.pool(), std::move(labels));
  std::string text;
  for (std::string_view piece; !(piece = metrics.Next()).empty();) text += piece;
  return text;
}

TEST(NginxMetricsTest, RoutesHaveTheSeriesThatDashboardsAskFor) {
  test::TestProxy proxy(1);
  proxy.Apply({Host("a.example"), Host("*.b.example")});
  Get(proxy, "a.example");
  Get(proxy, "a.example");
  Get(proxy, "x.b.example");
  proxy.pool().OnEach([](worker::Worker&) {});
  const std::string text = RoutePage(proxy, kLabels);
  const std::string route =
      std::string("{") + kCommon +
      ",host=\"a.example\",namespace=\"shop\",ingress=\"web\",service=\"front\",path=\"/\","
      "canary=\"\"";
  EXPECT_THAT(text, HasSubstr("nginx_ingress_controller_requests" + route +
                              ",method=\"GET\",status=\"2xx\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("nginx_ingress_controller_request_duration_seconds_bucket" + route +
                              ",le=\"10\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("nginx_ingress_controller_request_size_count" + route + "} 2\n"));
  EXPECT_THAT(text, HasSubstr("nginx_ingress_controller_response_size_sum" + route + "} 0\n"));
  EXPECT_THAT(text, HasSubstr("nginx_ingress_controller_response_size_bucket" + route +
                              ",le=\"100\"} 2\n"));
  EXPECT_THAT(
      text, HasSubstr("nginx_ingress_controller_bytes_sent_bucket" + route + ",le=\"1e+07\"} 2\n"));
  // There is no upstream.
  EXPECT_THAT(text, HasSubstr("nginx_ingress_controller_response_duration_seconds_count" + route +
                              "} 0\n"));
  EXPECT_THAT(
      text, HasSubstr("nginx_ingress_controller_header_duration_seconds_count" + route + "} 0\n"));
  EXPECT_THAT(
      text, HasSubstr("nginx_ingress_controller_connect_duration_seconds_count" + route + "} 0\n"));
  // Wildcard hosts have none, as in ingress-nginx.
  EXPECT_THAT(
      text,
      Not(HasSubstr(
          "controller_class=\"headgate.dev/ingress-controller\",controller_namespace=\"edge\","
          "controller_pod=\"pod-1\",host=\"*.b.example\"")));
  EXPECT_THAT(text, HasSubstr("headgate_requests_total{host=\"*.b.example\""));
}

// A client that makes up methods makes no series.
TEST(NginxMetricsTest, RequestsAreToldApartByTheMethodsThatPeopleUse) {
  test::TestProxy proxy(1);
  proxy.Apply({Host("a.example")});
  for (const char* method : {"DELETE", "PATCH", "PATCH", "FETCH", "TRACE"})
    Get(proxy, "a.example", method);
  proxy.pool().OnEach([](worker::Worker&) {});
  const std::string text = RoutePage(proxy, kLabels);
  EXPECT_THAT(text, HasSubstr("canary=\"\",method=\"DELETE\",status=\"2xx\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("canary=\"\",method=\"PATCH\",status=\"2xx\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("canary=\"\",method=\"OTHER\",status=\"2xx\"} 2\n"));
  EXPECT_THAT(text, Not(HasSubstr("method=\"GET\"")));
  EXPECT_THAT(text, Not(HasSubstr("method=\"FETCH\"")));
}

TEST(NginxMetricsTest, TimesOfUpstreamsAreShown) {
  test::TestProxy proxy(1);
  test::PeerListener upstream;
  proxy.Route("a.example", {upstream.address()}, "origin { namespace: \"shop\" ingress: \"web\" }");
  for (int i = 0; i < 2; ++i) {
    test::Peer client = proxy.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    test::Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    EXPECT_EQ(client.ReadResponse().body, "ok");
  }
  proxy.pool().OnEach([](worker::Worker&) {});
  const std::string text = RoutePage(proxy, kLabels);
  for (const char* name : {"response", "header", "connect"}) {
    EXPECT_THAT(
        text, testing::ContainsRegex(std::string("nginx_ingress_controller_") + name +
                                     "_duration_seconds_count\\{[^}]*ingress=\"web\"[^}]*\\} 2\n"));
  }
}

TEST(NginxMetricsTest, NoneWhereTheyAreNotWanted) {
  test::TestProxy proxy(1);
  proxy.Apply({Host("a.example")});
  Get(proxy, "a.example");
  proxy.pool().OnEach([](worker::Worker&) {});
  EXPECT_THAT(RoutePage(proxy, std::nullopt), Not(HasSubstr("nginx_ingress_controller")));
}

TEST(NginxMetricsTest, TheProcessIsShownAsNginxWas) {
  test::TestProxy proxy(1);
  proxy.Apply({Host("a.example")});
  Get(proxy, "a.example");
  test::Peer idle = proxy.Connect();
  idle.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  idle.ReadResponse();
  proxy.pool().OnEach([](worker::Worker&) {});
  std::string text;
  MetricsWriter out(&text);
  CollectNginx(kLabels, proxy.pool(),
               {.last_successful = true,
                .successes = 3,
                .errors = 1,
                .version = "one",
                .last_change = 1700000000},
               out);
  const std::string common = std::string("{") + kCommon;
  EXPECT_THAT(
      text, HasSubstr("nginx_ingress_controller_config_last_reload_successful" + common + "} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("nginx_ingress_controller_config_last_reload_successful_timestamp_seconds" +
                        common + "} 1.7e+09\n"));
  EXPECT_THAT(text, testing::ContainsRegex(
                        "nginx_ingress_controller_config_hash\\{[^}]*\\} [1-9][0-9]+\n"));
  EXPECT_THAT(text, HasSubstr("nginx_ingress_controller_success" + common + "} 3\n"));
  EXPECT_THAT(text, HasSubstr("nginx_ingress_controller_errors" + common + "} 1\n"));
  EXPECT_THAT(
      text, HasSubstr("nginx_ingress_controller_nginx_process_requests_total" + common + "} 2\n"));
  EXPECT_THAT(text, HasSubstr("nginx_ingress_controller_nginx_process_connections_total" + common +
                              ",state=\"accepted\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("nginx_ingress_controller_nginx_process_resident_memory_bytes" +
                              common + "} "));
}

}  // namespace
}  // namespace headgate::admin
