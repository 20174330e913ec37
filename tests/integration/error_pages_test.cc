// Failures whose bodies another cluster makes.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

class ErrorPagesTest : public testing::Test {
 protected:
  void Serve(const std::string& errors, const std::string& policy = "",
             const std::string& settings = "") {
    ASSERT_TRUE(
        proxy
            .Apply({R"(name: "vhost/a.example" virtual_host { host: "a.example" routes {
                                match { prefix_path: "/" } policy { error_backend { )" +
                        errors + " } " + policy +
                        R"( } forward { clusters { cluster: "cluster/a" } }
                                 origin { namespace: "ns" ingress: "shop" service: "a" service_port: "80" } } })",
                    "name: \"settings\" settings { " + settings + " }",
                    R"(name: "cluster/a" cluster { endpoints: "endpoints/a" log_name: "ns-a-80" })",
                    R"(name: "cluster/e" cluster { endpoints: "endpoints/e" })",
                    EndpointsText("endpoints/a", {upstream.address()}),
                    EndpointsText("endpoints/e", {errors_end.address()})})
            .empty());
  }

  Peer Ask(const std::string& request) {
    Peer client = proxy.Connect();
    client.Send(request);
    return client;
  }

  TestProxy proxy;
  PeerListener upstream;
  PeerListener errors_end;
};

constexpr const char* kGet =
    "GET /x?q=1 HTTP/1.1\r\nHost: a.example\r\nAccept: text/plain\r\nX-Request-ID: r1\r\n"
    "X-Code: 1\r\n\r\n";

TEST_F(ErrorPagesTest, AnEndpointsFailureGetsItsBodyElsewhere) {
  Serve(R"(cluster: "cluster/e" statuses: 404 statuses: 503)");
  Peer client = Ask(kGet);
  Peer server = upstream.Accept();
  EXPECT_TRUE(server.ReadRequest().head.starts_with("GET /x?q=1 "));
  server.Send("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
  Peer errors = errors_end.Accept();
  const Peer::Message asked = errors.ReadRequest();
  EXPECT_TRUE(asked.head.starts_with("GET /?q=1 HTTP/1.1\r\n")) << asked.head;
  EXPECT_EQ(asked.Field("Host"), "a.example");
  EXPECT_EQ(asked.Field("X-Code"), "503");
  EXPECT_EQ(asked.Field("X-Format"), "text/plain");
  EXPECT_EQ(asked.Field("X-Original-URI"), "/x?q=1");
  EXPECT_EQ(asked.Field("X-Namespace"), "ns");
  EXPECT_EQ(asked.Field("X-Ingress-Name"), "shop");
  EXPECT_EQ(asked.Field("X-Service-Name"), "a");
  EXPECT_EQ(asked.Field("X-Service-Port"), "80");
  EXPECT_EQ(asked.Field("X-Request-ID"), "r1");
  errors.Send("HTTP/1.1 418 Teapot\r\nContent-Length: 5\r\n\r\nsorry");
  const Peer::Message answer = client.ReadResponse();
  EXPECT_EQ(answer.status, 418);
  EXPECT_EQ(answer.body, "sorry");
  // The connection is in order, and other statuses pass.
  client.Send(kGet);
  server = upstream.Accept();  // the first was reset with its body under way
  server.ReadRequest();
  server.Send("HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops");
  EXPECT_EQ(client.ReadResponse().body, "oops");
}

TEST_F(ErrorPagesTest, TheRequestsBodyIsNotSentThere) {
  Serve(R"(cluster: "cluster/e" statuses: 404)");
  Peer client = Ask("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\n01234");
  Peer server = upstream.Accept();
  server.ReadHead();
  server.Send("HTTP/1.1 404 Nope\r\nContent-Length: 0\r\n\r\n");
  Peer errors = errors_end.Accept();
  const Peer::Message asked = errors.ReadRequest();
  EXPECT_TRUE(asked.head.starts_with("POST / "));
  EXPECT_EQ(asked.body, "");
  errors.Send("HTTP/1.1 404 Nope\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(client.ReadResponse().body, "no");
  client.Send("56789GET /y HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer next = upstream.Accept();
  EXPECT_TRUE(next.ReadRequest().head.starts_with("GET /y "));
}

TEST_F(ErrorPagesTest, OurOwnFailuresGetTheirBodyThereToo) {
  Serve(R"(cluster: "cluster/e" statuses: 413 statuses: 502 local_only: true)",
        "max_request_body_bytes: 3");
  Peer client = Ask("POST /x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\n0123");
  Peer errors = errors_end.Accept();
  EXPECT_EQ(errors.ReadRequest().Field("X-Code"), "413");
  errors.Send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbig");
  EXPECT_EQ(client.ReadResponse().body, "big");

  client = Ask(kGet);
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.1 502 Mine\r\nContent-Length: 4\r\n\r\nmine");
  EXPECT_EQ(client.ReadResponse().body, "mine");
  client.Send(kGet);
  server.ReadRequest();
  server.Send("nonsense\r\n\r\n");
  EXPECT_EQ(errors.ReadRequest().Field("X-Code"), "502");
  errors.Send("HTTP/1.1 502 Bad\r\nContent-Length: 3\r\n\r\nbad");
  EXPECT_EQ(client.ReadResponse().body, "bad");
}

TEST_F(ErrorPagesTest, WithoutAClusterThatCanTheFailureStaysAsItIs) {
  Serve("statuses: 404");
  Peer client = Ask(kGet);
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.1 404 Nope\r\nContent-Length: 4\r\n\r\nnope");
  EXPECT_EQ(client.ReadResponse().body, "nope");
  // The default backend takes the place of a cluster without endpoints.
  Serve(R"(cluster: "cluster/gone" statuses: 404)", "next_upstream { conditions {} }",
        R"(default_backend_cluster: "cluster/e")");
  client.Send(kGet);
  server.ReadRequest();
  server.Send("HTTP/1.1 404 Nope\r\nContent-Length: 0\r\n\r\n");
  Peer errors = errors_end.Accept();
  EXPECT_EQ(errors.ReadRequest().Field("X-Code"), "404");
  errors.Close();  // and what it cannot answer is its own failure
  EXPECT_EQ(client.ReadResponse().status, 502);
}

TEST_F(ErrorPagesTest, AnEmptyClusterIsReplaced) {
  Serve(R"(cluster: "cluster/e" serves_empty: true)");
  ASSERT_TRUE(proxy.Apply({}, {"endpoints/a"}).empty());
  Peer client = Ask("POST /x?q=1 HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\nabc");
  Peer errors = errors_end.Accept();
  const Peer::Message asked = errors.ReadRequest();
  EXPECT_TRUE(asked.head.starts_with("POST /x?q=1 "));
  EXPECT_EQ(asked.body, "abc");
  EXPECT_EQ(asked.Field("X-Code"), "503");
  EXPECT_EQ(asked.Field("X-Namespace"), "ns");
  errors.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

}  // namespace
}  // namespace headgate::test
