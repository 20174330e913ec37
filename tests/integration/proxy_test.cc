// One proxy, real sockets, scripted ends: what a client and an endpoint see of an exchange.

#include <gtest/gtest.h>

#include <cstdint>
#include <future>
#include <string>
#include <thread>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

std::string Get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a.example\r\n" + std::string(fields) +
         "\r\n";
}

class ProxyTest : public testing::Test {
 protected:
  ProxyTest() { proxy.Route("a.example", {upstream.address()}); }

  TestProxy proxy;
  PeerListener upstream;
};

TEST_F(ProxyTest, ForwardsARequestAndItsResponse) {
  Peer client = proxy.Connect();
  client.Send(Get("/path?q=1", "X-Mine: 7\r\n"));
  Peer server = upstream.Accept();
  const Peer::Message request = server.ReadRequest();
  EXPECT_TRUE(request.head.starts_with("GET /path?q=1 HTTP/1.1\r\n")) << request.head;
  EXPECT_EQ(request.Field("Host"), "a.example");
  EXPECT_EQ(request.Field("X-Mine"), "7");
  EXPECT_EQ(request.Field("X-Real-IP"), "127.0.0.1");
  EXPECT_EQ(request.Field("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(request.Field("X-Forwarded-Proto"), "http");
  EXPECT_EQ(request.Field("X-Forwarded-Port"), std::to_string(proxy.http_port()));
  EXPECT_EQ(request.Field("X-Request-ID").size(), 32u);
  server.Send(
      "HTTP/1.1 201 Made\r\nX-Theirs: 8\r\nServer: secret/1\r\nContent-Length: 5\r\n\r\nhello");
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.Field("X-Theirs"), "8");
  EXPECT_EQ(response.Field("Server"), "");
  EXPECT_EQ(response.body, "hello");
}

TEST_F(ProxyTest, KeepsBothConnectionsForTheNextRequest) {
  Peer client = proxy.Connect();
  client.Send(Get("/1"));
  Peer server = upstream.Accept();
  for (int i = 1; i <= 5; ++i) {
    EXPECT_TRUE(server.ReadRequest().head.starts_with("GET /" + std::to_string(i) + " "));
    server.Send(kOk);
    EXPECT_EQ(client.ReadResponse().body, "ok");
    if (i < 5) client.Send(Get("/" + std::to_string(i + 1)));
  }
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnections), 1u);
}

TEST_F(ProxyTest, AnswersPipelinedRequestsInOrder) {
  Peer client = proxy.Connect();
  client.Send(Get("/1") + Get("/2") + Get("/3"));
  Peer server = upstream.Accept();
  for (const char* body : {"1", "2", "3"}) {
    EXPECT_TRUE(server.ReadRequest().head.starts_with("GET /" + std::string(body) + " "));
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::string(body));
  }
  for (const char* body : {"1", "2", "3"}) EXPECT_EQ(client.ReadResponse().body, body);
}

TEST_F(ProxyTest, StreamsChunkedBodiesAndTrailersBothWays) {
  Peer client = proxy.Connect();
  client.Send(
      "POST /up HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  Peer server = upstream.Accept();
  EXPECT_TRUE(server.ReadHead().find("chunked") != std::string::npos);
  EXPECT_EQ(server.Read(8), "3\r\nabc\r\n");
  client.Send("2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n");
  EXPECT_EQ(server.Read(22), "2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n");
  server.Send(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwxyz\r\n0\r\nX-Sig: s\r\n\r\n");
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.body, "wxyz");
  EXPECT_EQ(response.Field("X-Sig"), "s");
}

TEST_F(ProxyTest, AResponseUntilCloseReachesTheClientWhole) {
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.0 200 OK\r\n\r\nall of it");
  server.Close();
  EXPECT_EQ(client.ReadResponse().body, "all of it");
}

TEST_F(ProxyTest, ATruncatedResponseNeverLooksComplete) {
  for (const char* head : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"}) {
    Peer client = proxy.Connect();
    client.Send(Get("/"));
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send(head);
    EXPECT_FALSE(client.ReadHead().empty());
    server.Close();
    const std::string rest = client.ReadToEnd();
    EXPECT_EQ(rest.find("0\r\n\r\n"), std::string::npos) << rest;
    EXPECT_LE(rest.size(), 10u);
  }
}

TEST_F(ProxyTest, HeadAndBodilessStatusesHaveNoBody) {
  Peer client = proxy.Connect();
  client.Send("HEAD / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
  EXPECT_EQ(client.ReadResponse(true).Field("Content-Length"), "99");
  for (const char* status : {"204 No Content", "304 Not Modified"}) {
    client.Send(Get("/"));
    server.ReadRequest();
    server.Send("HTTP/1.1 " + std::string(status) + "\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().status, std::atoi(status));
  }
}

TEST_F(ProxyTest, ExpectContinueIsAnsweredByUs) {
  Peer client = proxy.Connect();
  client.Send(
      "PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 100);
  client.Send("abc");
  Peer server = upstream.Accept();
  const Peer::Message request = server.ReadRequest();
  EXPECT_EQ(request.body, "abc");
  EXPECT_EQ(request.Field("Expect"), "");
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(ProxyTest, InformationalResponsesPass) {
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + std::string(kOk));
  const Peer::Message hints = client.ReadResponse();
  EXPECT_EQ(hints.status, 103);
  EXPECT_EQ(hints.Field("Link"), "</x>");
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(ProxyTest, UnknownHostIs404AndMissingEndpointsAre503) {
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n");
  const Peer::Message unknown = client.ReadResponse();
  EXPECT_EQ(unknown.status, 404);
  EXPECT_NE(unknown.body.find("404 Not Found"), std::string::npos);
  proxy.Route("empty.example", {});
  client.Send("GET / HTTP/1.1\r\nHost: empty.example\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 503);
}

TEST_F(ProxyTest, AMalformedRequestIs400AndClosed) {
  Peer client = proxy.Connect();
  client.Send(
      "GET / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nTransfer-Encoding: "
      "chunked\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 400);
  EXPECT_TRUE(client.Ended());
  EXPECT_FALSE(upstream.HasConnection());
}

TEST_F(ProxyTest, AmbiguousPathsAre400) {
  for (const char* path :
       {"/a/../../b", "/a/..;/b", "/%00", "/a%252e%252e/%252e%252e/b", "/a\\..\\b"}) {
    Peer client = proxy.Connect();
    client.Send(Get(path));
    EXPECT_EQ(client.ReadResponse().status, 400) << path;
  }
}

TEST_F(ProxyTest, DotSegmentsAreForwardedInNormalForm) {
  Peer client = proxy.Connect();
  client.Send(Get("/a/%2e%2e/b?x=../y"));
  Peer server = upstream.Accept();
  EXPECT_TRUE(server.ReadRequest().head.starts_with("GET /b?x=../y HTTP/1.1\r\n"));
}

TEST_F(ProxyTest, ABodyOverTheLimitIs413) {
  proxy.Apply({"name: \"settings\" settings { limits { max_request_body_bytes: 4 } }"});
  Peer client = proxy.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 413);

  Peer chunked = proxy.Connect();
  chunked.Send(
      "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n");
  EXPECT_EQ(chunked.ReadResponse().status, 413);

  Peer small = proxy.Connect();
  small.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nabcd");
  Peer server = upstream.Accept();
  if (server.ReadRequest().body.empty())
    server = upstream.Accept();  // the chunked one may have connected first
  server.Send(kOk);
  EXPECT_EQ(small.ReadResponse().status, 200);
}

TEST_F(ProxyTest, LargeBodiesPassUnchangedBothWays) {
  std::string body(5 << 20, '\0');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 2654435761u >> 13);
  proxy.Apply({"name: \"settings\" settings { limits { max_request_body_bytes: 0 } }"});
  Peer client = proxy.Connect();
  Peer server;
  std::string received;
  std::thread upstream_side([&] {
    server = upstream.Accept();
    received = server.ReadRequest().body;
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                body);
  });
  client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  const Peer::Message response = client.ReadResponse();
  upstream_side.join();
  EXPECT_TRUE(received == body);
  EXPECT_TRUE(response.body == body);
}

TEST_F(ProxyTest, ASlowClientHoldsTheUpstreamBack) {
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  const size_t total = 256 << 20;
  server.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(total) + "\r\n\r\n");
  const std::string piece(1 << 16, 'x');
  size_t sent = 0;
  // The client reads nothing: the kernel's buffers and ours fill, then the upstream must block.
  while (sent < total) {
    const ssize_t got = send(server.fd(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (got > 0) {
      sent += static_cast<size_t>(got);
    } else if (!server.Silent() || proxy.Count(CounterId::kUpstreamBytesRead) > 0) {
      break;
    }
  }
  EXPECT_LT(sent, total / 2);
}

TEST_F(ProxyTest, RetriesOnAnotherEndpointWhenConnectingFails) {
  uint16_t dead_port;
  {
    PeerListener dead;
    dead_port = dead.port();
  }
  proxy.Route("a.example", {*base::Address::ParseIp("127.0.0.1", dead_port), upstream.address()});
  std::thread upstream_side([&] {
    Peer server = upstream.Accept();
    for (int i = 0; i < 4; ++i) {
      server.ReadRequest();
      server.Send(kOk);
    }
  });
  Peer client = proxy.Connect();
  for (int i = 0; i < 4; ++i) {
    client.Send(i % 2 == 0 ? Get("/")
                           : "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc");
    EXPECT_EQ(client.ReadResponse().status, 200);
  }
  upstream_side.join();
}

TEST_F(ProxyTest, NothingButDeadEndpointsIs502) {
  uint16_t dead_port;
  {
    PeerListener dead;
    dead_port = dead.port();
  }
  proxy.Route("a.example", {*base::Address::ParseIp("127.0.0.1", dead_port)});
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 502);
  client.Send(Get("/"));  // the connection lives on
  EXPECT_EQ(client.ReadResponse().status, 502);
}

TEST_F(ProxyTest, AReusedConnectionThatDiedUnansweredIsRetriedAtOnce) {
  Peer client = proxy.Connect();
  client.Send(Get("/1"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send(kOk);
  client.ReadResponse();
  client.Send(Get("/2"));
  server.ReadRequest();
  server.Close();  // without an answer
  Peer second = upstream.Accept();
  EXPECT_TRUE(second.ReadRequest().head.starts_with("GET /2 "));
  second.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(ProxyTest, APostThatMayHaveBeenProcessedIsNotRepeated) {
  Peer client = proxy.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc");
  Peer server = upstream.Accept();
  EXPECT_EQ(server.ReadRequest().body, "abc");
  server.Close();
  EXPECT_EQ(client.ReadResponse().status, 502);
  EXPECT_FALSE(upstream.HasConnection());
}

TEST_F(ProxyTest, AnUpstreamThatSaysNothingIs504) {
  proxy.Apply({"name: \"settings\" settings { timeouts { read { nanos: 100000000 } } }"});
  Peer client = proxy.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");
  Peer server = upstream.Accept();
  server.ReadRequest();
  EXPECT_EQ(client.ReadResponse().status, 504);
  EXPECT_EQ(server.ReadToEnd(), "");
}

TEST_F(ProxyTest, AMalformedResponseIs502) {
  for (const char* bad :
       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n"}) {
    Peer client = proxy.Connect();
    client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send(bad);
    EXPECT_EQ(client.ReadResponse().status, 502) << bad;
  }
}

TEST_F(ProxyTest, AnEarlyAnswerEndsTheUpload) {
  Peer client = proxy.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1000000\r\n\r\nbegin");
  Peer server = upstream.Accept();
  server.ReadHead();
  EXPECT_EQ(server.Read(5), "begin");
  server.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "no");
  server.ReadToEnd();
}

TEST_F(ProxyTest, AClientThatLeavesEndsTheAttempt) {
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  client.Abort();
  EXPECT_TRUE(server.Ended());
}

TEST_F(ProxyTest, RequestsAreCountedByRoute) {
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send(kOk);
  client.ReadResponse();
  EXPECT_EQ(proxy.RouteCount("a.example").by_class[2], 1u);
  EXPECT_EQ(proxy.RouteCount("a.example").response_bytes, 2u);
}

TEST_F(ProxyTest, HttpsRedirectComesBeforeForwarding) {
  proxy.Route("a.example", {upstream.address()},
              "policy { https_redirect { mode: ALWAYS status: 308 } }");
  Peer client = proxy.Connect();
  client.Send("GET /x/?y=1 HTTP/1.1\r\nHost: A.example:8080\r\n\r\n");
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 308);
  EXPECT_EQ(response.Field("Location"), "https://a.example/x/?y=1");
  client.Send(Get("/.well-known/acme-challenge/token"));
  EXPECT_EQ(client.ReadResponse().status, 308) << "paths that are exempt have a route that says so";
}

TEST_F(ProxyTest, PlainHttpOnTheTlsPortIsToldSo) {
  Peer client = Peer::Connect(proxy.https_port());
  client.Send(Get("/"));
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 400);
  EXPECT_TRUE(response.body.find("The plain HTTP request was sent to HTTPS port") !=
              std::string::npos);
  EXPECT_TRUE(response.body.ends_with("</html>\r\n"));
  EXPECT_TRUE(client.Ended());
}

TEST_F(ProxyTest, AConfigSwapDisturbsNoConnection) {
  Peer client = proxy.Connect();
  client.Send(Get("/1"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  // In mid-request the route goes elsewhere: the request keeps the configuration it began with.
  PeerListener other;
  proxy.Route("a.example", {other.address()});
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_TRUE(
      server.Ended());  // the endpoint has left: its connection goes after its last exchange
  client.Send(Get("/2"));
  Peer second = other.Accept();
  EXPECT_TRUE(second.ReadRequest().head.starts_with("GET /2 "));
  second.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(ProxyTest, OldConfigurationsAreGivenBack) {
  for (int i = 0; i < 10; ++i) proxy.Route("b" + std::to_string(i) + ".example", {});
  EXPECT_GE(proxy.released_configs(), 10u);
}

TEST_F(ProxyTest, ARefusedResourceKeepsItsLastGoodForm) {
  const auto refusals = proxy.Apply({
      "name: \"vhost/a.example\" virtual_host { host: \"a.example\" routes { match { regex_path: "
      "\"(\" } } }",
      "name: \"vhost/b.example\" virtual_host { host: \"b.example\" routes { match { prefix_path: "
      "\"/\" } "
      "fixed_response { status: 200 body: \"b\" } } }",
  });
  ASSERT_EQ(refusals.size(), 1u);
  EXPECT_EQ(refusals[0].resource, "vhost/a.example");
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: b.example\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "b");
  client.Send(Get("/"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(ProxyTest, EndpointsTakeTurns) {
  PeerListener second;
  proxy.Route("a.example", {upstream.address(), second.address()});
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  const bool first_has_it = FirstReadable({upstream.fd(), second.fd()}) == 0;
  PeerListener& a = first_has_it ? upstream : second;
  PeerListener& b = first_has_it ? second : upstream;
  Peer at_a = a.Accept();
  at_a.ReadRequest();
  at_a.Send(kOk);
  client.ReadResponse();
  client.Send(Get("/"));
  Peer at_b = b.Accept();
  at_b.ReadRequest();
  at_b.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
  client.Send(Get("/"));
  EXPECT_FALSE(at_a.ReadRequest().head.empty());
}

TEST_F(ProxyTest, DrainLetsTheExchangeFinishAndCloses) {
  Peer busy = proxy.Connect();
  Peer idle = proxy.Connect();
  busy.Send(Get("/"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  auto drained =
      std::async(std::launch::async, [&] { return proxy.pool().Drain(std::chrono::seconds(10)); });
  EXPECT_TRUE(idle.Ended());
  server.Send(kOk);
  const Peer::Message response = busy.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Field("Connection"), "close");
  EXPECT_TRUE(busy.Ended());
  EXPECT_TRUE(drained.get());
}

TEST_F(ProxyTest, AnEndIsAnnouncedWhileConnectionsAreStillTaken) {
  Peer kept = proxy.Connect();
  kept.Send(Get("/"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send(kOk);
  EXPECT_EQ(kept.ReadResponse().Field("Connection"), "");
  proxy.pool().AnnounceEnd();
  Peer late = proxy.Connect();
  for (Peer* client : {&kept, &late}) {
    client->Send(Get("/"));
    server.ReadRequest();
    server.Send(kOk);
    const Peer::Message response = client->ReadResponse();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.Field("Connection"), "close");
    EXPECT_TRUE(client->Ended());
  }
  EXPECT_TRUE(proxy.pool().Drain(std::chrono::seconds(10)));
}

TEST_F(ProxyTest, AStopEndsADrainThatWaitsForAnExchange) {
  Peer busy = proxy.Connect();
  busy.Send(Get("/"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  auto drained =
      std::async(std::launch::async, [&] { return proxy.pool().Drain(std::chrono::seconds(20)); });
  EXPECT_EQ(drained.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  proxy.pool().Stop();
  EXPECT_EQ(drained.wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

}  // namespace
}  // namespace headgate::test
