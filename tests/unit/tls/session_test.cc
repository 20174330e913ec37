// What a context decides for each connection by itself: whether an earlier session is taken up, and
// what holds for a name.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/strings.h"
#include "tests/support/dh_parameters.h"
#include "tests/unit/tls/tls_connection.h"

namespace headgate::tls {
namespace {

class TlsSessionTest : public TlsVersionTest {};
class TlsPolicyTest : public TlsTransportTest {};

INSTANTIATE_TEST_SUITE_P(Versions, TlsSessionTest,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& test_case) {
                           return test_case.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_P(TlsSessionTest, ResumesWithOneTicketOnAnotherWorker) {
  Connection first(context_, Options("a.com"));
  ASSERT_TRUE(first.Handshake());
  Exchange(first);
  EXPECT_EQ(first.client->sessions_received(), 1);

  ServerContext other_worker(keys_);
  other_worker.SetCertificates(&table_);
  Connection second(other_worker, Options("a.com", first.client->session()));
  ASSERT_TRUE(second.Handshake());
  EXPECT_TRUE(second.server->resumed());
  EXPECT_TRUE(second.client->resumed());
  EXPECT_EQ(second.server->server_name(), "a.com");
  Exchange(second);
}

TEST_P(TlsSessionTest, DoesNotResumeForAnotherServerName) {
  Connection first(context_, Options("a.com"));
  ASSERT_TRUE(first.Handshake());
  Exchange(first);
  Connection second(context_, Options("x.b.com", first.client->session()));
  ASSERT_TRUE(second.Handshake());
  EXPECT_FALSE(second.server->resumed());
  EXPECT_EQ(second.client->CertificateName(), "*.b.com");
}

TEST_P(TlsSessionTest, DoesNotResumeWithTicketsOfOtherKeys) {
  Connection first(context_, Options("a.com"));
  ASSERT_TRUE(first.Handshake());
  Exchange(first);
  ServerContext stranger(TicketKeys::Random());
  stranger.SetCertificates(&table_);
  Connection second(stranger, Options("a.com", first.client->session()));
  ASSERT_TRUE(second.Handshake());
  EXPECT_FALSE(second.server->resumed());
}

std::shared_ptr<const TicketKeys> KeysOf(char sealing, const std::string& others = "") {
  const std::string current(80, sealing);
  std::vector<std::string> texts;
  for (const char other : others) texts.emplace_back(80, other);
  const auto made = TicketKeys::Make(current, {texts.begin(), texts.end()});
  EXPECT_TRUE(made.ok());
  return *made;
}

TEST_P(TlsSessionTest, TicketKeysRotateWithoutLosingSessions) {
  context_.SetTicketKeys(KeysOf('a', "b"));
  Connection first(context_, Options("a.com"));
  ASSERT_TRUE(first.Handshake());
  Exchange(first);
  // Another process with the same keys, one step on.
  ServerContext other(TicketKeys::Random());
  other.SetCertificates(&table_);
  other.SetTicketKeys(KeysOf('b', "ca"));
  Connection second(other, Options("a.com", first.client->session()));
  ASSERT_TRUE(second.Handshake());
  EXPECT_TRUE(second.server->resumed());
  Exchange(second);
  // Two steps on, the old key is gone.
  other.SetTicketKeys(KeysOf('c', "d"));
  Connection third(other, Options("a.com", first.client->session()));
  ASSERT_TRUE(third.Handshake());
  EXPECT_FALSE(third.server->resumed());
}

TEST_P(TlsSessionTest, ShortTicketKeysWorkToo) {
  const auto keys = TicketKeys::Make(std::string(48, 'k'), {});
  ASSERT_TRUE(keys.ok());
  context_.SetTicketKeys(*keys);
  Connection first(context_, Options("a.com"));
  ASSERT_TRUE(first.Handshake());
  Exchange(first);
  Connection second(context_, Options("a.com", first.client->session()));
  ASSERT_TRUE(second.Handshake());
  EXPECT_TRUE(second.server->resumed());
  EXPECT_FALSE(TicketKeys::Make(std::string(47, 'k'), {}).ok());
}

TEST_P(TlsSessionTest, NoResumptionWhenThePolicySaysSo) {
  context_.SetPolicy({.resumption = false});
  Connection first(context_, Options("a.com"));
  ASSERT_TRUE(first.Handshake());
  Exchange(first);
  EXPECT_TRUE(first.client->session() == nullptr ||
              SSL_SESSION_has_ticket(first.client->session()) == 0);
  Connection second(context_, Options("a.com", first.client->session()));
  ASSERT_TRUE(second.Handshake());
  EXPECT_FALSE(second.server->resumed());
}

// Policies by name, for a context without hosts.
class FixedPolicies : public HandshakePolicies {
 public:
  HandshakePolicy FindPolicy(std::string_view server_name) const override {
    return {.client_auth = nullptr,
            .ciphers = server_name == "a.com" ? "ECDHE-ECDSA-AES256-GCM-SHA384" : "",
            .known_name = server_name == "a.com"};
  }
};

TEST_F(TlsPolicyTest, UnknownNamesCanBeRefused) {
  static const FixedPolicies policies;
  context_.SetPolicies(&policies);
  EXPECT_EQ(ShownTo("x.com"), "default");
  context_.SetPolicy({.reject_unknown_names = true});
  EXPECT_EQ(ShownTo("a.com"), "a.com");
  EXPECT_EQ(ShownTo("x.com"), "no handshake");
  EXPECT_EQ(ShownTo(""), "no handshake");
}

TEST_F(TlsPolicyTest, DheCiphersNeedParametersWhichCanBeTakenAwayAgain) {
  const CertTable table = MakeTable({}, Certify("rsa.com", KeyType::kRsa));
  context_.SetCertificates(&table);
  const auto cipher = [&] {
    Connection connection(context_,
                          {.max_version = TLS1_2_VERSION, .ciphers = "DHE-RSA-AES128-GCM-SHA256"});
    if (!connection.Handshake()) return std::string("no handshake");
    EVP_PKEY* key = nullptr;
    EXPECT_EQ(SSL_get_peer_tmp_key(connection.client->ssl(), &key), 1);
    const int bits = EVP_PKEY_get_bits(key);
    EVP_PKEY_free(key);
    return StrCat(SSL_get_cipher_name(connection.client->ssl()), " ", bits);
  };
  EXPECT_EQ(cipher(), "no handshake");
  for (const std::string_view pem :
       {headgate::testing::kDhParameters, headgate::testing::kSubgroupDhParameters}) {
    context_.SetPolicy({.dh_parameters = std::string(pem)});
    EXPECT_EQ(cipher(), "DHE-RSA-AES128-GCM-SHA256 2048");
  }
  context_.SetPolicy({});
  EXPECT_EQ(cipher(), "no handshake");
}

TEST_F(TlsPolicyTest, AHostMayHaveCiphersOfItsOwn) {
  static const FixedPolicies policies;
  context_.SetPolicies(&policies);
  for (const auto& [name, cipher] : {std::pair("a.com", "ECDHE-ECDSA-AES256-GCM-SHA384"),
                                     std::pair("x.b.com", "ECDHE-ECDSA-AES128-GCM-SHA256")}) {
    Connection connection(context_, {.server_name = name, .max_version = TLS1_2_VERSION});
    ASSERT_TRUE(connection.Handshake());
    EXPECT_STREQ(SSL_get_cipher_name(connection.client->ssl()), cipher);
  }
}

}  // namespace
}  // namespace headgate::tls
