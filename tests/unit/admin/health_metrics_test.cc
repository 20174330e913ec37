#include "dataplane/admin/health_metrics.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "dataplane/config/config_builder.h"
#include "proto/headgate/v1/snapshot.pb.h"
#include "tests/support/dataplane/reply_server.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

v1::Resource Parse(const std::string& text) {
  v1::Resource resource;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &resource)) << text;
  return resource;
}

std::string Render(health::Checker& checker) {
  std::string text;
  MetricsWriter out(&text);
  CollectHealth(checker, out);
  return text;
}

// What the page says once it says `awaited`, or ten seconds later.
std::string Await(health::Checker& checker, const std::string& awaited) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::string text = Render(checker);
  while (text.find(awaited) == std::string::npos && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
    text = Render(checker);
  }
  return text;
}

TEST(HealthMetricsTest, ShowWhatProbesFind) {
  test::ReplyServer good("good");
  test::ReplyServer bad("bad");
  bad.SetProbeStatus(503);
  config::ConfigBuilder builder({});
  health::Checker checker([](const auto&) {});
  checker.Start();
  const v1::Resource cluster = Parse(
      "name: \"cluster/n/web/80\" cluster { endpoints: \"endpoints/n/web/80\" health_check { kind: "
      "HTTP path: "
      "\"/health\" interval { nanos: 100000000 } fall: 1 rise: 1 } }");
  const v1::Resource endpoints =
      Parse(test::EndpointsText("endpoints/n/web/80", {good.address(), bad.address()}));
  const config::BuildResult built = builder.Apply({&cluster, &endpoints}, {});
  ASSERT_TRUE(built.refusals.empty());
  checker.Apply(built.update);
  const std::string sick =
      "headgate_health_endpoint_unhealthy{upstream=\"endpoints/n/web/"
      "80\",check=\"http\",endpoint=\"" +
      bad.address().Text() + "\"} 1\n";
  std::string text = Await(checker, sick);
  EXPECT_THAT(text, HasSubstr(sick));
  EXPECT_THAT(text, HasSubstr("headgate_health_endpoints{state=\"healthy\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("headgate_health_endpoints{state=\"unhealthy\"} 1\n"));
  const std::string upstream =
      "headgate_health_upstream_endpoints{upstream=\"endpoints/n/web/80\",check=\"http\",state=";
  EXPECT_THAT(text, HasSubstr(upstream + "\"healthy\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(upstream + "\"unhealthy\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("headgate_health_probes_total 0\n")));
  EXPECT_THAT(text, Not(HasSubstr("headgate_health_probe_failures_total 0\n")));

  bad.SetProbeStatus(200);
  text = Await(checker, "headgate_health_endpoints{state=\"healthy\"} 2\n");
  EXPECT_THAT(text, HasSubstr("headgate_health_endpoints{state=\"unhealthy\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("headgate_health_endpoint_unhealthy{")));
}

}  // namespace
}  // namespace headgate::admin
