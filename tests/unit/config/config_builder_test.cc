#include "dataplane/config/config_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/support/certificates.h"
#include "tests/unit/config/resources.h"

namespace headgate::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ConfigBuilderTest : public ::testing::Test {
 protected:
  BuildResult Apply(const std::vector<v1::Resource>& upserts,
                    const std::vector<std::string>& removed = {}) {
    std::vector<const v1::Resource*> pointers;
    for (const v1::Resource& resource : upserts) pointers.push_back(&resource);
    return builder_.Apply(pointers, removed);
  }
  // Applies and expects that nothing is refused.
  BuildResult Accept(const std::vector<v1::Resource>& upserts,
                     const std::vector<std::string>& removed = {}) {
    BuildResult result = Apply(upserts, removed);
    for (const Refusal& refusal : result.refusals) {
      ADD_FAILURE() << refusal.resource << ": " << refusal.reason;
    }
    return result;
  }

  const CompiledRoute* Route(std::string_view host, std::string_view path = "/") {
    const route::HostRoutes* routes = builder_.config()->hosts->Find(host);
    http::RequestHead request;
    request.method_text = "GET";
    return routes ? routes->Match(request, path) : nullptr;
  }
  ClusterSlot SlotOf(std::string_view host) {
    return std::get<ForwardAction>(Route(host)->action).targets.at(0).cluster.slot();
  }
  std::vector<std::string> Addresses(std::string_view cluster) {
    std::vector<std::string> texts;
    for (const auto& e : builder_.FindCluster(cluster)->endpoints)
      texts.push_back(e.address.Text());
    return texts;
  }

  ConfigBuilder builder_{ConfigBuilder::Options()};
};

v1::Resource MakeCluster(const std::string& suffix) {
  return MakeResource("cluster/" + suffix, "cluster { endpoints: 'endpoints/" + suffix +
                                               "' log_name: '" + suffix + "' }");
}

v1::Resource MakeCertificateResource(const std::string& name, const std::string& host) {
  const auto pair = headgate::testing::MakeCertificate({host});
  v1::Resource resource;
  resource.set_name(name);
  resource.mutable_certificate()->set_chain_pem(pair.chain);
  resource.mutable_certificate()->set_key_pem(pair.key);
  return resource;
}

TEST_F(ConfigBuilderTest, TheFirstApplyMakesAConfigEvenOfNothing) {
  const BuildResult result = Accept({});
  ASSERT_NE(result.update.config, nullptr);
  EXPECT_NE(result.update.config->settings, nullptr);
  EXPECT_TRUE(result.update.config->hosts->empty());
  EXPECT_NE(result.update.config->certificates, nullptr);
  EXPECT_FALSE(result.update.config->default_backend.valid());
  EXPECT_EQ(Accept({}).update.config, nullptr) << "nothing new, no new configuration";
}

TEST_F(ConfigBuilderTest, JoinsHostsClustersAndEndpoints) {
  const BuildResult result = Accept({MakeHost("a.com", "cluster/ns/s/80"), MakeCluster("ns/s/80"),
                                     MakeEndpoints("endpoints/ns/s/80", {"10.0.0.1", "10.0.0.2"})});
  ASSERT_THAT(result.update.clusters, SizeIs(1));
  EXPECT_EQ(result.update.clusters[0].slot, SlotOf("a.com"));
  EXPECT_EQ(result.update.clusters[0].cluster->log_name, "ns/s/80");
  EXPECT_THAT(Addresses("cluster/ns/s/80"), ElementsAre("10.0.0.1:80", "10.0.0.2:80"));
  EXPECT_GT(result.update.slot_count, SlotOf("a.com"));
}

TEST_F(ConfigBuilderTest, AnEndpointChangeTouchesOneClusterAndNoConfig) {
  Accept({MakeHost("a.com", "cluster/n/a/80"), MakeHost("b.com", "cluster/n/b/80"),
          MakeCluster("n/a/80"), MakeCluster("n/b/80"),
          MakeEndpoints("endpoints/n/a/80", {"10.0.0.1"}),
          MakeEndpoints("endpoints/n/b/80", {"10.0.0.2"})});
  const BuildResult result = Accept({MakeEndpoints("endpoints/n/b/80", {"10.0.0.3"})});
  EXPECT_EQ(result.update.config, nullptr);
  ASSERT_THAT(result.update.clusters, SizeIs(1));
  EXPECT_EQ(result.update.clusters[0].slot, SlotOf("b.com"));
  EXPECT_THAT(Addresses("cluster/n/b/80"), ElementsAre("10.0.0.3:80"));
}

TEST_F(ConfigBuilderTest, ClustersAndEndpointsMayComeAndGoInAnyOrder) {
  Accept({MakeEndpoints("endpoints/n/a/80", {"10.0.0.1"})});
  Accept({MakeCluster("n/a/80")});
  EXPECT_THAT(Addresses("cluster/n/a/80"), ElementsAre("10.0.0.1:80"));
  Accept({}, {"endpoints/n/a/80"});
  EXPECT_THAT(Addresses("cluster/n/a/80"), IsEmpty());
  Accept({MakeEndpoints("endpoints/n/a/80", {"10.0.0.9"})});
  EXPECT_THAT(Addresses("cluster/n/a/80"), ElementsAre("10.0.0.9:80"));
  const BuildResult gone = Accept({}, {"cluster/n/a/80"});
  ASSERT_THAT(gone.update.clusters, SizeIs(1));
  EXPECT_EQ(gone.update.clusters[0].cluster, nullptr);
  EXPECT_EQ(builder_.FindCluster("cluster/n/a/80"), nullptr);
  EXPECT_EQ(builder_.counts().endpoints, 1u);
  Accept({MakeCluster("n/a/80")});
  EXPECT_THAT(Addresses("cluster/n/a/80"), ElementsAre("10.0.0.9:80"));
}

TEST_F(ConfigBuilderTest, AMissingClusterKeepsItsSlotForWhenItComes) {
  Accept({MakeHost("a.com", "cluster/n/a/80")});
  const ClusterSlot slot = SlotOf("a.com");
  EXPECT_EQ(builder_.FindCluster("cluster/n/a/80"), nullptr);
  const BuildResult result = Accept({MakeCluster("n/a/80")});
  EXPECT_EQ(result.update.clusters.at(0).slot, slot);
  Accept({}, {"cluster/n/a/80"});
  const BuildResult back = Accept({MakeCluster("n/b/80"), MakeCluster("n/a/80")});
  EXPECT_EQ(back.update.clusters.at(1).slot, slot);
}

TEST_F(ConfigBuilderTest, ASlotFreedAndReusedInOneApplyEndsWithTheNewCluster) {
  Accept({MakeCluster("n/a/80")});
  const uint64_t id = builder_.FindCluster("cluster/n/a/80")->id;
  const BuildResult result = Accept({MakeCluster("n/b/80")}, {"cluster/n/a/80"});
  ASSERT_THAT(result.update.clusters, SizeIs(2));
  EXPECT_EQ(result.update.clusters[0].cluster, nullptr);
  ASSERT_NE(result.update.clusters[1].cluster, nullptr);
  EXPECT_EQ(result.update.clusters[1].cluster->log_name, "n/b/80");
  EXPECT_NE(result.update.clusters[1].cluster->id, id);
  EXPECT_EQ(result.update.slot_count, 1u);
}

TEST_F(ConfigBuilderTest, AClusterStaysTheSameWhateverChangesOfIt) {
  Accept({MakeCluster("n/a/80"), MakeEndpoints("endpoints/n/a/80", {"10.0.0.1"})});
  const auto first = builder_.FindCluster("cluster/n/a/80");
  Accept({MakeResource("cluster/n/a/80",
                       "cluster { endpoints: 'endpoints/n/a/80' log_name: 'other' protocol: H2C "
                       "warm_connections: 3 }")});
  const auto second = builder_.FindCluster("cluster/n/a/80");
  EXPECT_EQ(second->id, first->id);
  EXPECT_EQ(second->endpoints.begin(), first->endpoints.begin()) << "they are shared";
  Accept({MakeEndpoints("endpoints/n/a/80", {"10.0.0.2"})});
  const auto third = builder_.FindCluster("cluster/n/a/80");
  EXPECT_EQ(third->id, first->id);
  EXPECT_EQ(third->log_name, "other") << "what the resource says is carried over";
  EXPECT_EQ(third->protocol, Protocol::kH2c);
  EXPECT_EQ(third->warm_connections, 3u);
  EXPECT_THAT(Addresses("cluster/n/a/80"), ElementsAre("10.0.0.2:80"));
}

TEST_F(ConfigBuilderTest, ARefusedResourceKeepsItsLastGoodFormAndHarmsNoOther) {
  Accept({MakeHost("a.com", "cluster/n/a/80")});
  v1::Resource bad =
      MakeResource("vhost/a.com",
                   "virtual_host { host: 'a.com' routes { match { regex_path: '/x(' } "
                   "forward { clusters { cluster: 'cluster/n/new/80' } } } }");
  bad.set_hash(77);
  const BuildResult result = Apply({bad, MakeHost("b.com", "cluster/n/b/80")});
  ASSERT_THAT(result.refusals, SizeIs(1));
  EXPECT_EQ(result.refusals[0].resource, "vhost/a.com");
  EXPECT_EQ(result.refusals[0].hash, 77u);
  EXPECT_THAT(result.refusals[0].reason, HasSubstr("routes[0].match.regex_path: "));
  EXPECT_NE(Route("a.com"), nullptr);
  EXPECT_NE(Route("b.com"), nullptr);
  EXPECT_EQ(result.update.slot_count, 2u) << "the refused form left no handle behind";
}

TEST_F(ConfigBuilderTest, ARefusedResourceThatHadNoGoodFormStaysAbsent) {
  const BuildResult result = Apply({MakeResource("cluster/n/a/80", "cluster { }")});
  ASSERT_THAT(result.refusals, SizeIs(1));
  EXPECT_THAT(result.refusals[0].reason, HasSubstr("discovery: "));
  EXPECT_EQ(builder_.FindCluster("cluster/n/a/80"), nullptr);
  EXPECT_EQ(builder_.counts().clusters, 0u);
}

TEST_F(ConfigBuilderTest, RefusesNamesThatDoNotFitTheBody) {
  const BuildResult result = Apply({
      MakeResource("vhost/a.com", "cluster { endpoints: 'endpoints/x' }"),
      MakeResource("cluster/", "cluster { endpoints: 'endpoints/x' }"),
      MakeResource("vhost/a.com", "virtual_host { host: 'b.com' }"),
      MakeResource("setting", "settings { }"),
      MakeResource("future/x", ""),
  });
  EXPECT_THAT(result.refusals, SizeIs(5));
}

TEST_F(ConfigBuilderTest, ChangingOneHostKeepsTheOthersObjects) {
  Accept({MakeHost("a.com", "cluster/n/a/80"), MakeHost("b.com", "cluster/n/b/80")});
  const auto before = builder_.config();
  Accept({MakeHost("a.com", "cluster/n/c/80")});
  EXPECT_EQ(before->hosts->Find("b.com"), builder_.config()->hosts->Find("b.com"));
  EXPECT_NE(before->hosts->Find("a.com"), builder_.config()->hosts->Find("a.com"));
  EXPECT_EQ(before->certificates, builder_.config()->certificates);
  EXPECT_EQ(before->settings, builder_.config()->settings);
  EXPECT_GT(builder_.config()->generation, before->generation);
}

TEST_F(ConfigBuilderTest, RemovingAHostRemovesItsRoutes) {
  Accept({MakeHost("a.com", "cluster/n/a/80"), MakeHost("b.com", "cluster/n/b/80")});
  EXPECT_EQ(builder_.counts().routes, 2u);
  Accept({}, {"vhost/a.com", "vhost/never.com", "settings", "cert/none", "secret/none"});
  EXPECT_EQ(Route("a.com"), nullptr);
  EXPECT_EQ(builder_.counts().virtual_hosts, 1u);
  EXPECT_EQ(builder_.counts().routes, 1u);
}

TEST_F(ConfigBuilderTest, SettingsReachRoutesThatSayNothingThemselves) {
  Accept({MakeHost("a.com", "cluster/n/a/80"),
          MakeResource("settings", "settings { timeouts { read { seconds: 7 } } }")});
  EXPECT_EQ(Route("a.com")->limits, nullptr);
  EXPECT_EQ(builder_.config()->settings->read_timeout, Duration(7000));
  const auto hosts = builder_.config()->hosts;
  Accept({}, {"settings"});
  EXPECT_EQ(builder_.config()->settings->read_timeout, Duration(60'000));
  EXPECT_EQ(builder_.config()->hosts, hosts);
}

TEST_F(ConfigBuilderTest, TheDefaultBackendIsAClusterLikeAnyOther) {
  const BuildResult result =
      Accept({MakeResource("settings", "settings { default_backend_cluster: 'cluster/n/d/80' }"),
              MakeCluster("n/d/80")});
  ASSERT_TRUE(result.update.config->default_backend.valid());
  EXPECT_EQ(result.update.config->default_backend.slot(), result.update.clusters.at(0).slot);
}

TEST_F(ConfigBuilderTest, HostsOfferTheCertificatesTheyName) {
  const auto tls_host = [](const std::string& host, const std::string& cert) {
    return MakeResource("vhost/" + host, "virtual_host { host: '" + host + "' certificates: '" +
                                             cert + "' tls_configured: true }");
  };
  Accept({tls_host("a.com", "cert/n/a"), tls_host("*.b.com", "cert/n/b")});
  EXPECT_EQ(builder_.config()->certificates->Find("a.com"), nullptr) << "not there yet";
  EXPECT_EQ(builder_.config()->certificates->fallback(), nullptr);

  Accept({MakeCertificateResource("cert/n/a", "a.com"),
          MakeCertificateResource("cert/n/b", "b.com"),
          MakeCertificateResource("cert/default", "x")});
  const auto table = builder_.config()->certificates;
  ASSERT_NE(table->Find("a.com"), nullptr);
  ASSERT_NE(table->Find("x.b.com"), nullptr);
  ASSERT_NE(table->fallback(), nullptr);
  EXPECT_EQ(table->Find("b.com"), nullptr);

  Accept({MakeCertificateResource("cert/n/a", "a.com")});
  EXPECT_NE(builder_.config()->certificates->Find("a.com"), table->Find("a.com"));
  EXPECT_EQ(builder_.config()->certificates->Find("x.b.com"), table->Find("x.b.com"));

  Accept({}, {"cert/n/b", "vhost/a.com"});
  EXPECT_EQ(builder_.config()->certificates->Find("a.com"), nullptr);
  EXPECT_EQ(builder_.config()->certificates->Find("x.b.com"), nullptr);
  EXPECT_EQ(builder_.counts().certificates, 2u);
}

TEST_F(ConfigBuilderTest, ABrokenCertificateLeavesTheLastGoodOne) {
  const v1::Resource good = MakeCertificateResource("cert/default", "a.com");
  Accept({good});
  const auto before = builder_.config()->certificates->fallback();
  v1::Resource mixed = MakeCertificateResource("cert/default", "a.com");
  mixed.mutable_certificate()->set_key_pem(good.certificate().key_pem());
  const BuildResult result = Apply({mixed});
  ASSERT_THAT(result.refusals, SizeIs(1));
  EXPECT_THAT(result.refusals[0].reason, HasSubstr("key_pem: does not belong"));
  EXPECT_EQ(builder_.config()->certificates->fallback(), before);
}

TEST_F(ConfigBuilderTest, AnotherDefaultCertificateCanBeNamed) {
  Accept({MakeCertificateResource("cert/default", "a"), MakeCertificateResource("cert/n/x", "b")});
  const auto before = builder_.config()->certificates->fallback();
  Accept({MakeResource("settings", "settings { default_certificate: 'cert/n/x' }")});
  EXPECT_NE(builder_.config()->certificates->fallback(), before);
  EXPECT_NE(builder_.config()->certificates->fallback(), nullptr);
  Accept({}, {"cert/n/x"});
  EXPECT_EQ(builder_.config()->certificates->fallback(), nullptr);
}

v1::Resource MakeDns(const std::string& name, const std::string& host, int port) {
  return MakeResource(
      name, "cluster { dns { host: '" + host + "' port: " + std::to_string(port) + " } }");
}

TEST_F(ConfigBuilderTest, DnsClustersWaitForTheirAddresses) {
  const BuildResult started = Accept(
      {MakeDns("cluster/n/a/80", "Example.org", 80), MakeDns("cluster/n/b/81", "example.org", 81)});
  EXPECT_THAT(started.dns_started, ElementsAre("example.org"));
  EXPECT_TRUE(builder_.FindCluster("cluster/n/a/80")->pending);

  const std::vector<base::Address> found = {*base::Address::ParseIp("192.0.2.1", 0),
                                            *base::Address::ParseIp("127.0.0.1", 0),
                                            *base::Address::ParseIp("169.254.169.254", 0)};
  const ConfigUpdate update = builder_.Resolved("example.org", found);
  EXPECT_EQ(update.config, nullptr);
  EXPECT_THAT(update.clusters, SizeIs(2));
  EXPECT_FALSE(builder_.FindCluster("cluster/n/a/80")->pending);
  EXPECT_THAT(Addresses("cluster/n/a/80"), ElementsAre("192.0.2.1:80"));
  EXPECT_THAT(Addresses("cluster/n/b/81"), ElementsAre("192.0.2.1:81"));
  EXPECT_THAT(builder_.Resolved("other.org", found).clusters, IsEmpty());
}

TEST_F(ConfigBuilderTest, ANameWithBothFamiliesHasEndpointsThatAreReachedByEither) {
  Accept({MakeDns("cluster/n/a/80", "dual.org", 80)});
  std::vector<base::Address> found;
  for (const char* ip : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"}) {
    found.push_back(*base::Address::ParseIp(ip, 0));
  }
  builder_.Resolved("dual.org", found);
  EXPECT_THAT(Addresses("cluster/n/a/80"),
              ElementsAre("192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80"));
  std::vector<std::string> second;
  for (const base::Address& address :
       *builder_.FindCluster("cluster/n/a/80")->endpoints[1].candidates) {
    second.push_back(address.Text());
  }
  EXPECT_THAT(second, ElementsAre("[2001:db8::2]:80", "192.0.2.2:80", "[2001:db8::1]:80",
                                  "192.0.2.3:80", "192.0.2.1:80"));

  // Probes say which can be used.
  Accept(
      {MakeResource("cluster/n/a/80",
                    "cluster { dns { host: 'dual.org' port: 80 } health_check { kind: TCP } }")});
  EXPECT_THAT(Addresses("cluster/n/a/80"), SizeIs(5));
  EXPECT_EQ(builder_.FindCluster("cluster/n/a/80")->endpoints[0].candidates, nullptr);
}

TEST_F(ConfigBuilderTest, DnsNamesStopWhenTheirLastClusterDoes) {
  Accept({MakeDns("cluster/n/a/80", "a.org", 80), MakeDns("cluster/n/b/80", "a.org", 80)});
  EXPECT_THAT(Accept({}, {"cluster/n/a/80"}).dns_stopped, IsEmpty());
  const BuildResult moved = Accept({MakeDns("cluster/n/b/80", "b.org", 80)});
  EXPECT_THAT(moved.dns_started, ElementsAre("b.org"));
  EXPECT_THAT(moved.dns_stopped, ElementsAre("a.org"));
  const BuildResult same = Accept({MakeDns("cluster/n/b/80", "b.org", 8080)});
  EXPECT_THAT(same.dns_started, IsEmpty());
  EXPECT_THAT(same.dns_stopped, IsEmpty());
}

TEST_F(ConfigBuilderTest, AnAddressInPlaceOfADnsNameNeedsNoResolver) {
  const BuildResult result = Accept({MakeDns("cluster/n/a/80", "192.0.2.7", 80)});
  EXPECT_THAT(result.dns_started, IsEmpty());
  EXPECT_THAT(Addresses("cluster/n/a/80"), ElementsAre("192.0.2.7:80"));
}

TEST_F(ConfigBuilderTest, DnsNamesThatMeanThisHostAreRefusedUnlessAllowed) {
  std::vector<v1::Resource> local;
  for (const char* host : {"localhost", "a.localhost.", "127.0.0.1", "::1", "169.254.169.254",
                           "fe80::1", "0.0.0.0", "::ffff:127.0.0.1", "224.0.0.1"}) {
    local.push_back(MakeDns("cluster/n/" + std::to_string(local.size()) + "/80", host, 80));
  }
  EXPECT_THAT(Apply(local).refusals, SizeIs(local.size()));
  Accept({MakeDns("cluster/n/x/80", "notlocalhost", 80)});

  ConfigBuilder lenient({.allow_local_dns = true});
  std::vector<const v1::Resource*> pointers;
  for (const v1::Resource& resource : local) pointers.push_back(&resource);
  EXPECT_THAT(lenient.Apply(pointers, {}).refusals, IsEmpty());
}

TEST_F(ConfigBuilderTest, CountsWhatIsHeld) {
  Accept({MakeHost("a.com", "cluster/n/a/80"), MakeCluster("n/a/80"),
          MakeEndpoints("endpoints/n/a/80", {}), MakeCertificateResource("cert/n/a", "a"),
          MakeResource("secret/n/s", "secret_data { }"), MakeResource("settings", "settings {}")});
  const ResourceCounts counts = builder_.counts();
  EXPECT_EQ(counts.settings + counts.virtual_hosts + counts.clusters + counts.endpoints +
                counts.certificates + counts.secrets,
            6u);
  EXPECT_THAT(builder_.Clusters(), SizeIs(1));
}

}  // namespace
}  // namespace headgate::config
