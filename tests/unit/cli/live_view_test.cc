#include "controller/cli/live_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::cli {
namespace {

using kube::Json;
using ::testing::HasSubstr;

Json Page() {
  return Json::parse(R"json({
    "hosts": {
      "shop.example": [
        {"path": "/", "match": "prefix", "forward": [{"cluster": "cluster/shop/web/80", "weight": 95},
                                                     {"cluster": "cluster/shop/next/80", "weight": 5}],
         "https_redirect": 308, "ingress": "shop/main", "rule": "/"},
        {"path": "/old", "match": "exact", "redirect": {"status": 301, "location": "https://x.example"},
         "ingress": "shop/old", "rule": "/old"}],
      "api.shop.example": [{"path": "/", "match": "prefix", "reply": {"status": 404}, "ingress": "api/main", "rule": "/"}],
      "broken.example": [],
      "_": [{"path": "/", "match": "prefix", "forward": [{"cluster": "cluster/default/web/0"}], "ingress": "/"}]
    },
    "clusters": {
      "cluster/shop/web/80": {"protocol": "http1", "upstream": "endpoints/shop/web/80", "endpoints": [
        {"address": "192.0.2.1:8080"}, {"address": "192.0.2.2:8080", "draining": true}]},
      "cluster/shop/next/80": {"protocol": "h2c", "endpoints": [{"address": "192.0.2.1:8080", "backup": true}]},
      "cluster/shopping/none/80": {"protocol": "http1", "endpoints": []}
    },
    "health_checks": [{"upstream": "endpoints/shop/web/80", "check": "http", "endpoints": 2,
                       "unhealthy": {"192.0.2.1:8080": "connection refused"}}],
    "certificates": {
      "shop.example": [{"secret": "shop/tls", "names": ["shop.example"], "not_after": "2030-01-31T00:00:00+00:00"}],
      "*.shop.example": [{"secret": "shop/wild", "names": ["*.shop.example"], "not_after": "2029-12-31T00:00:00+00:00"}],
      "broken.example": [{"secret": "shop/gone", "missing": true}],
      "(default)": [{"names": ["fallback.example"], "not_after": "2030-03-01T00:00:00+00:00"}]
    }})json");
}

// The rows of which `key` has that text.
std::vector<Json> Rows(const Table& table, const std::string& key, const std::string& value) {
  std::vector<Json> out;
  for (const Json& row : table.rows) {
    if (row.value(key, "") == value) out.push_back(row);
  }
  return out;
}

TEST(BackendTableTest, SaysOfEachEndpointWhatProbesSay) {
  const Table table = BackendTable(Page(), "");
  const std::vector<Json> web = Rows(table, "backend", "shop/web/80");
  ASSERT_EQ(web.size(), 2u);
  EXPECT_EQ(web[0], Json({{"backend", "shop/web/80"},
                          {"protocol", "http1"},
                          {"endpoint", "192.0.2.1:8080"},
                          {"state", "ready"},
                          {"health", "unhealthy: connection refused"}}));
  EXPECT_EQ(web[1]["state"], "draining");
  EXPECT_EQ(web[1]["health"], "healthy");
  const std::vector<Json> next = Rows(table, "backend", "shop/next/80");
  ASSERT_EQ(next.size(), 1u);
  EXPECT_EQ(next[0]["state"], "ready, backup");
  EXPECT_FALSE(next[0].contains("health"))
      << "nobody probes it there, whatever is found for another backend";
  EXPECT_EQ(Rows(table, "backend", "shopping/none/80").at(0)["state"],
            "no endpoint: requests get 503");
}

TEST(BackendTableTest, TakesOneNamespace) {
  EXPECT_EQ(BackendTable(Page(), "shop").rows.size(), 3u);
  EXPECT_EQ(BackendTable(Page(), "shopping").rows.size(), 1u);
  EXPECT_EQ(BackendTable(Page(), "none").rows.size(), 0u);
}

TEST(RouteTableTest, SaysWhereEachPathLeadsAndWhereItIsFrom) {
  const Table table = RouteTable(Page(), "", "shop.example");
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0]["to"], "shop/web/80 (weight 95), shop/next/80 (weight 5)");
  EXPECT_EQ(table.rows[0]["ingress"], "shop/main");
  EXPECT_EQ(table.rows[0]["https_redirect"], 308);
  EXPECT_EQ(table.rows[1]["to"], "redirect 301 to https://x.example");
  EXPECT_EQ(RouteTable(Page(), "api", "").rows.at(0)["to"], "reply 404");
  const Json other = RouteTable(Page(), "", "*").rows.at(0);
  EXPECT_EQ(other["host"], "*");
  EXPECT_FALSE(other.contains("ingress"));
}

TEST(CertificateTableTest, SaysWhichCertificateAHostShowsAndWhoseItIs) {
  const Table table = CertificateTable(
      Page(), "", absl::FromCivil(absl::CivilDay(2030, 1, 1), absl::UTCTimeZone()));
  const std::vector<Json> own = Rows(table, "host", "shop.example");
  ASSERT_EQ(own.size(), 1u);
  EXPECT_EQ(own[0]["secret"], "shop/tls");
  EXPECT_EQ(own[0]["state"], "30 days left");
  const std::vector<Json> wild = Rows(table, "host", "api.shop.example");
  ASSERT_EQ(wild.size(), 1u);
  EXPECT_EQ(wild[0]["secret"], "shop/wild");
  EXPECT_EQ(wild[0]["state"], "expired; that of *.shop.example");
  const std::vector<Json> broken = Rows(table, "host", "broken.example");
  ASSERT_EQ(broken.size(), 2u);
  EXPECT_EQ(broken[0]["state"], "59 days left; the default");
  EXPECT_EQ(broken[1]["secret"], "shop/gone");
  EXPECT_EQ(broken[1]["state"], "missing or unusable");
  EXPECT_EQ(Rows(table, "host", "any other").size(), 1u);
}

TEST(LiveViewTest, ATableHasColumnsAndJsonRows) {
  const Table table = BackendTable(Page(), "shopping");
  EXPECT_EQ(RenderTable(table),
            "BACKEND           PROTOCOL  ENDPOINT  STATE                          HEALTH\n"
            "shopping/none/80  http1     -         no endpoint: requests get 503  -\n");
  EXPECT_EQ(Json::parse(RenderJson(table)), Json(table.rows));
  EXPECT_EQ(RenderJson(BackendTable(Page(), "none")), "[]\n");
}

// A page of another program, or of another version.
TEST(LiveViewTest, WhatIsNotAsExpectedIsNoRow) {
  for (const char* text :
       {"{}", R"({"hosts": [1], "clusters": "x", "certificates": 7, "health_checks": {"a": 1}})",
        R"({"hosts": {"a": 1, "b": [2]}, "clusters": {"c": null}, "certificates": {"b": {}}})"}) {
    const Json page = Json::parse(text);
    RenderTable(BackendTable(page, ""));
    RenderTable(RouteTable(page, "", ""));
    RenderTable(CertificateTable(page, "", absl::UnixEpoch()));
  }
}

}  // namespace
}  // namespace headgate::cli
