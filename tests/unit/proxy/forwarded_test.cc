#include "dataplane/proxy/forwarded.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace headgate::proxy {
namespace {

class ForwardedTest : public testing::Test {
 protected:
  ForwardedTest() {
    connection.peer = *base::Address::ParseHostPort("10.1.1.1:5555");
    connection.peer_ip = "10.1.1.1";
    connection.local = *base::Address::ParseHostPort("10.9.9.9:8080");
    head.method_text = "GET";
    head.target = "/a?b";
    head.authority = "shop.example:8080";
    head.fields.Add("Host", "shop.example:8080");
  }

  void Trust(std::initializer_list<const char*> cidrs) {
    settings.trust_forwarded_headers = true;
    for (const char* cidr : cidrs) settings.trusted_cidrs.push_back(*base::Cidr::Parse(cidr));
  }
  ClientView Client() { return ResolveClient(head, connection, settings, arena); }

  // Name → value; repeated names are joined.
  std::map<std::string, std::string> Upstream() {
    http::RequestHead out;
    BuildUpstreamHead(head, Client(), "id-1", "/a?b", out);
    std::map<std::string, std::string> fields;
    for (const http::Field& field : out.fields) {
      std::string& value = fields[std::string(field.name)];
      if (!value.empty()) value += " | ";
      value += field.value;
    }
    return fields;
  }

  base::BlockPool pool;
  base::Arena arena{pool};
  http::ConnectionInfo connection;
  http::RequestHead head;
  config::CompiledSettings settings;
};

TEST_F(ForwardedTest, TheAddressAloneCanBeBelieved) {
  settings.trust_forwarded_address = true;
  settings.trusted_cidrs.push_back(*base::Cidr::Parse("10.0.0.0/8"));
  head.fields.Add("X-Forwarded-For", "192.0.2.7");
  head.fields.Add("X-Forwarded-Proto", "https");
  head.fields.Add("X-Forwarded-Host", "evil.example");
  auto fields = Upstream();
  EXPECT_EQ(fields["X-Real-IP"], "192.0.2.7");
  EXPECT_EQ(fields["X-Forwarded-For"], "192.0.2.7");
  EXPECT_EQ(fields["X-Forwarded-Proto"], "http");
  EXPECT_EQ(fields["Host"], "shop.example:8080");
}

TEST_F(ForwardedTest, AnotherFieldCanHoldTheAddress) {
  Trust({"10.0.0.0/8"});
  settings.address_field = "CF-Connecting-IP";
  head.fields.Add("X-Forwarded-For", "203.0.113.1");
  head.fields.Add("cf-connecting-ip", "192.0.2.7");
  auto fields = Upstream();
  EXPECT_EQ(fields["X-Real-IP"], "192.0.2.7");
  EXPECT_EQ(fields["X-Forwarded-For"], "192.0.2.7");
  EXPECT_EQ(fields["X-Original-Forwarded-For"], "192.0.2.7");
  EXPECT_EQ(fields["cf-connecting-ip"], "192.0.2.7");
}

TEST_F(ForwardedTest, WhatLooksLikeTheFieldWithTheAddressIsNotPassedOn) {
  Trust({"10.0.0.0/8"});
  settings.address_field = "CF-Connecting-IP";
  head.fields.Add("CF_Connecting_IP", "203.0.113.1");
  head.fields.Add("CF-Connecting-IP", "192.0.2.7");
  auto fields = Upstream();
  EXPECT_EQ(fields["X-Real-IP"], "192.0.2.7");
  EXPECT_EQ(fields["CF-Connecting-IP"], "192.0.2.7");
  EXPECT_FALSE(fields.contains("CF_Connecting_IP"));
}

TEST_F(ForwardedTest, TheChainCanBeProlonged) {
  settings.append_forwarded_for = true;
  head.fields.Add("X-Forwarded-For", "192.0.2.7");
  EXPECT_EQ(Upstream()["X-Forwarded-For"], "10.1.1.1") << "not of somebody untrusted";
  Trust({"10.0.0.0/8"});
  head.fields.Add("X-Forwarded-For", "10.2.2.2");
  EXPECT_EQ(Upstream()["X-Forwarded-For"], "192.0.2.7, 10.2.2.2, 10.1.1.1");
}

TEST_F(ForwardedTest, AFieldAddedLaterIsNearer) {
  Trust({"10.0.0.0/8"});
  head.fields.Add("X-Forwarded-For", "198.51.100.66");  // the client's invention
  head.fields.Add("X-Forwarded-For", "192.0.2.7");      // what the load balancer saw
  EXPECT_EQ(Client().ip, "192.0.2.7");
}

TEST_F(ForwardedTest, ALoadBalancersWordOnPortAndScheme) {
  connection.via_load_balancer = true;
  connection.local = *base::Address::ParseHostPort("198.51.100.1:443");
  auto fields = Upstream();
  EXPECT_EQ(fields["X-Forwarded-Port"], "443");
  EXPECT_EQ(fields["X-Forwarded-Proto"], "https");
}

TEST_F(ForwardedTest, NobodyElseMaySpeakOfClientCertificates) {
  head.fields.Add("ssl-client-verify", "SUCCESS");
  head.fields.Add("SSL-Client-Subject-DN", "CN=admin");
  head.fields.Add("SSL_CLIENT_VERIFY", "SUCCESS");
  head.fields.Add("ssl-client_cert", "x");
  head.fields.Add("ssl-client-other", "kept");
  auto fields = Upstream();
  EXPECT_FALSE(fields.contains("ssl-client-verify"));
  EXPECT_FALSE(fields.contains("SSL-Client-Subject-DN"));
  EXPECT_FALSE(fields.contains("SSL_CLIENT_VERIFY"));
  EXPECT_FALSE(fields.contains("ssl-client_cert"));
  EXPECT_EQ(fields["ssl-client-other"], "kept");
}

TEST_F(ForwardedTest, SetsEveryFieldFromTheConnection) {
  auto fields = Upstream();
  EXPECT_EQ(fields["Host"], "shop.example:8080");
  EXPECT_EQ(fields["X-Request-ID"], "id-1");
  EXPECT_EQ(fields["X-Real-IP"], "10.1.1.1");
  EXPECT_EQ(fields["X-Forwarded-For"], "10.1.1.1");
  EXPECT_EQ(fields["X-Forwarded-Host"], "shop.example:8080");
  EXPECT_EQ(fields["X-Forwarded-Port"], "8080");
  EXPECT_EQ(fields["X-Forwarded-Proto"], "http");
  EXPECT_EQ(fields["X-Forwarded-Scheme"], "http");
  EXPECT_EQ(fields["X-Scheme"], "http");
  EXPECT_FALSE(fields.contains("X-Original-Forwarded-For"));
}

TEST_F(ForwardedTest, OverTlsThePortIs443WhateverTheListener) {
  connection.tls = true;
  auto fields = Upstream();
  EXPECT_EQ(fields["X-Forwarded-Port"], "443");
  EXPECT_EQ(fields["X-Forwarded-Proto"], "https");
}

TEST_F(ForwardedTest, SpoofedFieldsAreReplacedAndShownOnlyAsOriginal) {
  for (const char* name :
       {"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Proto",
        "X-Forwarded-Scheme", "X-Real-IP", "X-Scheme", "X-Original-Forwarded-For"}) {
    head.fields.Add(name, "spoofed");
  }
  head.fields.Add("Proxy", "http://evil");
  head.fields.Add("X-Kept", "1");
  for (const auto& [name, value] : Upstream()) {
    if (name == "X-Original-Forwarded-For" || name == "X-Original-Forwarded-Host") {
      EXPECT_EQ(value, "spoofed") << name;
    } else {
      EXPECT_EQ(value.find("spoofed"), std::string::npos) << name;
    }
    EXPECT_NE(name, "Proxy");
  }
  EXPECT_EQ(Upstream()["X-Kept"], "1");
}

TEST_F(ForwardedTest, AnUntrustedPeerIsNotBelieved) {
  Trust({"192.168.0.0/16"});
  head.fields.Add("X-Forwarded-For", "1.1.1.1");
  head.fields.Add("X-Forwarded-Proto", "https");
  EXPECT_EQ(Client().ip, "10.1.1.1");
  EXPECT_EQ(Client().scheme, "http");
}

TEST_F(ForwardedTest, WalksTheChainOverTrustedProxies) {
  Trust({"10.0.0.0/8"});
  head.fields.Add("X-Forwarded-For", "6.6.6.6, 1.1.1.1, 10.2.2.2");
  head.fields.Add("X-Forwarded-Proto", "https");
  head.fields.Add("X-Forwarded-Host", "public.example");
  head.fields.Add("X-Forwarded-Port", "8443");
  const ClientView client = Client();
  EXPECT_EQ(client.ip, "1.1.1.1");
  EXPECT_EQ(client.scheme, "https");
  EXPECT_EQ(client.host, "public.example");
  EXPECT_EQ(client.port, "8443");
}

TEST_F(ForwardedTest, AHostThatIsNoneIsNotTaken) {
  Trust({"10.0.0.0/8"});
  for (const char* host :
       {"a b", "user@public.example", "public.example/x", "a..b", ", public.example"}) {
    head.fields.Remove("X-Forwarded-Host");
    head.fields.Add("X-Forwarded-Host", host);
    EXPECT_EQ(Client().host, "shop.example:8080") << host;
  }
}

TEST_F(ForwardedTest, WhenAllAreTrustedTheLeftmostWins) {
  Trust({"0.0.0.0/0"});
  head.fields.Add("X-Forwarded-For", "6.6.6.6,1.1.1.1");
  EXPECT_EQ(Client().ip, "6.6.6.6");
}

TEST_F(ForwardedTest, JunkInTheChainEndsTheWalk) {
  Trust({"10.0.0.0/8"});
  head.fields.Add("X-Forwarded-For", "1.1.1.1, junk, 10.2.2.2");
  head.fields.Add("X-Forwarded-Port", "80; drop");
  head.fields.Add("X-Forwarded-Proto", "gopher");
  EXPECT_EQ(Client().ip, "10.2.2.2");
  EXPECT_EQ(Client().port, "8080");
  EXPECT_EQ(Client().scheme, "http");
}

}  // namespace
}  // namespace headgate::proxy
