// Users who come in by name and password.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

constexpr char kAuth[] =
    "password { scheme: BASIC secret: \"secret/n/s/users\" realm: \"Members only\" }";
// Of "secret".
constexpr char kBcrypt[] = "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

std::string Basic(const std::string& text) {
  return "Authorization: Basic " + absl::Base64Escape(text) + "\r\n";
}

std::string Md5(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

class PasswordTest : public ::testing::Test {
 protected:
  PasswordTest() {
    proxy_.Apply(
        {"name: \"settings\" settings { forwarded_headers { trust_incoming: true trusted_cidrs: "
         "\"127.0.0.0/8\" } }"});
    Policy(kAuth);
    Users("ann:{PLAIN}apple\\nbob:" + std::string(kBcrypt));
  }

  void Policy(const std::string& access, const std::string& more = "") {
    proxy_.Route("a.example", {upstream_.address()},
                 "policy { access { " + access + " } " + more + " }");
  }
  void Users(const std::string& file) {
    proxy_.Apply({"name: \"secret/n/s/users\" secret_data { data { key: \"auth\" value: \"" + file +
                  "\" } }"});
  }

  static std::string Head(const std::string& fields, const std::string& start = "GET /") {
    return start + " HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n" + fields + "\r\n";
  }
  // A request that is let through; what the upstream got.
  Peer::Message Passes(const std::string& bytes) {
    Peer client = proxy_.Connect();
    client.Send(bytes);
    Peer server = upstream_.Accept();
    Peer::Message request = server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().status, 200);
    return request;
  }
  Peer::Message Answered(const std::string& bytes) {
    Peer client = proxy_.Connect();
    client.Send(bytes);
    return client.ReadResponse();
  }

  TestProxy proxy_;
  PeerListener upstream_;
};

TEST_F(PasswordTest, AsksWhoDoesNotSay) {
  const Peer::Message response = Answered(Head(""));
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.Field("WWW-Authenticate"), "Basic realm=\"Members only\"");
  EXPECT_NE(response.body.find("401 Authorization Required"), std::string::npos);
  for (const std::string& bad :
       {Basic("ann:Apple"), Basic("ann:"), Basic("eve:apple"), Basic("apple"), Basic(":"),
        Basic("bob:Secret"), std::string("Authorization: Bearer abc\r\n")}) {
    EXPECT_EQ(Answered(Head(bad)).status, 401) << bad;
  }
}

TEST_F(PasswordTest, PasswordsDoNotReachTheUpstream) {
  EXPECT_EQ(Passes(Head(Basic("ann:apple"))).Field("Authorization"), "");
}

TEST_F(PasswordTest, CostlyHashesAreFoundElsewhereAndRemembered) {
  for (int i = 0; i < 3; ++i) Passes(Head(Basic("bob:secret")));
  EXPECT_EQ(Answered(Head(Basic("bob:wrong"))).status, 401);
}

TEST_F(PasswordTest, ABodyWaitsForTheVerdict) {
  const std::string fields = Basic("bob:secret") + "Content-Length: 4\r\n";
  EXPECT_EQ(Passes(Head(fields, "POST /") + "body").body, "body");
  Users("bob:" + std::string(kBcrypt));  // not remembered any more
  const std::string chunked = Basic("bob:secret") + "Transfer-Encoding: chunked\r\n";
  EXPECT_EQ(Passes(Head(chunked, "POST /") + "4\r\nbody\r\n0\r\n\r\n").body, "body");
  Peer client = proxy_.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n" + Basic("bob:wrong") +
              "\r\nbody");
  EXPECT_EQ(client.ReadResponse().status, 401);
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 401) << "the connection goes on";
}

TEST_F(PasswordTest, AClientThatLeavesMeanwhileHarmsNobody) {
  for (int i = 0; i < 20; ++i) {
    Peer client = proxy_.Connect();
    client.Send(Head(Basic("bob:wrong" + std::to_string(i))));
    client.Abort();
  }
  Passes(Head(Basic("bob:secret")));
}

TEST_F(PasswordTest, AChangedSecretCountsAtOnce) {
  Passes(Head(Basic("bob:secret")));
  Users("bob:{PLAIN}other");
  EXPECT_EQ(Answered(Head(Basic("bob:secret"))).status, 401);
  Passes(Head(Basic("bob:other")));
}

TEST_F(PasswordTest, WithoutItsSecretARouteIsClosedBeforeAnythingElse) {
  Policy(kAuth, "https_redirect { mode: ALWAYS }");
  EXPECT_EQ(Answered(Head("")).status, 308);
  proxy_.Apply({}, {"secret/n/s/users"});
  EXPECT_EQ(Answered(Head(Basic("ann:apple"))).status, 503);
}

TEST_F(PasswordTest, AMapHasAUserAKey) {
  Policy("password { scheme: BASIC secret: \"secret/n/s/user-map\" }");
  proxy_.Apply(
      {"name: \"secret/n/s/user-map\" secret_data { data { key: \"auth\" value: \"{PLAIN}x\" } "
       "data { key: "
       "\"tls.crt\" value: \"{PLAIN}y\" } }"});
  Passes(Head(Basic("auth:x")));
  Passes(Head(Basic("tls.crt:y")));
  const Peer::Message response = Answered(Head(Basic("ann:apple")));
  EXPECT_EQ(response.status, 401);
  EXPECT_EQ(response.Field("WWW-Authenticate"), "Basic realm=\"\"");
}

TEST_F(PasswordTest, TheAnswerOfAClosedRouteHasNothingThatTheRouteSays) {
  Policy("password { scheme: BASIC secret: \"secret/n/none/users\" }",
         "cors { origins: \"*\" } response_headers { edits { name: \"X-A\" value { parts { "
         "literal: \"b\" } } } }");
  const Peer::Message answer = Answered(Head("Origin: https://a.example\r\n"));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.Field("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(answer.Field("X-A"), "");
  EXPECT_EQ(proxy_.RouteCount("a.example").by_class[5], 1u)
      << "it is counted and logged as the route's";
}

TEST_F(PasswordTest, DigestIsAskedForAndTaken) {
  Policy("password { scheme: DIGEST secret: \"secret/n/s/users\" realm: \"Members only\" }");
  Users("ann:Members only:4c09f74059b916c21408391483681653");
  const Peer::Message asked = Answered(Head("", "GET /a?b"));
  EXPECT_EQ(asked.status, 401);
  const std::string challenge = asked.Field("WWW-Authenticate");
  const std::string begin =
      "Digest algorithm=\"MD5\", qop=\"auth\", realm=\"Members only\", nonce=\"";
  ASSERT_TRUE(challenge.starts_with(begin)) << challenge;
  const std::string nonce =
      challenge.substr(begin.size(), challenge.find('"', begin.size()) - begin.size());
  const std::string response =
      "Authorization: Digest username=\"ann\", realm=\"Members only\", nonce=\"" + nonce +
      "\", uri=\"/a?b\", qop=auth, nc=00000001, cnonce=\"c\", response=\"" +
      Md5("4c09f74059b916c21408391483681653:" + nonce + ":00000001:c:auth:" + Md5("GET:/a?b")) +
      "\"\r\n";
  EXPECT_EQ(Passes(Head(response, "GET /a?b")).Field("Authorization"), "");
  EXPECT_EQ(Answered(Head(response, "GET /other")).status, 401);
  EXPECT_EQ(Answered(Head(Basic("ann:apple"))).status, 401);
  const Peer::Message again = Answered(Head(response, "GET /a?b"));
  EXPECT_EQ(again.status, 401) << "what was overheard is no use";
  EXPECT_TRUE(again.Field("WWW-Authenticate").ends_with(", stale=\"true\""))
      << again.Field("WWW-Authenticate");
}

// Whichever worker has a connection, a response is good once.
TEST(DigestTest, WorkersShareWhatWasUsed) {
  TestProxy proxy(4);
  PeerListener upstream;
  proxy.Apply(
      {"name: \"secret/n/s/users\" secret_data { data { key: \"auth\" value: "
       "\"ann:Members only:4c09f74059b916c21408391483681653\" } }"});
  proxy.Route("a.example", {upstream.address()},
              "policy { access { password { scheme: DIGEST secret: \"secret/n/s/users\" realm: "
              "\"Members only\" } } }");
  const auto ask = [&proxy](const std::string& fields) {
    Peer client = proxy.Connect();
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n" + fields + "\r\n");
    return client;
  };
  const std::string challenge = ask("").ReadResponse().Field("WWW-Authenticate");
  const size_t begin = challenge.find("nonce=\"") + 7;
  const std::string nonce = challenge.substr(begin, challenge.find('"', begin) - begin);
  const std::string response =
      "Authorization: Digest username=\"ann\", realm=\"Members only\", nonce=\"" + nonce +
      "\", uri=\"/\", qop=auth, nc=00000001, cnonce=\"c\", response=\"" +
      Md5("4c09f74059b916c21408391483681653:" + nonce + ":00000001:c:auth:" + Md5("GET:/")) +
      "\"\r\n";
  Peer first = ask(response);
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(first.ReadResponse().status, 204);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(response).ReadResponse().status, 401);
}

TEST_F(PasswordTest, AllConditionsOrAnyOfThem) {
  const std::string lists = "allowed_cidrs: \"10.0.0.0/8\" denied_cidrs: \"10.6.0.0/16\" ";
  Policy(lists + kAuth);
  const std::string inside = "X-Forwarded-For: 10.1.1.1\r\n";
  const std::string outside = "X-Forwarded-For: 11.1.1.1\r\n";
  const std::string denied = "X-Forwarded-For: 10.6.1.1\r\n";
  Passes(Head(inside + Basic("ann:apple")));
  EXPECT_EQ(Answered(Head(inside)).status, 401);
  EXPECT_EQ(Answered(Head(outside + Basic("ann:apple"))).status, 403);
  Policy(lists + kAuth + " satisfy_any: true");
  Passes(Head(inside));
  Passes(Head(outside + Basic("ann:apple")));
  Passes(Head(outside + Basic("bob:secret")));
  Passes(Head(denied + Basic("ann:apple")));
  EXPECT_EQ(Answered(Head(outside)).status, 401);
  EXPECT_EQ(Answered(Head(denied)).status, 401);
}

}  // namespace
}  // namespace headgate::test
