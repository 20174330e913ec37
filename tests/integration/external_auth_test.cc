// Another server decides whether a request may pass.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

constexpr char kAuth[] =
    "external { cluster: \"cluster/auth/auth/80\" host: \"auth.example\" target { parts { literal: "
    "\"/check?for=\" } parts "
    "{ variable: REQUEST_URI } } response_fields: \"X-User\" response_fields: \"X-Groups\" ";
constexpr char kSignin[] = "signin { parts { literal: \"https://login.example/start\" } } ";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

class ExternalAuthTest : public ::testing::Test {
 protected:
  ExternalAuthTest() {
    Ask("");
    proxy_.Apply(
        {"name: \"cluster/auth/auth/80\" cluster { endpoints: \"endpoints/auth/auth/80\" }",
         EndpointsText("endpoints/auth/auth/80", {auth_.address()})});
  }

  void Ask(const std::string& more, const std::string& access = "") {
    proxy_.Route("a.example", {upstream_.address()},
                 "policy { access { " + std::string(kAuth) + more + " } " + access + " } }");
  }
  Peer Send(const std::string& fields = "", const std::string& start = "GET /a%20b?c=d") {
    Peer client = proxy_.Connect();
    client.Send(start + " HTTP/1.1\r\nHost: a.example:81\r\n" + fields + "\r\n");
    return client;
  }
  // What the server was asked, which it answers so.
  Peer::Message Answer(const std::string& answer) {
    Peer server = auth_.Accept();
    Peer::Message question = server.ReadRequest();
    server.Send(answer);
    return question;
  }
  // What the upstream got, which it answers with 200.
  Peer::Message Serve(const std::string& answer = kOk) {
    Peer server = upstream_.Accept();
    Peer::Message request = server.ReadRequest();
    server.Send(answer);
    return request;
  }
  static std::string With(const std::string& status, const std::string& fields) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: 4\r\n" + fields + "\r\nbody";
  }

  TestProxy proxy_;
  PeerListener upstream_;
  PeerListener auth_;
};

TEST_F(ExternalAuthTest, IsAskedWithTheClientsFieldsAndWithoutItsBody) {
  Peer client = Send(
      "Cookie: s=1\r\nAuthorization: Bearer x\r\nContent-Length: 4\r\nX-Forwarded-Proto: https\r\n"
      "X-Original-URL: lie\r\nConnection: keep-alive\r\n",
      "POST /a%20b?c=d");
  client.Send("body");
  const Peer::Message question = Answer(kOk);
  EXPECT_TRUE(question.head.starts_with("GET /check?for=/a%20b?c=d HTTP/1.1\r\n"));
  EXPECT_EQ(question.Field("Host"), "auth.example");
  EXPECT_EQ(question.Field("Cookie"), "s=1");
  EXPECT_EQ(question.Field("Authorization"), "Bearer x");
  EXPECT_EQ(question.Field("Content-Length"), "");
  EXPECT_EQ(question.Field("X-Forwarded-Proto"), "");
  EXPECT_EQ(question.Field("X-Original-URL"), "http://a.example:81/a%20b?c=d");
  EXPECT_EQ(question.Field("X-Original-Method"), "POST");
  EXPECT_EQ(question.Field("X-Sent-From"), "nginx-ingress-controller");
  EXPECT_EQ(question.Field("X-Real-IP"), "127.0.0.1");
  EXPECT_EQ(question.Field("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(question.Field("X-Auth-Request-Redirect"), "/a%20b?c=d");
  EXPECT_EQ(question.Field("X-Original-URI"), "");
  EXPECT_EQ(question.body, "");
  const Peer::Message request = Serve();
  EXPECT_EQ(request.body, "body");
  EXPECT_EQ(request.Field("Cookie"), "s=1");
  EXPECT_EQ(request.Field("X-Request-ID"), question.Field("X-Request-ID"));
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(ExternalAuthTest, TheQuestionMayHaveAnIdOfItsOwn) {
  Ask("own_request_id: true request_edits { name: \"X-Trace\" value { parts { variable: REQUEST_ID "
      "} } }");
  Peer client = Send();
  const Peer::Message question = Answer(kOk);
  const Peer::Message request = Serve();
  EXPECT_EQ(question.Field("X-Request-ID").size(), 32u);
  EXPECT_EQ(question.Field("X-Trace"), question.Field("X-Request-ID"));
  EXPECT_EQ(request.Field("X-Request-ID").size(), 32u);
  EXPECT_NE(request.Field("X-Request-ID"), question.Field("X-Request-ID"));
  EXPECT_EQ(client.ReadResponse().status, 200);

  Peer other = Send("X-Request-ID: mine\r\n");
  EXPECT_EQ(Answer(kOk).Field("X-Request-ID"), "mine");
  EXPECT_EQ(Serve().Field("X-Request-ID"), "mine");
  EXPECT_EQ(other.ReadResponse().status, 200);
}

TEST_F(ExternalAuthTest, AMethodOfItsOwnTellsMore) {
  Ask("method: \"POST\" request_redirect { parts { literal: \"/back\" } }");
  Peer client = Send();
  const Peer::Message question = Answer("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_TRUE(question.head.starts_with("POST /check"));
  EXPECT_EQ(question.Field("X-Original-URI"), "/a%20b?c=d");
  EXPECT_EQ(question.Field("X-Scheme"), "http");
  EXPECT_EQ(question.Field("X-Auth-Request-Redirect"), "/back");
  Serve();
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(ExternalAuthTest, FieldsOfTheAnswerTakeThePlaceOfTheClients) {
  Peer client = Send("X-User: root\r\nX-Groups: admins\r\nX-Other: mine\r\n");
  Answer(With("200 OK", "X-User: ann\r\nX-Other: yours\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"));
  const Peer::Message request = Serve();
  EXPECT_EQ(request.Field("X-User"), "ann");
  EXPECT_EQ(request.Field("X-Groups"), "") << "what the answer does not say is not said";
  EXPECT_EQ(request.Field("X-Other"), "mine");
  const Peer::Message response = client.ReadResponse();
  EXPECT_NE(response.head.find("Set-Cookie: a=1\r\n"), std::string::npos);
  EXPECT_NE(response.head.find("Set-Cookie: b=2\r\n"), std::string::npos);
}

TEST_F(ExternalAuthTest, NothingThatLooksLikeItsFieldsComesFromTheClient) {
  proxy_.Apply({"name: \"settings\" settings { limits { pass_underscores: true } }"});
  Peer client =
      Send("X_User: root\r\nX_GROUPS: admins\r\nX_Original_URL: lie\r\nX_Other: mine\r\n");
  const Peer::Message question = Answer(With("200 OK", "X-User: ann\r\n"));
  EXPECT_EQ(question.head.find("lie"), std::string::npos) << question.head;
  const Peer::Message request = Serve();
  EXPECT_EQ(request.Field("X-User"), "ann");
  EXPECT_EQ(request.head.find("root"), std::string::npos) << request.head;
  EXPECT_EQ(request.head.find("admins"), std::string::npos) << request.head;
  EXPECT_EQ(request.Field("X_Other"), "mine");
}

TEST_F(ExternalAuthTest, CookiesGoWithGoodAnswersUnlessAlways) {
  for (const bool always : {false, true}) {
    Ask(always ? "always_set_cookie: true" : "");
    Peer client = Send();
    Answer(With("200 OK", "Set-Cookie: a=1\r\n"));
    Serve("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().Field("Set-Cookie"), always ? "a=1" : "");
  }
}

TEST_F(ExternalAuthTest, ItsNoIsOurs) {
  Peer client = Send();
  Answer(
      With("401 Unauthorized", "WWW-Authenticate: Bearer\r\nX-User: ann\r\nSet-Cookie: a=1\r\n"));
  const Peer::Message unauthorized = client.ReadResponse();
  EXPECT_EQ(unauthorized.status, 401);
  EXPECT_EQ(unauthorized.Field("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(unauthorized.Field("Set-Cookie"), "");
  EXPECT_EQ(unauthorized.body.find("body\r\n</"), std::string::npos);
  EXPECT_NE(unauthorized.body.find("401 Authorization Required"), std::string::npos);
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Answer(With("403 Forbidden", "WWW-Authenticate: Bearer\r\n"));
  const Peer::Message forbidden = client.ReadResponse();
  EXPECT_EQ(forbidden.status, 403);
  EXPECT_EQ(forbidden.Field("WWW-Authenticate"), "");
}

TEST_F(ExternalAuthTest, AnythingElseIsAnErrorAndNeverOpen) {
  for (const char* status : {"302 Found", "400 Bad", "404 Not Found", "500 Oops", "503 Busy"}) {
    Peer client = Send();
    Answer(With(status, "Location: /x\r\n"));
    EXPECT_EQ(client.ReadResponse().status, 500) << status;
  }
  {
    Peer client = Send();
    Answer("nonsense\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().status, 500);
  }
  proxy_.Apply({EndpointsText("endpoints/auth/auth/80", {})});
  EXPECT_EQ(Send().ReadResponse().status, 500);
  proxy_.Apply({}, {"cluster/auth/auth/80"});
  EXPECT_EQ(Send().ReadResponse().status, 500);
}

TEST_F(ExternalAuthTest, AnEndpointThatIsNotThereIsTriedOnceMore) {
  uint16_t closed;
  {
    PeerListener gone;
    closed = gone.port();
  }
  const base::Address nobody = *base::Address::ParseHostPort("127.0.0.1:" + std::to_string(closed));
  proxy_.Apply({EndpointsText("endpoints/auth/auth/80", {nobody, auth_.address()})});
  for (int i = 0; i < 2; ++i) {
    Peer client = Send();
    Answer("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    Serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().status, 200);
  }
  proxy_.Apply({EndpointsText("endpoints/auth/auth/80", {nobody})});
  EXPECT_EQ(Send().ReadResponse().status, 500);
}

TEST_F(ExternalAuthTest, WhoIsNotSignedInIsSentToDoSo) {
  Ask(kSignin);
  Peer client = Send();
  Answer(With("401 Unauthorized", "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n"));
  const Peer::Message redirect = client.ReadResponse();
  EXPECT_EQ(redirect.status, 302);
  EXPECT_EQ(redirect.Field("Location"),
            "https://login.example/start?rd=http://a.example:81%2Fa%2520b%3Fc%3Dd");
  EXPECT_NE(redirect.head.find("Set-Cookie: a=1\r\n"), std::string::npos);
  EXPECT_NE(redirect.head.find("Set-Cookie: b=2\r\n"), std::string::npos);
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Answer(With("403 Forbidden", ""));
  EXPECT_EQ(client.ReadResponse().status, 403);
  Ask("signin { parts { literal: \"/in?x=y\" } } signin_parameter: \"next\"");
  Peer other = Send();
  Answer(With("401 Unauthorized", ""));
  EXPECT_EQ(other.ReadResponse().Field("Location"),
            "http://a.example:81/in?x=y&next=http://a.example:81%2Fa%2520b%3Fc%3Dd");
}

TEST_F(ExternalAuthTest, AddressesMayDoWithoutIt) {
  Ask("", "allowed_cidrs: \"127.0.0.0/8\" satisfy_any: true");
  Peer inside = Send("X-User: root\r\n");
  EXPECT_EQ(Serve().Field("X-User"), "") << "nobody has vouched for it";
  EXPECT_EQ(inside.ReadResponse().status, 200);
  Ask(kSignin, "allowed_cidrs: \"10.0.0.0/8\" satisfy_any: true");
  Peer outside = Send();
  Answer(With("401 Unauthorized", ""));
  EXPECT_EQ(outside.ReadResponse().status, 302);
  Ask("", "allowed_cidrs: \"10.0.0.0/8\"");
  EXPECT_EQ(Send().ReadResponse().status, 403) << "without asking";
}

TEST_F(ExternalAuthTest, AnswersAreKeptUnderTheirKeyForTheirStatus) {
  Ask("cache_key { parts { variable: COOKIE name: \"s\" } } cached { statuses: 200 statuses: 401 "
      "duration { seconds: 600 } }");
  for (int i = 0; i < 3; ++i) {
    Peer client = Send("Cookie: s=1\r\nConnection: close\r\n");
    if (i == 0) Answer(With("200 OK", "X-User: ann\r\nConnection: close\r\n"));
    EXPECT_EQ(
        Serve("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").Field("X-User"),
        "ann");
    EXPECT_EQ(client.ReadResponse().status, 200);
  }
  for (int i = 0; i < 2; ++i) {
    Peer client = Send("Cookie: s=2\r\n");
    if (i == 0)
      Answer(With("401 Unauthorized", "WWW-Authenticate: Bearer\r\nConnection: close\r\n"));
    const Peer::Message response = client.ReadResponse();
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(response.Field("WWW-Authenticate"), "Bearer");
  }
  for (const char* cookie :
       {"Cookie: s=3\r\n", ""}) {  // a status that is not kept, and an empty key
    for (int i = 0; i < 2; ++i) {
      Peer client = Send(cookie);
      Answer(With(*cookie == 0 ? "401 Unauthorized" : "403 Forbidden", "Connection: close\r\n"));
      EXPECT_EQ(client.ReadResponse().status, *cookie == 0 ? 401 : 403);
    }
  }
}

TEST_F(ExternalAuthTest, AClientThatLeavesTakesItsQuestionAlong) {
  Peer client = Send();
  Peer server = auth_.Accept();
  server.ReadRequest();
  client.Abort();
  EXPECT_TRUE(server.Ended());
}

TEST_F(ExternalAuthTest, ConnectionsAreUsedAgain) {
  Peer server;
  for (int i = 0; i < 3; ++i) {
    Peer client = Send();
    if (i == 0) server = auth_.Accept();
    server.ReadRequest();
    server.Send(With("403 Forbidden", ""));
    EXPECT_EQ(client.ReadResponse().status, 403);
  }
}

}  // namespace
}  // namespace headgate::test
