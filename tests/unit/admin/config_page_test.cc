#include "dataplane/admin/config_page.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/certificates.h"
#include "tests/unit/config/resources.h"

namespace headgate::admin {
namespace {

using Json = nlohmann::json;

class ConfigPageTest : public ::testing::Test {
 protected:
  void Apply(const std::vector<v1::Resource>& resources) {
    std::vector<const v1::Resource*> pointers;
    for (const v1::Resource& resource : resources) pointers.push_back(&resource);
    EXPECT_TRUE(builder_.Apply(pointers, {}).refusals.empty());
  }
  Json Page() const { return Json::parse(RenderConfig(builder_, "v1", {})); }

  static v1::Resource Certificate(const std::string& name, const std::vector<std::string>& names) {
    const testing::PemPair pair = testing::MakeCertificate(names);
    v1::Resource resource;
    resource.set_name(name);
    resource.set_hash(1);
    resource.mutable_certificate()->set_chain_pem(pair.chain);
    resource.mutable_certificate()->set_key_pem(pair.key);
    return resource;
  }

  config::ConfigBuilder builder_{config::ConfigBuilder::Options{}};
};

TEST_F(ConfigPageTest, SaysWhichCertificatesAHostOffersAndWhichAreMissing) {
  v1::Resource host = config::MakeHost("shop.example", "cluster/shop/web/80");
  host.mutable_virtual_host()->add_certificates("cert/shop/shop-tls");
  host.mutable_virtual_host()->add_certificates("cert/shop/gone");
  v1::Resource settings =
      config::MakeResource("settings", "settings { default_certificate: 'cert/default' }");
  Apply({host, settings, Certificate("cert/shop/shop-tls", {"shop.example", "www.shop.example"}),
         Certificate("cert/default", {"fallback.example"})});
  const Json certificates = Page()["certificates"];
  ASSERT_EQ(certificates["shop.example"].size(), 2u) << certificates;
  const Json& offered = certificates["shop.example"][0];
  EXPECT_EQ(offered["secret"], "shop/shop-tls");
  EXPECT_EQ(offered["names"], Json({"shop.example", "www.shop.example"}));
  EXPECT_TRUE(offered["not_after"].is_string());
  EXPECT_EQ(certificates["shop.example"][1], Json({{"secret", "shop/gone"}, {"missing", true}}));
  const Json& fallback = certificates["(default)"][0];
  EXPECT_FALSE(fallback.contains("secret"));
  EXPECT_EQ(fallback["names"], Json({"fallback.example"}));
}

TEST_F(ConfigPageTest, SaysWhichRuleOfWhichIngressARouteIsFrom) {
  Apply({config::MakeResource("vhost/shop.example", R"(virtual_host { host: 'shop.example' routes {
    match { regex_path: '^/shop(/|$)(.*)' } forward { clusters { cluster: 'cluster/shop/web/80' } }
    origin { namespace: 'shop' ingress: 'main' service: 'web' service_port: '80' path: '/shop(/|$)(.*)' } } })")});
  const Json route = Page()["hosts"]["shop.example"][0];
  EXPECT_EQ(route["ingress"], "shop/main");
  EXPECT_EQ(route["rule"], "/shop(/|$)(.*)");
}

}  // namespace
}  // namespace headgate::admin
