#include "dataplane/upstream/dns_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/dataplane/dns_server.h"

namespace headgate::upstream {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class DnsLookupTest : public ::testing::Test {
 protected:
  // With these lines in resolv.conf.
  absl::StatusOr<DnsAnswer> LookUp(const std::string& name,
                                   const std::string& resolv_conf = "options attempts:1") {
    DnsLookupOptions options;
    options.servers = server_.address();
    options.resolv_conf = ::testing::TempDir() + "/resolv.conf." + std::to_string(getpid());
    std::ofstream(options.resolv_conf) << resolv_conf << "\n";
    options.limit = limit_;
    return upstream::LookUp(name, options);
  }
  static std::vector<std::string> Texts(const DnsAnswer& answer) {
    std::vector<std::string> out;
    for (const base::Address& address : answer.addresses) out.push_back(address.IpText());
    return out;
  }

  test::DnsServer server_;
  absl::Duration limit_ = absl::Seconds(10);
};

TEST_F(DnsLookupTest, GivesBothFamiliesAndTheShortestLifetime) {
  server_.ServeAlias("shop.example.org", "front.example.net", 7);
  server_.Serve("front.example.net", {"192.0.2.1", "192.0.2.2", "2001:db8::1"}, 60);
  const auto found = LookUp("shop.example.org");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(Texts(*found), UnorderedElementsAre("192.0.2.1", "192.0.2.2", "2001:db8::1"));
  EXPECT_EQ(found->ttl, absl::Seconds(7));
}

TEST_F(DnsLookupTest, OneFamilyIsEnough) {
  server_.Serve("six.example.org", {"2001:db8::6"}, 30);
  const auto found = LookUp("six.example.org");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(Texts(*found), UnorderedElementsAre("2001:db8::6"));
  EXPECT_EQ(found->ttl, absl::Seconds(30));
}

TEST_F(DnsLookupTest, SearchDomainsAreTriedAsInAPod) {
  server_.Serve("db.data.svc.cluster.local", {"192.0.2.9"}, 5);
  const auto found = LookUp(
      "db.data", "search shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(Texts(*found), UnorderedElementsAre("192.0.2.9"));
  EXPECT_THAT(server_.asked(), Contains("db.data.shop.svc.cluster.local"));
}

TEST_F(DnsLookupTest, ANameWithADotAtTheEndIsTakenAsItIs) {
  server_.Serve("db.data", {"192.0.2.9"}, 5);
  ASSERT_TRUE(LookUp("db.data.", "search svc.cluster.local\noptions ndots:5").ok());
  EXPECT_THAT(server_.asked(), Not(Contains("db.data.svc.cluster.local")));
}

TEST_F(DnsLookupTest, ErrorsNameTheName) {
  const auto found = LookUp("nobody.example.org");
  EXPECT_FALSE(found.ok());
  EXPECT_THAT(found.status().ToString(), HasSubstr("nobody.example.org"));
}

TEST_F(DnsLookupTest, AServerThatIsSilentEndsTheLookupInTime) {
  server_.FallSilent();
  limit_ = absl::Milliseconds(100);
  EXPECT_FALSE(LookUp("slow.example.org").ok());
}

TEST_F(DnsLookupTest, KnowsTheHostsFile) {
  const auto found = LookUp("localhost");
  ASSERT_TRUE(found.ok()) << found.status();
  for (const base::Address& address : found->addresses) EXPECT_TRUE(address.is_loopback());
}

}  // namespace
}  // namespace headgate::upstream
