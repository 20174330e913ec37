#include "dataplane/net/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace headgate::net {
namespace {

using Status = ProxyHeaderResult::Status;

std::string Bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

// A header of version 2: command, family, the rest.
std::string Binary(int command, int family, const std::string& rest) {
  return Bytes({13, 10, 13, 10, 0, 13, 10, 'Q', 'U', 'I', 'T', 10, command, family,
                static_cast<int>(rest.size() >> 8), static_cast<int>(rest.size() & 255)}) +
         rest;
}

const std::string kV4 = Bytes({192, 0, 2, 1, 10, 0, 0, 1, 0x1f, 0x90, 0x01, 0xbb});

TEST(ProxyProtocol, ReadsVersionOne) {
  const std::string text = "PROXY TCP4 192.0.2.1 10.0.0.1 8080 443\r\n";
  const auto result = ParseProxyHeader(text + "GET / HTTP/1.1\r\n");
  ASSERT_EQ(result.status, Status::kComplete);
  EXPECT_EQ(result.header.size, text.size());
  ASSERT_TRUE(result.header.addresses);
  EXPECT_EQ(result.header.addresses->source.Text(), "192.0.2.1:8080");
  EXPECT_EQ(result.header.addresses->destination.Text(), "10.0.0.1:443");
  const auto v6 = ParseProxyHeader("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n");
  ASSERT_TRUE(v6.header.addresses);
  EXPECT_EQ(v6.header.addresses->source.Text(), "[2001:db8::1]:1");
}

TEST(ProxyProtocol, ReadsWhatItWrites) {
  const auto v4 = *base::Address::ParseIp("192.0.2.1", 8080);
  const auto v6 = *base::Address::ParseIp("2001:db8::1", 65535);
  for (const ProxyVersion version : {ProxyVersion::kV1, ProxyVersion::kV2}) {
    for (const auto& [source, destination] : {std::pair{v4, v4}, {v6, v6}, {v4, v6}, {v6, v4}}) {
      const std::string bytes = WriteProxyHeader(version, source, destination);
      const ProxyHeaderResult result = ParseProxyHeader(bytes);
      ASSERT_EQ(result.status, Status::kComplete);
      EXPECT_EQ(result.header.size, bytes.size());
      ASSERT_TRUE(result.header.addresses);
      EXPECT_EQ(result.header.addresses->source, source);
      EXPECT_EQ(result.header.addresses->destination.port(), destination.port());
      const bool same_family = source.is_v4() == destination.is_v4();
      EXPECT_EQ(result.header.addresses->destination.is_unspecified(), !same_family);
    }
  }
  EXPECT_EQ(WriteProxyHeader(ProxyVersion::kNone, v4, v4), "");
  for (const ProxyVersion version : {ProxyVersion::kV1, ProxyVersion::kV2}) {
    const ProxyHeaderResult own = ParseProxyHeader(OwnProxyHeader(version));
    EXPECT_EQ(own.status, Status::kComplete);
    EXPECT_EQ(own.header.size, OwnProxyHeader(version).size());
    EXPECT_FALSE(own.header.addresses);
  }
}

TEST(ProxyProtocol, ReadsVersionTwo) {
  const auto v4 = ParseProxyHeader(Binary(0x21, 0x11, kV4) + "rest");
  ASSERT_EQ(v4.status, Status::kComplete);
  EXPECT_EQ(v4.header.size, 28u);
  ASSERT_TRUE(v4.header.addresses);
  EXPECT_EQ(v4.header.addresses->source.Text(), "192.0.2.1:8080");
  EXPECT_EQ(v4.header.addresses->destination.Text(), "10.0.0.1:443");
  const std::string v6 =
      std::string(15, 0) + "\1" + std::string(15, 0) + "\2" + Bytes({0, 80, 0, 81});
  const auto result = ParseProxyHeader(Binary(0x21, 0x21, v6));
  ASSERT_TRUE(result.header.addresses);
  EXPECT_EQ(result.header.addresses->source.Text(), "[::1]:80");
  // Extensions are passed over.
  EXPECT_EQ(ParseProxyHeader(Binary(0x21, 0x11, kV4 + Bytes({4, 0, 1, 0}))).header.size, 32u);
}

TEST(ProxyProtocol, SomeSayNothingAboutTheClient) {
  for (const std::string& text :
       {std::string("PROXY UNKNOWN\r\n"), std::string("PROXY UNKNOWN a b c\r\n"),
        Binary(0x20, 0x00, ""), Binary(0x20, 0x11, kV4), Binary(0x21, 0x00, ""),
        Binary(0x21, 0x31, std::string(216, 'u'))}) {
    const auto result = ParseProxyHeader(text);
    EXPECT_EQ(result.status, Status::kComplete) << text;
    EXPECT_EQ(result.header.size, text.size());
    EXPECT_FALSE(result.header.addresses);
  }
}

TEST(ProxyProtocol, EveryPrefixIsIncomplete) {
  for (const std::string& text :
       {std::string("PROXY TCP4 192.0.2.1 10.0.0.1 8080 443\r\n"), Binary(0x21, 0x11, kV4)}) {
    for (size_t size = 0; size < text.size(); ++size) {
      EXPECT_EQ(ParseProxyHeader(std::string_view(text).substr(0, size)).status,
                Status::kIncomplete)
          << size;
    }
  }
}

TEST(ProxyProtocol, RefusesWhatIsNotQuiteAHeader) {
  for (const std::string& text : {
           std::string("GET / HTTP/1.1\r\n"),
           std::string("PROXY\tTCP4 192.0.2.1 10.0.0.1 1 2\r\n"),
           std::string("PROXY TCP4  192.0.2.1 10.0.0.1 1 2\r\n"),
           std::string("PROXY TCP4 192.0.2.1 10.0.0.1 1 2 \r\n"),
           std::string("PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n"),
           std::string("PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n"),
           std::string("PROXY TCP4 192.0.2.1 10.0.0.1 +1 2\r\n"),
           std::string("PROXY TCP4 192.0.2.1 10.0.0.1 1 65536\r\n"),
           std::string("PROXY TCP4 192.0.2.256 10.0.0.1 1 2\r\n"),
           std::string("PROXY TCP4 ::1 ::1 1 2\r\n"),
           std::string("PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n"),
           std::string("PROXY TCP4 192.0.2.1\r\n"),
           std::string("PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n"),
           std::string("PROXY UNKNOWN ") + std::string(100, 'x'),
           Binary(0x11, 0x11, kV4),                     // another version
           Binary(0x22, 0x11, kV4),                     // no such command
           Binary(0x21, 0x12, kV4),                     // UDP
           Binary(0x21, 0x11, kV4.substr(1)),           // too short for its family
           Binary(0x21, 0x11, std::string(5000, 'x')),  // too long
       }) {
    EXPECT_EQ(ParseProxyHeader(text).status, Status::kMalformed) << text;
  }
}

}  // namespace
}  // namespace headgate::net
