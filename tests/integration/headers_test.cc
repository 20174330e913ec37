// Fields that rules set and remove on the way to the endpoint and back.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

std::string Edit(const std::string& name, const std::string& value) {
  return "edits { name: \"" + name + "\" value { parts { literal: \"" + value + "\" } } } ";
}

std::string EditBy(const std::string& name, const std::string& variable) {
  return "edits { name: \"" + name + "\" value { parts { variable: " + variable + " } } } ";
}

class HeadersTest : public testing::Test {
 protected:
  void Serve(const std::string& policy, const std::string& settings = "") {
    ASSERT_TRUE(
        proxy
            .Apply({R"(name: "vhost/a.example" virtual_host { host: "a.example" routes {
                                match { prefix_path: "/" } policy { )" +
                        policy + R"( } forward { clusters { cluster: "cluster/a" } } } })",
                    R"(name: "settings" settings { )" + settings + " }",
                    R"(name: "cluster/a" cluster { endpoints: "endpoints/a" log_name: "ns-a-80" })",
                    EndpointsText("endpoints/a", {upstream.address()})})
            .empty());
  }

  // The request as the endpoint sees it. The client's answer is in `answer`.
  Peer::Message Ask(const std::string& fields, const std::string& response = kOk) {
    Peer client = proxy.Connect();
    client.Send("GET /x?q=1 HTTP/1.1\r\nHost: a.example\r\n" + fields + "\r\n");
    Peer server = upstream.Accept();
    Peer::Message request = server.ReadRequest();
    server.Send(response);
    answer = client.ReadResponse();
    return request;
  }

  static constexpr const char* kOk =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

  TestProxy proxy;
  PeerListener upstream;
  Peer::Message answer;
};

TEST_F(HeadersTest, RequestFieldsAreSetReplacedAndRemoved) {
  Serve("request_headers { " + Edit("X-Set", "one") + EditBy("X-Uri", "REQUEST_URI") +
            "edits { name: \"X-Gone\" } " + EditBy("X-Nothing", "CONTENT_TYPE") + "}",
        "request_headers { " + Edit("X-Set", "zero") + Edit("X-Forwarded-Proto", "https") + "}");
  const Peer::Message request =
      Ask("x-set: client\r\nX-Set: client\r\nX-Gone: client\r\nX-Nothing: client\r\n");
  EXPECT_EQ(request.Field("X-Set"), "one");
  EXPECT_EQ(request.head.find("client"), std::string::npos) << request.head;
  EXPECT_EQ(request.head.find("zero"), std::string::npos);
  EXPECT_EQ(request.Field("X-Uri"), "/x?q=1");
  EXPECT_EQ(request.head.find("X-Nothing"), std::string::npos);
  EXPECT_EQ(request.Field("X-Forwarded-Proto"), "https");
}

TEST_F(HeadersTest, NamesWithUnderscoresGoOnWhereWantedButNeverForOurs) {
  const std::string policy = "request_headers { " + Edit("X-Team", "ours") + "}";
  const std::string fields =
      "X_Api_Key: k\r\nX_Forwarded_For: 1.1.1.1\r\nX-Real_IP: 1.1.1.1\r\nContent_Length: 9\r\n"
      "SSL_CLIENT_VERIFY: SUCCESS\r\nX_Team: theirs\r\n";
  Serve(policy);
  EXPECT_EQ(Ask(fields).Field("X_Api_Key"), "");
  Serve(policy, "limits { pass_underscores: true }");
  const Peer::Message request = Ask(fields);
  EXPECT_EQ(request.Field("X_Api_Key"), "k");
  EXPECT_EQ(request.Field("X-Team"), "ours");
  for (const char* gone : {"1.1.1.1", "Content_Length", "SUCCESS", "theirs"})
    EXPECT_EQ(request.head.find(gone), std::string::npos) << request.head;
}

TEST_F(HeadersTest, AValueThatNoFieldMayHoldIsNotSent) {
  Serve(
      "request_headers { edits { name: \"X-Arg\" value { parts { variable: ARG name: \"q\" } } } " +
      Edit("X-After", "1") + "}");
  // Arguments are passed on as received, so a line end in one stays percent-encoded.
  Peer client = proxy.Connect();
  client.Send("GET /x?q=a%0d%0aEvil:1 HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer server = upstream.Accept();
  const Peer::Message request = server.ReadRequest();
  EXPECT_EQ(request.Field("X-Arg"), "a%0d%0aEvil:1");
  EXPECT_EQ(request.Field("X-After"), "1");
  EXPECT_EQ(request.Field("Evil"), "");
}

TEST_F(HeadersTest, TheEndpointIsGivenAnotherHost) {
  Serve(R"(request_headers { host { parts { literal: "inner." } parts { variable: HOST } } })");
  const Peer::Message request = Ask("");
  EXPECT_EQ(request.Field("Host"), "inner.a.example");
  EXPECT_EQ(request.Field("X-Forwarded-Host"), "a.example");
  Serve(R"(request_headers { host { parts { variable: HEADER name: "x-host" } } })");
  EXPECT_EQ(Ask("X-Host: b.example:81\r\n").Field("Host"), "b.example:81");
  EXPECT_EQ(Ask("X-Host: no host\r\n").Field("Host"), "a.example");
  EXPECT_EQ(Ask("").Field("Host"), "a.example");
}

TEST_F(HeadersTest, TheConnectionFieldIsFixed) {
  Serve("request_headers { connection: CLOSE }");
  Peer::Message request = Ask("Connection: upgrade\r\nUpgrade: websocket\r\n");
  EXPECT_EQ(request.Field("Connection"), "close");
  EXPECT_EQ(request.Field("Upgrade"), "");
  Serve("request_headers { connection: KEEP_ALIVE }");
  EXPECT_EQ(Ask("").Field("Connection"), "keep-alive");
}

TEST_F(HeadersTest, ResponseFieldsAreSetOnEveryStatus) {
  Serve("response_headers { hidden: \"X-Secret\" " + Edit("X-Frame-Options", "DENY") +
            EditBy("X-Status", "STATUS") + "}",
        "response_headers { hidden: \"X-Powered-By\" " + Edit("X-All", "yes") +
            EditBy("X-Id", "REQUEST_ID") + "}");
  Ask("X-Request-ID: r1\r\n",
      "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\nX-Powered-By: "
      "PHP\r\nX-Secret: 1\r\n"
      "x-frame-options: ALLOW\r\nServer: inner\r\n\r\n");
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.Field("X-Frame-Options"), "DENY");
  EXPECT_EQ(answer.Field("X-Status"), "500");
  EXPECT_EQ(answer.Field("X-All"), "yes");
  EXPECT_EQ(answer.Field("X-Id"), "r1");
  for (const char* gone : {"ALLOW", "X-Powered-By", "X-Secret", "Server"}) {
    EXPECT_EQ(answer.head.find(gone), std::string::npos) << answer.head;
  }
  ASSERT_TRUE(proxy.Apply({}, {"endpoints/a"}).empty());
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\nGET / HTTP/1.1\r\nHost: other\r\n\r\n");
  const Peer::Message unavailable = client.ReadResponse();
  EXPECT_EQ(unavailable.status, 503);
  EXPECT_EQ(unavailable.Field("X-Frame-Options"), "DENY");
  EXPECT_EQ(unavailable.Field("X-Status"), "503");
  const Peer::Message unknown = client.ReadResponse();
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.Field("X-All"), "yes");
  EXPECT_EQ(unknown.Field("X-Frame-Options"), "");
}

TEST_F(HeadersTest, ATunnelsAnswerHasThemToo) {
  Serve("response_headers { " + Edit("X-Mine", "1") + "}");
  Ask("Connection: upgrade\r\nUpgrade: thing\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: thing\r\n\r\n");
  EXPECT_EQ(answer.status, 101);
  EXPECT_EQ(answer.Field("X-Mine"), "1");
}

TEST_F(HeadersTest, TheServerFieldIsOursOrTheEndpoints) {
  Serve("", R"(server: "headgate" pass_server: true)");
  Ask("", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\nServer: inner\r\n\r\n");
  EXPECT_EQ(answer.Field("Server"), "inner");
  Ask("");
  EXPECT_EQ(answer.Field("Server"), "headgate");
}

TEST_F(HeadersTest, RequestIdsAreNotMadeWhereNotWanted) {
  Serve("", "no_request_ids: true");
  EXPECT_EQ(Ask("").head.find("X-Request-ID"), std::string::npos);
  EXPECT_EQ(Ask("X-Request-ID: mine\r\n").Field("X-Request-ID"), "mine");
}

TEST_F(HeadersTest, CookiesAndRedirectsOfTheEndpointAreRewritten) {
  Serve(R"(response_rewrites { cookie_domain_from: "inner.local" cookie_domain_to: "a.example"
           cookie_path_from: "/app" cookie_path_to: "/" redirect_from: "http://inner.local/"
           redirect_to: "https://a.example/x/" })");
  Ask("",
      "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: "
      "http://inner.local/login\r\n"
      "Set-Cookie: s=1; Path=/app/v1; domain=.Inner.Local; Secure\r\nSet-Cookie: t=/app; "
      "Path=/other\r\n"
      "Refresh: 5; url=http://inner.local/r\r\n\r\n");
  EXPECT_EQ(answer.Field("Location"), "https://a.example/x/login");
  EXPECT_EQ(answer.Field("Refresh"), "5; url=https://a.example/x/r");
  EXPECT_NE(answer.head.find("Set-Cookie: s=1; Path=//v1; domain=.a.example; Secure\r\n"),
            std::string::npos)
      << answer.head;
  EXPECT_NE(answer.head.find("Set-Cookie: t=/app; Path=/other\r\n"), std::string::npos);
}

TEST_F(HeadersTest, TheEndpointsOwnAddressIsReplacedByDefault) {
  Serve(R"(response_rewrites { redirect_from: "default" redirect_to: "/app" })");
  const std::string own = "127.0.0.1:" + std::to_string(upstream.port());
  const auto moved = [&](const std::string& location) {
    Ask("", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\nLocation: " +
                location + "\r\n\r\n");
    return answer.Field("Location");
  };
  EXPECT_EQ(moved("http://" + own + "/login"), "/app/login");
  EXPECT_EQ(moved("https://" + own), "/app");
  EXPECT_EQ(moved("http://" + own + "0/login"), "http://" + own + "0/login");
  EXPECT_EQ(moved("/login"), "/login");
}

TEST_F(HeadersTest, FieldsThatAreOfTheProtocolAreRefused) {
  for (const char* name :
       {"Content-Length", "transfer-encoding", "Connection", "Upgrade", "Host", "TE"}) {
    EXPECT_EQ(
        proxy
            .Apply(
                {R"(name: "vhost/b.example" virtual_host { host: "b.example" routes { match { prefix_path: "/" }
                          policy { request_headers { edits { name: ")" +
                 std::string(name) + R"(" } } }
                          fixed_response { status: 200 } } })"})
            .size(),
        1U)
        << name;
  }
}

TEST_F(HeadersTest, EditsMayDependOnTheRequestAndTheStatus) {
  Serve(R"(request_headers { edits { name: "X-Mobile" value { parts { literal: "1" } }
             when { subject { parts { variable: HEADER name: "user-agent" } } ignore_case_regex: "mobile" } } }
           response_headers {
             edits { name: "X-Failed" value { parts { literal: "1" } } statuses: 500 statuses: 503 }
             edits { name: "Via" value { parts { literal: "a" } } append: true
               when { subject { parts { variable: ARG name: "q" } } exact: "2" negated: true } } })");
  EXPECT_EQ(Ask("User-Agent: a MOBILE\r\n").Field("X-Mobile"), "1");
  EXPECT_EQ(answer.Field("X-Failed"), "");
  EXPECT_EQ(Ask("", "HTTP/1.1 503 No\r\nVia: b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .Field("X-Mobile"),
            "");
  EXPECT_EQ(answer.Field("X-Failed"), "1");
  EXPECT_NE(answer.head.find("Via: b\r\n"), std::string::npos) << answer.head;
  EXPECT_NE(answer.head.find("Via: a\r\n"), std::string::npos) << answer.head;
}

TEST_F(HeadersTest, TheFirstReplyThatFitsIsTheAnswer) {
  Serve(
      R"(replies { when { subject { parts { variable: REQUEST_METHOD } } exact: "POST" } status: 405 }
           replies { when { subject { parts { variable: ARG name: "text" } } regex: "." }
                     status: 200 text { parts { literal: "you said " } parts { variable: ARG name: "text" } }
                     content_type: "text/plain" }
           replies { when { subject { parts { variable: ARG name: "to" } } regex: "." } status: 307
                     location { parts { literal: "/" } parts { variable: ARG name: "to" } } }
           replies { when { subject { parts { variable: ARG name: "lost" } } regex: "^(?=a)(a|aa|a?)+$" } status: 403 }
           response_headers { )" +
      Edit("X-All", "yes") + "}");
  const auto get = [&](const std::string& target, const char* method = "GET") {
    Peer client = proxy.Connect();
    client.Send(std::string(method) + " " + target +
                " HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");
    return client.ReadResponse();
  };
  EXPECT_EQ(get("/?text=hi", "POST").status, 405);
  const Peer::Message text = get("/?text=hi");
  EXPECT_EQ(text.status, 200);
  EXPECT_EQ(text.body, "you said hi");
  EXPECT_EQ(text.Field("Content-Type"), "text/plain");
  EXPECT_EQ(text.Field("X-All"), "yes");
  const Peer::Message redirect = get("/?to=b");
  EXPECT_EQ(redirect.status, 307);
  EXPECT_EQ(redirect.Field("Location"), "http://a.example/b");
  EXPECT_EQ(get("/?lost=" + std::string(3000, 'a') + "b").status, 403)
      << "a search that is given up keeps people out";
  EXPECT_EQ(Ask("").Field("Host"), "a.example") << "nothing fits";
}

TEST_F(HeadersTest, AHostsOtherNameIsSentToIt) {
  ASSERT_TRUE(
      proxy
          .Apply(
              {R"(name: "vhost/www.a.example" virtual_host { host: "www.a.example" canonical_host: "a.example"
                              routes { match { prefix_path: "/" } redirect { status: 308 host: "a.example" with_port: true
                              drop_final_slash: true } } })"})
          .empty());
  Peer client = proxy.Connect();
  client.Send("GET /foo/ HTTP/1.1\r\nHost: www.a.example\r\n\r\n");
  const Peer::Message moved = client.ReadResponse();
  EXPECT_EQ(moved.status, 308);
  EXPECT_EQ(moved.Field("Location"),
            "http://a.example:" + std::to_string(proxy.http_port()) + "/foo");
}

}  // namespace
}  // namespace headgate::test
