// TLS connections that are passed on by the name in the client's hello, and those that are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <future>
#include <string>
#include <thread>

#include "absl/strings/escaping.h"
#include "tests/support/certificates.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/raw_pair.h"
#include "tests/support/dataplane/test_proxy.h"
#include "tests/support/dataplane/tls_peer.h"

namespace headgate::test {
namespace {

using headgate::testing::MakeCertificate;
using headgate::testing::PemPair;
using observe::CounterId;
using ::testing::StartsWith;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// What a client says first.
std::string Hello(const char* name) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  SSL_set_tlsext_host_name(ssl, name);
  SSL_connect(ssl);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string bytes(data, static_cast<size_t>(size));
  SSL_free(ssl);
  SSL_CTX_free(context);
  return bytes;
}

class PassthroughTest : public ::testing::Test {
 protected:
  PassthroughTest() {
    proxy.Route("ends.example", {upstream.address()});
    proxy.Apply({"name: \"cert/default\" certificate { chain_pem: \"" + absl::CEscape(ours.chain) +
                 "\" key_pem: \"" + absl::CEscape(ours.key) + "\" }"});
    PassOn({backend.address()});
  }

  void PassOn(const std::vector<base::Address>& endpoints, const std::string& passthrough = "",
              const std::string& cluster = "") {
    const auto refused = proxy.Apply(
        {"name: \"vhost/pass.example\" virtual_host { host: \"pass.example\" passthrough { "
         "cluster: "
         "\"cluster/test/pass/443\" " +
             passthrough +
             " } routes { match { prefix_path: \"/\" } fixed_response { "
             "status: 404 } } }",
         "name: \"cluster/test/pass/443\" cluster { endpoints: \"endpoints/test/pass/443\" " +
             cluster + " }",
         EndpointsText("endpoints/test/pass/443", endpoints)});
    for (const auto& refusal : refused) ADD_FAILURE() << refusal.reason;
  }
  // A connection that has been passed on; what follows the hello need not be TLS.
  void Open(Peer& client, Peer& server) {
    const std::string hello = Hello("pass.example");
    client = Peer::Connect(proxy.https_port());
    client.Send(hello);
    server = backend.Accept();
    EXPECT_EQ(server.Read(hello.size()), hello);
  }

  const PemPair ours = MakeCertificate({"ours.example"});
  const PemPair theirs = MakeCertificate({"pass.example"});
  TestProxy proxy;
  PeerListener upstream;
  PeerListener backend;
};

TEST_F(PassthroughTest, TlsIsBetweenTheClientAndTheEndpoint) {
  TlsEnd end({.chain = theirs.chain, .key = theirs.key});
  auto served = std::async(std::launch::async, [&] {
    Peer server = backend.Accept();
    EXPECT_TRUE(server.StartTls(end));
    const std::string name = SSL_get_servername(server.tls(), TLSEXT_NAMETYPE_host_name);
    const Peer::Message request = server.ReadRequest();
    server.Send(kOk);
    EXPECT_TRUE(server.Ended());
    return name + " " + request.Field("X-Real-IP");
  });
  {
    TlsPeer client(proxy.https_port(), {.server_name = "Pass.Example"});
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.Get("pass.example").body, "ok");
  }
  EXPECT_EQ(served.get(), "Pass.Example ");
  EXPECT_EQ(proxy.Count(CounterId::kDownstreamTlsHandshakes), 0u);
  EXPECT_EQ(proxy.Count(CounterId::kPassthroughConnections), 1u);
  while (proxy.Count(CounterId::kPassthroughConnectionsActive) > 0) std::this_thread::yield();
  EXPECT_EQ(proxy.Count(CounterId::kDownstreamConnectionsActive), 0u);
}

TEST_F(PassthroughTest, OtherNamesAndNoneEndHere) {
  for (const char* name : {"ends.example", "unknown.example", ""}) {
    TlsPeer client(proxy.https_port(), {.server_name = name});
    ASSERT_TRUE(client.connected()) << name;
    client.Send("GET / HTTP/1.1\r\nHost: ends.example\r\n\r\n");
    Peer server = upstream.Accept();
    EXPECT_EQ(server.ReadRequest().Field("X-Forwarded-Proto"), "https");
    server.Send(kOk);
    EXPECT_EQ(client.ReadResponse().body, "ok");
  }
  EXPECT_EQ(proxy.Count(CounterId::kPassthroughConnections), 0u);
}

TEST_F(PassthroughTest, AHelloMayComeByteByByte) {
  for (const char* name : {"pass.example", "ends.example"}) {
    const std::string hello = Hello(name);
    Peer client = Peer::Connect(proxy.https_port());
    for (const char byte : hello) {
      client.Send({&byte, 1});
      proxy.Count(CounterId::kDownstreamConnections);  // the worker has seen it
    }
    if (std::string_view(name) == "pass.example") {
      EXPECT_EQ(backend.Accept().Read(hello.size()), hello);
    } else {
      EXPECT_THAT(client.ReadSome(), StartsWith("\x16\x03\x03")) << "our hello";
    }
  }
}

TEST_F(PassthroughTest, WhatIsNoHelloGetsWhatTlsSaysToIt) {
  Peer plain = Peer::Connect(proxy.https_port());
  plain.Send("GET / HTTP/1.1\r\nHost: pass.example\r\n\r\n");
  EXPECT_THAT(plain.ReadToEnd(), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  Peer broken = Peer::Connect(proxy.https_port());
  std::string hello = Hello("pass.example");
  hello[5] = 2;
  broken.Send(hello);
  EXPECT_THAT(broken.ReadToEnd(), StartsWith("\x15\x03")) << "an alert";
  Peer cut = Peer::Connect(proxy.https_port());
  cut.Send(Hello("pass.example").substr(0, 40));
  cut.ShutdownWrite();
  cut.ReadToEnd();
  EXPECT_EQ(proxy.Count(CounterId::kPassthroughConnections), 0u);
}

TEST_F(PassthroughTest, EachDirectionEndsByItself) {
  Peer client, server;
  Open(client, server);
  ExpectEcho(client, server, std::string("\0\r\n\xff", 4));
  client.Send("last words");
  client.ShutdownWrite();
  EXPECT_EQ(server.ReadToEnd(), "last words");
  server.Send("and an answer");
  server.Close();
  EXPECT_EQ(client.ReadToEnd(), "and an answer");
  Open(client, server);
  server.Send("last words");
  server.ShutdownWrite();
  EXPECT_EQ(client.ReadToEnd(), "last words");
  client.Send("and an answer");
  client.Close();
  EXPECT_EQ(server.ReadToEnd(), "and an answer");
}

TEST_F(PassthroughTest, AResetIsPassedOnAsAReset) {
  Peer client, server;
  bool reset = false;
  Open(client, server);
  client.Abort();
  server.ReadToEnd(&reset);
  EXPECT_TRUE(reset);
  Open(client, server);
  server.Abort();
  reset = false;
  client.ReadToEnd(&reset);
  EXPECT_TRUE(reset);
}

TEST_F(PassthroughTest, ASlowReaderHoldsTheOtherEndBack) {
  constexpr size_t kLimit = 128 << 20;
  Peer client, server;
  Open(client, server);
  const size_t sent = FillUp(client, kLimit);
  EXPECT_LT(sent, kLimit);
  EXPECT_EQ(server.Read(sent).size(), sent);
  ExpectEcho(client, server, "again");
}

TEST_F(PassthroughTest, ManyBytesPassUnchangedBothWaysAtOnce) {
  Peer client, server;
  Open(client, server);
  const size_t bytes = ExpectLargeEcho(client, server);
  EXPECT_EQ(proxy.Count(CounterId::kPassthroughBytesToClients), bytes);
}

TEST_F(PassthroughTest, LoadBalancersAndEndpointsMaySpeakThePROXYProtocol) {
  PassOn({backend.address()}, "", "proxy_protocol: PROXY_PROTOCOL_V1");
  proxy.Apply(
      {"name: \"settings\" settings { proxy_protocol { required: true trusted_cidrs: "
       "\"127.0.0.0/8\" } }"});
  const std::string header = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 8443\r\n";
  const std::string hello = Hello("pass.example");
  Peer client = Peer::Connect(proxy.https_port());
  client.Send(header + hello);
  EXPECT_EQ(backend.Accept().Read(header.size() + hello.size()), header + hello);
}

TEST_F(PassthroughTest, AnEndpointThatRefusesIsNotTheLastWord) {
  base::Address closed;
  {
    PeerListener gone;
    closed = gone.address();
  }
  PassOn({closed, backend.address()});
  Peer client, server;
  for (int i = 0; i < 4; ++i) Open(client, server);
  EXPECT_GE(proxy.Count(CounterId::kUpstreamConnectFailures), 1u);
  EXPECT_EQ(proxy.Count(CounterId::kPassthroughFailures), 0u);
}

TEST_F(PassthroughTest, WithoutAnEndpointTheConnectionIsClosed) {
  for (const bool gone : {false, true}) {
    if (gone) {
      proxy.Apply({}, {"cluster/test/pass/443"});
    } else {
      PassOn({});
    }
    Peer client = Peer::Connect(proxy.https_port());
    client.Send(Hello("pass.example"));
    EXPECT_EQ(client.ReadToEnd(), "");
  }
  EXPECT_EQ(proxy.Count(CounterId::kPassthroughFailures), 2u);
  EXPECT_EQ(proxy.Count(CounterId::kPassthroughConnectionsActive), 0u);
}

TEST_F(PassthroughTest, SilenceEndsIt) {
  PassOn({backend.address()}, "idle_timeout { nanos: 200000000 }");
  Peer client, server;
  Open(client, server);
  client.ReadToEnd();
  server.ReadToEnd();
  EXPECT_EQ(proxy.Count(CounterId::kPassthroughTimeouts), 1u);
}

TEST_F(PassthroughTest, NoChangeTouchesItAndADrainWaitsForIt) {
  Peer client, server;
  Open(client, server);
  for (int i = 0; i < 100; ++i) {
    if (i % 2 == 0) {
      proxy.Apply({}, {"vhost/pass.example", "cluster/test/pass/443", "endpoints/test/pass/443"});
    } else {
      PassOn({backend.address()});
    }
  }
  ExpectEcho(client, server, "still here");
  EXPECT_GE(proxy.released_configs(), 100u);
  auto drained =
      std::async(std::launch::async, [&] { return proxy.pool().Drain(std::chrono::seconds(20)); });
  EXPECT_EQ(drained.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  ExpectEcho(client, server, "draining");
  client.Close();
  server.Close();
  EXPECT_TRUE(drained.get());
}

}  // namespace
}  // namespace headgate::test
