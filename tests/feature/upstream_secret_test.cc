// proxy-ssl-secret, from the Secret to the handshake with an endpoint that demands a certificate.
#include <gtest/gtest.h>

#include <string>

#include "tests/feature/translated_proxy.h"
#include "tests/support/dataplane/peer.h"

namespace headgate::feature {
namespace {

using headgate::testing::MakeCertificate;
using headgate::testing::PemPair;
using test::Peer;
using test::TlsEnd;

class UpstreamSecretTest : public ::testing::Test {
 protected:
  UpstreamSecretTest() {
    proxy_.ApplyService("shop", "web", listener_.address());
    kube::Ingress ingress = headgate::testing::SimpleIngress("shop", "web", "shop.test",
                                                             headgate::testing::Backend("web", 80));
    ingress.meta.annotations = {{"nginx.ingress.kubernetes.io/backend-protocol", "HTTPS"},
                                {"nginx.ingress.kubernetes.io/proxy-ssl-name", "backend.test"},
                                {"nginx.ingress.kubernetes.io/proxy-ssl-secret", "shop/upstream"},
                                {"nginx.ingress.kubernetes.io/proxy-ssl-verify", "on"}};
    proxy_.Apply({std::move(ingress)});
  }

  static kube::Secret MakeSecret(const std::string& trust, const PemPair& own) {
    kube::Secret secret;
    secret.meta = headgate::testing::Meta("shop", "upstream");
    secret.data.emplace_back("ca.crt", SecretBytes(trust));
    secret.data.emplace_back("tls.crt", SecretBytes(own.chain));
    secret.data.emplace_back("tls.key", SecretBytes(own.key));
    return secret;
  }

  // The status of an exchange with an endpoint that trusts `client` alone.
  int Exchange(const PemPair& client) {
    TlsEnd end({.chain = backend_.chain,
                .key = backend_.key,
                .client_ca = client.chain,
                .max_version = TLS1_2_VERSION});
    Peer downstream = proxy_.proxy().Connect();
    downstream.Send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    Peer server = listener_.Accept();
    if (!server.StartTls(end)) {
      server.Close();
      while (test::FirstReadable({downstream.fd(), listener_.fd()}) == 1)
        listener_.Accept().StartTls(end);
    } else {
      server.ReadRequest();
      server.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
    return downstream.ReadResponse().status;
  }
  int StatusWithoutEndpoint() {
    Peer downstream = proxy_.proxy().Connect();
    downstream.Send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    return downstream.ReadResponse().status;
  }

  const PemPair backend_ = MakeCertificate({"backend.test"});
  const PemPair first_ = MakeCertificate({"proxy.test"});
  const PemPair second_ = MakeCertificate({"proxy.test"});
  test::PeerListener listener_;
  TranslatedProxy proxy_;
};

TEST_F(UpstreamSecretTest, ItsCertificateIsShownAndFollowsTheSecret) {
  EXPECT_EQ(StatusWithoutEndpoint(), 503);  // nobody is spoken to without what was asked for
  proxy_.Apply({MakeSecret(backend_.chain, first_)});
  EXPECT_EQ(Exchange(first_), 200);
  EXPECT_EQ(Exchange(second_), 502);

  proxy_.Apply({MakeSecret(backend_.chain, second_)});
  EXPECT_EQ(Exchange(second_), 200);
  EXPECT_EQ(Exchange(first_), 502);

  proxy_.Delete(kube::Kind::kSecret, {"shop", "upstream"});
  EXPECT_EQ(StatusWithoutEndpoint(), 503);
}

TEST_F(UpstreamSecretTest, EndpointsAreVerifiedAgainstItsAuthorities) {
  proxy_.Apply({MakeSecret(first_.chain, first_)});
  EXPECT_EQ(Exchange(first_), 502);
  proxy_.Apply({MakeSecret(backend_.chain, first_)});
  EXPECT_EQ(Exchange(first_), 200);
}

TEST_F(UpstreamSecretTest, ABrokenFormLeavesTheLastGoodOneInUse) {
  proxy_.Apply({MakeSecret(backend_.chain, first_)});
  proxy_.Apply({MakeSecret(backend_.chain, {second_.chain, first_.key})});
  EXPECT_EQ(Exchange(first_), 200);
}

}  // namespace
}  // namespace headgate::feature
