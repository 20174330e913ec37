#include "dataplane/admin/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>
#include <string>

#include "tests/support/dataplane/test_proxy.h"

namespace headgate::admin {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

std::vector<std::string> Pieces(const worker::WorkerPool& workers) {
  RouteMetrics metrics(workers);
  std::vector<std::string> pieces;
  for (std::string_view piece; !(piece = metrics.Next()).empty();) pieces.emplace_back(piece);
  return pieces;
}

std::string Joined(const std::vector<std::string>& pieces) {
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  return text;
}

void Get(test::TestProxy& proxy, std::string_view host) {
  test::Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
  client.ReadResponse();
}

// A host that needs no upstream.
std::string FixedHost(const std::string& host) {
  return "name: \"vhost/" + host + "\" virtual_host { host: \"" + host +
         "\" routes { match { prefix_path: \"/\" } fixed_response { status: 204 } } }";
}

TEST(RouteMetricsTest, OneSeriesForARouteWhicheverWorkersServedIt) {
  test::TestProxy proxy(2);
  proxy.Apply({FixedHost("a.example")});
  for (int i = 0; i < 40; ++i)
    Get(proxy, "a.example");  // the kernel spreads connections over the workers
  proxy.pool().OnEach([](worker::Worker&) {});
  const std::string text = Joined(Pieces(proxy.pool()));
  EXPECT_THAT(
      text,
      HasSubstr(
          "headgate_requests_total{host=\"a.example\",namespace=\"\",ingress=\"\",service=\"\","
          "service_port=\"\",path=\"\",status_class=\"2xx\"} 40\n"));
  EXPECT_THAT(text, HasSubstr("le=\"+Inf\"} 40\n"));
}

TEST(RouteMetricsTest, ManyRoutesComeInPiecesThatMakeOnePage) {
  test::TestProxy proxy(1);
  constexpr int kHosts = 300;
  std::vector<std::string> hosts;
  for (int i = 0; i < kHosts; ++i) hosts.push_back(FixedHost("h" + std::to_string(i) + ".example"));
  proxy.Apply(hosts);
  for (int i = 0; i < kHosts; ++i) Get(proxy, "h" + std::to_string(i) + ".example");
  proxy.pool().OnEach([](worker::Worker&) {});

  const std::vector<std::string> pieces = Pieces(proxy.pool());
  EXPECT_GT(pieces.size(), 4u);
  for (const std::string& piece : pieces) {
    EXPECT_LT(piece.size(), 2 * RouteMetrics::kPieceSize);
    EXPECT_EQ(piece.back(), '\n');
  }
  // Each series and each family once.
  std::set<std::string> seen;
  int families = 0;
  int lines = 0;
  std::istringstream text(Joined(pieces));
  for (std::string line; std::getline(text, line); ++lines) {
    EXPECT_TRUE(seen.insert(line.substr(0, line.rfind(' '))).second) << line;
    if (line.starts_with("# TYPE ")) ++families;
  }
  EXPECT_EQ(families, 4);
  EXPECT_EQ(lines, 2 * families + kHosts * (1 + 14 + 1 + 1));
}

TEST(RouteMetricsTest, WithoutRoutesThereAreFamiliesOnly) {
  test::TestProxy proxy(1);
  EXPECT_THAT(Pieces(proxy.pool()), SizeIs(1));
}

}  // namespace
}  // namespace headgate::admin
