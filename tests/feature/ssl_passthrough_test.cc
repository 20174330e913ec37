// ssl-passthrough, from the Ingress to the endpoint that ends TLS.
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "tests/feature/translated_proxy.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/tls_peer.h"

namespace headgate::feature {
namespace {

TEST(SslPassthroughTest, TlsEndsAtTheEndpointWhileTheAnnotationIsThere) {
  const auto theirs = headgate::testing::MakeCertificate({"shop.test"});
  test::TlsEnd end({.chain = theirs.chain, .key = theirs.key});
  test::PeerListener listener;
  translate::Options options;
  options.ssl_passthrough = true;
  TranslatedProxy proxy(options);
  proxy.ApplyService("shop", "web", listener.address());
  kube::Ingress ingress = headgate::testing::SimpleIngress("shop", "web", "shop.test",
                                                           headgate::testing::Backend("web", 80));
  const kube::Ingress plain = ingress;
  ingress.meta.annotations = {{"nginx.ingress.kubernetes.io/ssl-passthrough", "true"}};
  proxy.Apply({ingress});

  const auto serve = [&] {
    test::Peer server = listener.Accept();
    EXPECT_TRUE(server.StartTls(end));
    server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    server.Ended();
  };
  auto served = std::async(std::launch::async, serve);
  {
    test::TlsPeer client(proxy.proxy().https_port(), {.server_name = "shop.test"});
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.Get("shop.test").body, "ok");
  }
  served.get();
  EXPECT_EQ(proxy.proxy().Count(observe::CounterId::kPassthroughConnections), 1u);

  // What comes over plain HTTP is sent on over TLS.
  served = std::async(std::launch::async, serve);
  {
    test::Peer client = proxy.proxy().Connect();
    client.Send("GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().body, "ok");
  }
  proxy.Apply({plain});  // closes what is idle: the cluster over TLS is gone
  served.get();

  test::TlsPeer client(proxy.proxy().https_port(), {.server_name = "shop.test"});
  ASSERT_TRUE(client.connected());
  client.Send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
  test::Peer server = listener.Accept();
  EXPECT_EQ(server.ReadRequest().Field("X-Forwarded-Proto"), "https");
  EXPECT_EQ(proxy.proxy().Count(observe::CounterId::kPassthroughConnections), 1u);
}

}  // namespace
}  // namespace headgate::feature
