#include "dataplane/policy/access.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace headgate::policy {
namespace {

using base::Address;
using base::Cidr;

AddressSet Set(const std::vector<std::string>& networks) {
  AddressSet set;
  for (const std::string& network : networks) EXPECT_TRUE(set.Add(network)) << network;
  set.Finish();
  return set;
}

Address Ip(const std::string& text) { return *Address::ParseIp(text, 1); }

TEST(AddressSetTest, NetworksOfBothFamiliesApart) {
  const AddressSet set = Set({"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1", "10.1.0.0/16"});
  for (const char* in : {"10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8:ffff::1", "::1"}) {
    EXPECT_TRUE(set.Contains(Ip(in))) << in;
  }
  for (const char* out :
       {"9.255.255.255", "11.0.0.0", "192.0.2.6", "192.0.2.8", "2001:db9::", "::2"}) {
    EXPECT_FALSE(set.Contains(Ip(out))) << out;
  }
  EXPECT_FALSE(Set({"::/0"}).Contains(Ip("10.0.0.1")));
  EXPECT_FALSE(Set({"0.0.0.0/0"}).Contains(Ip("::1")));
  EXPECT_TRUE(Set({"::/0"}).Contains(Ip("ffff:ffff::1")));
  EXPECT_TRUE(AddressSet().empty());
}

TEST(AddressSetTest, AMappedAddressIsAnIpv4Address) {
  const AddressSet set = Set({"::ffff:10.0.0.0/104"});
  EXPECT_TRUE(set.Contains(Ip("10.200.0.1")));
  EXPECT_TRUE(set.Contains(Ip("::ffff:10.0.0.1")));
  EXPECT_FALSE(set.Contains(Ip("11.0.0.1")));
  EXPECT_FALSE(Cidr::Parse("::ffff:10.0.0.0/90"));
}

TEST(AddressSetTest, SaysWhatTheNetworksSayOneByOne) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Cidr> cidrs;
    AddressSet set;
    for (int i = 0; i < 12; ++i) {
      const bool v4 = random() % 2 == 0;
      std::string bytes(v4 ? 4 : 16, '\0');
      for (char& c : bytes) c = static_cast<char>(random() % 4);
      const std::string network =
          Address::FromBytes(bytes, 0)->IpText() + "/" + std::to_string(random() % (v4 ? 33 : 129));
      cidrs.push_back(*Cidr::Parse(network));
      EXPECT_TRUE(set.Add(network));
    }
    set.Finish();
    for (int i = 0; i < 50; ++i) {
      std::string bytes(random() % 2 == 0 ? 4 : 16, '\0');
      for (char& c : bytes) c = static_cast<char>(random() % 4);
      const Address address = *Address::FromBytes(bytes, 9);
      bool expected = false;
      for (const Cidr& cidr : cidrs) expected = expected || cidr.Contains(address);
      EXPECT_EQ(set.Contains(address), expected) << address.IpText();
    }
  }
}

TEST(SourceRangesTest, DenyComesFirst) {
  const SourceRanges both{Set({"10.1.0.0/16"}), Set({"10.0.0.0/8"})};
  EXPECT_EQ(both.Judge(Ip("10.1.2.3")), Answer::kForbidden);
  EXPECT_EQ(both.Judge(Ip("10.2.2.3")), Answer::kPass);
  EXPECT_EQ(both.Judge(Ip("11.2.2.3")), Answer::kForbidden);
  const SourceRanges denied{Set({"10.1.0.0/16"}), {}};
  EXPECT_EQ(denied.Judge(Ip("10.1.2.3")), Answer::kForbidden);
  EXPECT_EQ(denied.Judge(Ip("10.2.2.3")), Answer::kNone);
}

// NGINX's ngx_http_core_access_phase.
TEST(ConditionsTest, AllMustBePassed) {
  Conditions conditions(Satisfy::kAll);
  EXPECT_FALSE(conditions.Add(Answer::kNone));
  EXPECT_FALSE(conditions.Add(Answer::kPass));
  EXPECT_EQ(conditions.result(), Answer::kPass);
  EXPECT_TRUE(conditions.Add(Answer::kForbidden)) << "what follows is not asked any more";
  EXPECT_EQ(conditions.result(), Answer::kForbidden);
}

TEST(ConditionsTest, OneIsEnoughAndCredentialsAreAskedForRatherThanRefused) {
  Conditions conditions(Satisfy::kAny);
  EXPECT_FALSE(conditions.Add(Answer::kForbidden));
  EXPECT_EQ(conditions.result(), Answer::kForbidden);
  EXPECT_FALSE(conditions.Add(Answer::kUnauthorized));
  EXPECT_EQ(conditions.result(), Answer::kUnauthorized);
  EXPECT_FALSE(conditions.Add(Answer::kForbidden));
  EXPECT_EQ(conditions.result(), Answer::kUnauthorized);
  EXPECT_TRUE(conditions.Add(Answer::kPass));
  EXPECT_EQ(conditions.result(), Answer::kPass);

  Conditions nothing_asked(Satisfy::kAny);
  EXPECT_FALSE(nothing_asked.Add(Answer::kNone));
  EXPECT_EQ(nothing_asked.result(), Answer::kPass);
}

}  // namespace
}  // namespace headgate::policy
