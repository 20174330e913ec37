#include "dataplane/base/address.h"

#include <gtest/gtest.h>

namespace headgate::base {
namespace {

TEST(AddressTest, ParsesAndPrints) {
  EXPECT_EQ(Address::ParseHostPort("127.0.0.1:80")->Text(), "127.0.0.1:80");
  EXPECT_EQ(Address::ParseHostPort("[2001:db8::1]:443")->Text(), "[2001:db8::1]:443");
  EXPECT_EQ(Address::ParseHostPort(":80")->Text(), "[::]:80");
  EXPECT_EQ(Address::ParseHostPort("*:8080")->Text(), "[::]:8080");
  EXPECT_EQ(Address::ParseIp("::ffff:10.1.2.3", 1)->Text(), "10.1.2.3:1");
  for (const char* bad : {"", "80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:x", "1.2.3.4:65536", "::1:80",
                          "[::1]", "host:80", "1.2.3.4:-1"}) {
    EXPECT_FALSE(Address::ParseHostPort(bad)) << bad;
  }
}

TEST(AddressTest, RoundTripsThroughSockaddr) {
  for (const char* text : {"10.0.0.1:80", "[2001:db8::1]:65535"}) {
    sockaddr_storage storage;
    const Address address = *Address::ParseHostPort(text);
    const socklen_t length = address.ToSockaddr(storage);
    EXPECT_EQ(Address::FromSockaddr(reinterpret_cast<sockaddr*>(&storage), length), address);
  }
  EXPECT_FALSE(Address::FromBytes("12345", 1));
}

TEST(CidrTest, ContainsByPrefix) {
  auto contains = [](const char* cidr, const char* ip) {
    return Cidr::Parse(cidr)->Contains(*Address::ParseIp(ip, 0));
  };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.1.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("10.1.128.0/17", "10.1.200.1"));
  EXPECT_FALSE(contains("10.1.128.0/17", "10.1.127.1"));
  EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(contains("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(contains("1.2.3.4", "1.2.3.4"));
  for (const char* bad : {"", "10.0.0.0/33", "10.0.0.0/", "x/8", "::/129", "10.0.0.0/-1"}) {
    EXPECT_FALSE(Cidr::Parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace headgate::base
