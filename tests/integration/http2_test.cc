// HTTP/2 clients before HTTP/1.1 endpoints: what both see, through real sockets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <cstdio>
#include <fstream>
#include <future>
#include <string>

#include "absl/strings/escaping.h"
#include "tests/support/dataplane/http2_client.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using http::BodyLength;
using http2::ErrorCode;
using observe::CounterId;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// The answer to the key of a WebSocket handshake.
std::string Accept(const std::string& request) {
  constexpr std::string_view kName = "\r\nsec-websocket-key: ";
  const size_t at = request.find(kName);
  EXPECT_NE(at, std::string::npos) << request;
  const std::string text =
      request.substr(at + kName.size(), 24) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return absl::Base64Escape(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
}

class Http2Test : public ::testing::Test {
 protected:
  Http2Test() { Configure(""); }

  void Configure(std::string_view settings) {
    proxy.Apply({"name: \"settings\" settings { http2 { on_plain_connections: true } " +
                 std::string(settings) + " }"});
    proxy.Route("a.example", {upstream.address()}, "policy { max_request_body_bytes: 0 }");
  }

  TestProxy proxy;
  PeerListener upstream;
};

TEST_F(Http2Test, ForwardsARequestAndItsResponse) {
  Http2Client client(proxy.http_port());
  Http2Client::Call& call =
      client.Send("GET", "/path?q=1", {{"x-mine", "7"}, {"cookie", "a=1"}, {"cookie", "b=2"}});
  Peer server = upstream.Accept();
  const Peer::Message request = server.ReadRequest();
  EXPECT_TRUE(request.head.starts_with("GET /path?q=1 HTTP/1.1\r\n")) << request.head;
  EXPECT_EQ(request.Field("Host"), "a.example");
  EXPECT_EQ(request.Field("X-Mine"), "7");
  EXPECT_EQ(request.Field("Cookie"), "a=1; b=2");
  EXPECT_EQ(request.Field("X-Forwarded-For"), "127.0.0.1");
  EXPECT_EQ(request.Field("Content-Length"), "");
  EXPECT_EQ(request.Field("Transfer-Encoding"), "");
  server.Send(
      "HTTP/1.1 201 Made\r\nX-Theirs: 8\r\nConnection: keep-alive, x-gone\r\nX-Gone: 1\r\n"
      "Content-Length: 5\r\n\r\nhello");
  ASSERT_TRUE(client.WaitEnded(call));
  EXPECT_EQ(call.status, 201);
  EXPECT_EQ(call.Field("x-theirs"), "8");
  EXPECT_EQ(call.Field("x-gone"), "");
  EXPECT_EQ(call.Field("connection"), "");
  EXPECT_EQ(call.Field("content-length"), "5");
  EXPECT_NE(call.Field("date"), "");
  EXPECT_EQ(call.body, "hello");
  EXPECT_EQ(call.closed, ErrorCode::kNoError);
  EXPECT_EQ(proxy.Count(CounterId::kHttp2Connections), 1u);
  EXPECT_EQ(proxy.Count(CounterId::kHttp2Streams), 1u);
  EXPECT_EQ(proxy.Count(CounterId::kDownstreamRequestsActive), 0u);
}

TEST_F(Http2Test, PlainConnectionsSpeakHttp1AsBefore) {
  Peer client = proxy.Connect();
  client.Send("P");
  client.Send("RI /x HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer server = upstream.Accept();
  EXPECT_TRUE(server.ReadRequest().head.starts_with("PRI /x HTTP/1.1\r\n"));
  server.Send(kOk);
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(Http2Test, ManyStreamsAreServedAtOnceInAnyOrder) {
  Http2Client client(proxy.http_port());
  std::vector<Http2Client::Call*> calls;
  std::vector<Peer> servers;
  for (int i = 0; i < 50; ++i) calls.push_back(&client.Send("GET", "/" + std::to_string(i)));
  for (int i = 0; i < 50; ++i) servers.push_back(upstream.Accept());
  for (int i = 49; i >= 0; --i) {
    const std::string head = servers[static_cast<size_t>(i)].ReadRequest().head;
    const std::string path = head.substr(4, head.find(' ', 4) - 4);
    servers[static_cast<size_t>(i)].Send(
        "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(path.size()) + "\r\n\r\n" + path);
  }
  for (size_t i = 0; i < calls.size(); ++i) {
    ASSERT_TRUE(client.WaitEnded(*calls[i]));
    EXPECT_EQ(calls[i]->body, "/" + std::to_string(i));
  }
}

TEST_F(Http2Test, BodiesAndTrailersGoBothWays) {
  Http2Client client(proxy.http_port());
  Http2Client::Call& call =
      client.Send("POST", "/", {{"te", "trailers"}}, false, BodyLength::Chunked());
  client.SendBody(call, "abc", false);
  Peer server = upstream.Accept();
  EXPECT_THAT(server.ReadHead(), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_EQ(server.Read(8), "3\r\nabc\r\n");
  client.SendTrailers(call, {{"x-sum", "5"}});
  EXPECT_EQ(server.Read(15), "0\r\nx-sum: 5\r\n\r\n");
  server.Send(
      "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "4\r\nwxyz\r\n0\r\nX-Sig: s\r\n\r\n");
  ASSERT_TRUE(client.WaitEnded(call));
  EXPECT_EQ(call.informational, std::vector<int>{103});
  EXPECT_EQ(call.body, "wxyz");
  EXPECT_EQ(call.trailers, "x-sig=s;");
}

TEST_F(Http2Test, HeadAndBodilessStatusesHaveNoBody) {
  Http2Client client(proxy.http_port());
  Http2Client::Call& head = client.Send("HEAD", "/");
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
  ASSERT_TRUE(client.WaitEnded(head));
  EXPECT_EQ(head.Field("content-length"), "99");
  EXPECT_EQ(head.body, "");
  for (int status : {204, 304}) {
    Http2Client::Call& call = client.Send("GET", "/");
    server.ReadRequest();
    server.Send("HTTP/1.1 " + std::to_string(status) + " X\r\n\r\n");
    ASSERT_TRUE(client.WaitEnded(call));
    EXPECT_EQ(call.status, status);
  }
}

TEST_F(Http2Test, ExpectContinueIsAnsweredByUs) {
  Http2Client client(proxy.http_port());
  Http2Client::Call& call = client.Send("PUT", "/", {}, false, BodyLength::Fixed(3));
  Http2Client::Call& expects = client.Send("PUT", "/", {}, false, BodyLength::Fixed(3));
  client.SendBody(call, "abc", true);
  client.SendBody(expects, "abc", true);
  for (int i = 0; i < 2; ++i) {
    Peer server = upstream.Accept();
    EXPECT_EQ(server.ReadRequest().body, "abc");
    server.Send(kOk);
  }
  ASSERT_TRUE(client.WaitEnded(call));
  ASSERT_TRUE(client.WaitEnded(expects));
}

TEST_F(Http2Test, AnEarlyAnswerEndsTheRequestWithoutAnError) {
  Http2Client client(proxy.http_port());
  Http2Client::Call& call = client.Send("POST", "/", {}, false, BodyLength::Chunked());
  client.SendBody(call, "some", false);
  Peer server = upstream.Accept();
  server.ReadHead();
  server.Send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno");
  ASSERT_TRUE(client.WaitClosed(call));
  EXPECT_TRUE(call.ended);
  EXPECT_EQ(call.status, 403);
  EXPECT_EQ(call.closed, ErrorCode::kNoError);
  Http2Client::Call& next = client.Send("GET", "/next");
  Peer other = upstream.Accept();
  other.ReadRequest();
  other.Send(kOk);
  EXPECT_TRUE(client.WaitEnded(next));
}

TEST_F(Http2Test, ATruncatedResponseNeverLooksComplete) {
  Http2Client client(proxy.http_port());
  for (const char* head : {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"}) {
    Http2Client::Call& call = client.Send("GET", "/");
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send(head);
    ASSERT_TRUE(client.Wait([&] { return call.body.size() == 5; }));
    server.Close();
    ASSERT_TRUE(client.WaitClosed(call));
    EXPECT_FALSE(call.ended);
    EXPECT_EQ(call.closed, ErrorCode::kInternalError);
  }
  EXPECT_FALSE(client.gone);
}

TEST_F(Http2Test, ASlowClientHoldsTheEndpointBackAndNotOtherStreams) {
  const std::string body(4 << 20, 'x');
  Http2Client client(proxy.http_port());
  Http2Client::Call& slow = client.Send("GET", "/slow");
  Peer server = upstream.Accept();
  server.ReadRequest();
  auto sent = std::async(std::launch::async, [&] {
    return server.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n\r\n" + body);
  });
  ASSERT_TRUE(client.Wait([&] { return slow.body.size() >= 60'000; }, false));
  Http2Client::Call& quick = client.Send("GET", "/quick");
  Peer other = upstream.Accept();
  other.ReadRequest();
  other.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(client.Wait([&] { return quick.ended; }, false));
  EXPECT_LE(slow.body.size(), 65'536u);
  ASSERT_TRUE(client.WaitEnded(slow));
  EXPECT_EQ(slow.body, body);
  EXPECT_TRUE(sent.get());
}

TEST_F(Http2Test, ASlowEndpointHoldsTheClientBack) {
  const std::string body(8 << 20, 'y');
  Http2Client client(proxy.http_port());
  Http2Client::Call& call = client.Send("POST", "/", {}, false, BodyLength::Fixed(body.size()));
  Peer server = upstream.Accept();
  server.ReadHead();
  client.SendBody(call, body, true);
  // The endpoint takes nothing: what has left the client is bounded by windows, our buffers and the
  // kernel's.
  EXPECT_FALSE(client.Wait([&] { return call.unsent() == 0; }, true, 500));
  auto received = std::async(std::launch::async, [&] { return server.Read(body.size()); });
  ASSERT_TRUE(client.Wait([&] { return call.unsent() == 0; }));
  EXPECT_EQ(received.get(), body);
  server.Send(kOk);
  EXPECT_TRUE(client.WaitEnded(call));
}

// What HTTP/1.1 would read in another way does not get through.
TEST_F(Http2Test, NothingIsSmuggledIntoHttp1) {
  const std::string nul("a\0b", 3);
  const Http2Client::Fields cases[] = {
      {{"x-a", "1\r\nX-Injected: 1"}},
      {{"x-a", "1\n\nGET /evil HTTP/1.1"}},
      {{"x-a", nul}},
      {{"x-a\r\nx-b", "1"}},
      {{"x a", "1"}},
      {{"x-a:", "1"}},
      {{"x-a", " leading"}},
      {{"x-a", "trailing "}},
      {{"", "empty name"}},
      {{":path", "/evil"}},
      {{":unknown", "1"}},
  };
  for (const auto& fields : cases) {
    Http2Client client(proxy.http_port());
    Http2Client::Call& call = client.Send("GET", "/", fields);
    ASSERT_TRUE(client.Wait([&] { return call.closed.has_value() || client.goaway.has_value(); }))
        << fields[0].first;
    EXPECT_FALSE(call.ended);
    EXPECT_EQ(call.status, 0);
  }
  for (const char* target :
       {"/ HTTP/1.1\r\nX: 1", "/a b", "relative", "http://b.example/", "/a#b", "*"}) {
    Http2Client client(proxy.http_port());
    Http2Client::Call& call = client.Send("GET", target);
    ASSERT_TRUE(client.WaitClosed(call)) << target;
    EXPECT_EQ(call.closed, ErrorCode::kProtocolError) << target;
  }
  for (const char* method : {"GET /evil HTTP/1.1\r\n", "G T", "GET:"}) {
    Http2Client client(proxy.http_port());
    Http2Client::Call& call = client.Send(method, "/");
    ASSERT_TRUE(client.WaitClosed(call)) << method;
    EXPECT_EQ(call.closed, ErrorCode::kProtocolError) << method;
  }
  EXPECT_FALSE(upstream.HasConnection());
}

TEST_F(Http2Test, ALengthThatIsNotTrueEndsTheStreamAndTheAttempt) {
  Http2Client client(proxy.http_port());
  Http2Client::Call& call = client.Send("POST", "/", {}, false, BodyLength::Fixed(10));
  client.SendBody(call, "12345", true);
  ASSERT_TRUE(client.WaitClosed(call));
  EXPECT_EQ(call.closed, ErrorCode::kProtocolError);
  Peer server = upstream.Accept();
  server.ReadHead();
  EXPECT_LE(server.ReadToEnd().size(), 5u);
}

TEST_F(Http2Test, HeadsThatAreTooLargeAreAnswered) {
  Http2Client client(proxy.http_port());
  Http2Client::Fields many;
  for (int i = 0; i < 101; ++i) many.emplace_back("x-" + std::to_string(i), "1");
  for (const Http2Client::Fields& fields :
       {Http2Client::Fields{{"x-a", std::string(16'000, 'a')}, {"x-b", std::string(20'000, 'b')}},
        many}) {
    Http2Client::Call& call = client.Send("GET", "/", fields);
    ASSERT_TRUE(client.WaitEnded(call));
    EXPECT_EQ(call.status, 431);
  }
  Http2Client::Call& connect = client.Send("CONNECT", "/");
  ASSERT_TRUE(client.WaitClosed(connect));
  EXPECT_NE(connect.status, 200);
  EXPECT_GE(proxy.Count(CounterId::kDownstreamBadRequests), 2u);
}

TEST_F(Http2Test, AChangeOfConfigurationLeavesStreamsAlone) {
  Http2Client client(proxy.http_port());
  Http2Client::Call& before = client.Send("GET", "/before");
  Peer server = upstream.Accept();
  server.ReadRequest();
  for (int i = 0; i < 20; ++i) {
    proxy.Apply({R"(name: "vhost/b.example" virtual_host { host: "b.example" routes {
        match { prefix_path: "/" } fixed_response { status: )" +
                 std::to_string(200 + i) + " } } }"});
  }
  server.Send(kOk);
  ASSERT_TRUE(client.WaitEnded(before));
  EXPECT_EQ(before.body, "ok");
  Http2Client::Call& after = client.Send("GET", "/after");
  server.ReadRequest();
  server.Send(kOk);
  ASSERT_TRUE(client.WaitEnded(after));
  EXPECT_EQ(proxy.Count(CounterId::kHttp2Connections), 1u);
}

TEST_F(Http2Test, WhichNamesPassIsAskedAnewForEachRequestOfAConnection) {
  Http2Client client(proxy.http_port());
  const auto passes = [&](const char* name) {
    Http2Client::Call& call = client.Send("GET", "/", {{name, "there"}});
    Peer server = upstream.Accept();
    const Peer::Message request = server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(client.WaitEnded(call));
    return request.head.find("there") != std::string::npos;
  };
  EXPECT_FALSE(passes("x_api_key"));
  Configure("limits { pass_underscores: true }");
  EXPECT_TRUE(passes("x_api_key"));
  EXPECT_FALSE(passes("x_real_ip"));
  Configure("");
  EXPECT_FALSE(passes("x_api_key"));
  EXPECT_EQ(proxy.Count(CounterId::kHttp2Connections), 1u);
}

TEST_F(Http2Test, DrainAnnouncesTheEndFinishesStreamsAndCloses) {
  Http2Client busy(proxy.http_port());
  Http2Client idle(proxy.http_port());
  ASSERT_TRUE(idle.Wait([&] { return idle.settings > 0; }));
  Http2Client::Call& call = busy.Send("GET", "/");
  Peer server = upstream.Accept();
  server.ReadRequest();
  auto drained =
      std::async(std::launch::async, [&] { return proxy.pool().Drain(std::chrono::seconds(10)); });
  ASSERT_TRUE(busy.Wait([&] { return busy.goaway.has_value(); }));
  EXPECT_TRUE(idle.WaitGone());
  EXPECT_EQ(idle.goaway, ErrorCode::kNoError);
  server.Send(kOk);
  ASSERT_TRUE(busy.WaitEnded(call));
  EXPECT_EQ(call.body, "ok");
  EXPECT_TRUE(busy.WaitGone());
  EXPECT_EQ(busy.goaway, ErrorCode::kNoError);
  EXPECT_TRUE(drained.get());
}

TEST_F(Http2Test, AnIdleConnectionIsToldAndClosed) {
  Configure("timeouts { client_idle { nanos: 200000000 } }");
  Http2Client client(proxy.http_port());
  Http2Client::Call& call = client.Send("GET", "/");
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send(kOk);
  ASSERT_TRUE(client.WaitEnded(call));
  ASSERT_TRUE(client.WaitGone());
  EXPECT_EQ(client.goaway, ErrorCode::kNoError);
}

TEST_F(Http2Test, AConnectionEndsAfterItsLastRequest) {
  Configure("limits { max_requests_per_connection: 2 }");
  Http2Client client(proxy.http_port());
  Http2Client::Call& first = client.Send("GET", "/");
  Http2Client::Call& second = client.Send("GET", "/");
  for (int i = 0; i < 2; ++i) {
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send(kOk);
  }
  ASSERT_TRUE(client.WaitEnded(first));
  ASSERT_TRUE(client.WaitEnded(second));
  EXPECT_TRUE(client.WaitGone());
  EXPECT_EQ(client.goaway, ErrorCode::kNoError);
}

TEST_F(Http2Test, ABodyThatDoesNotComeIsAnswered408) {
  Configure("timeouts { client_body { nanos: 200000000 } }");
  Http2Client client(proxy.http_port());
  Http2Client::Call& call = client.Send("POST", "/", {}, false, BodyLength::Fixed(10));
  Peer server = upstream.Accept();
  server.ReadHead();
  ASSERT_TRUE(client.WaitClosed(call));
  EXPECT_EQ(call.status, 408);
  EXPECT_EQ(proxy.Count(CounterId::kDownstreamTimeouts), 1u);
}

TEST_F(Http2Test, AnExtendedConnectBecomesAnUpgrade) {
  Http2Client client(proxy.http_port());
  ASSERT_TRUE(client.Wait([&] { return client.settings > 0; }));
  Http2Client::Call& call =
      client.Send("GET", "/chat", {{"sec-websocket-version", "13"}}, false, {}, "websocket");
  client.SendBody(call, "early", false);
  Peer server = upstream.Accept();
  const std::string request = server.ReadHead();
  EXPECT_TRUE(request.starts_with("GET /chat HTTP/1.1\r\n")) << request;
  EXPECT_THAT(request, HasSubstr("pgrade: websocket\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("chunked")));
  server.Send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
      "websocket\r\nSec-WebSocket-Accept: " +
      Accept(request) + "\r\n\r\nhello");
  EXPECT_EQ(server.Read(5), "early");
  ASSERT_TRUE(client.Wait([&] { return call.body == "hello"; }));
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(call.Field("sec-websocket-accept"), "") << "the client has sent no key";
  client.SendBody(call, "more", false);
  EXPECT_EQ(server.Read(4), "more");
  // Each direction ends by itself.
  client.SendBody(call, {}, true);
  EXPECT_EQ(server.ReadToEnd(), "");
  server.Send("last");
  server.ShutdownWrite();
  ASSERT_TRUE(client.WaitClosed(call));
  EXPECT_EQ(call.body, "hellolast");
  EXPECT_EQ(call.closed, ErrorCode::kNoError);
}

TEST_F(Http2Test, AnAnswerToAnotherKeyIsABadGateway) {
  Http2Client client(proxy.http_port());
  ASSERT_TRUE(client.Wait([&] { return client.settings > 0; }));
  for (const char* accept : {"", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"}) {
    Http2Client::Call& call = client.Send("GET", "/chat", {}, false, {}, "websocket");
    Peer server = upstream.Accept();
    server.ReadHead();
    server.Send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        std::string(accept) + "\r\nhello");
    ASSERT_TRUE(client.WaitClosed(call));
    EXPECT_EQ(call.status, 502);
  }
}

TEST_F(Http2Test, ADeclinedUpgradeIsAnOrdinaryResponse) {
  Http2Client client(proxy.http_port());
  ASSERT_TRUE(client.Wait([&] { return client.settings > 0; }));
  Http2Client::Call& call = client.Send("GET", "/chat", {}, false, {}, "websocket");
  client.SendBody(call, "GET /smuggled HTTP/1.1\r\n\r\n", false);
  Peer server = upstream.Accept();
  server.ReadHead();
  server.Send(kOk);
  ASSERT_TRUE(client.WaitClosed(call));
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(call.body, "ok");
  EXPECT_TRUE(server.Silent());
}

TEST_F(Http2Test, AClientThatTakesNothingIsGivenUp) {
  Configure("timeouts { client_send { nanos: 300000000 } }");
  Http2Client client(proxy.http_port());
  Http2Client::Call& call = client.Send("GET", "/");
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'));
  ASSERT_TRUE(client.Wait([&] { return call.closed.has_value(); }, false));
  EXPECT_EQ(call.closed, ErrorCode::kCancel);
  EXPECT_FALSE(call.ended);
  EXPECT_EQ(proxy.Count(CounterId::kHttp2StalledStreams), 1u);
}

TEST_F(Http2Test, StreamsBegunAndGivenUpAreCountedAndEndTheConnection) {
  Http2Client client(proxy.http_port());
  ASSERT_TRUE(client.Wait([&] { return client.settings > 0; }));
  for (int i = 0; i < 600 && !client.gone; ++i)
    client.Reset(client.Send("POST", "/nowhere", {}, false));
  ASSERT_TRUE(client.Wait([&] { return client.goaway.has_value() || client.gone; }));
  EXPECT_EQ(proxy.Count(CounterId::kHttp2AbuseResets), 1u);
  EXPECT_EQ(proxy.Count(CounterId::kDownstreamRequestsActive), 0u);
}

TEST_F(Http2Test, NoMoreStreamsAtOnceThanAllowed) {
  proxy.Apply({R"(name: "settings" settings {
      http2 { on_plain_connections: true max_concurrent_streams: 2 } })"});
  Http2Client client(proxy.http_port());
  ASSERT_TRUE(client.Wait([&] { return client.settings > 0; }));
  std::vector<Http2Client::Call*> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(&client.Send("GET", "/" + std::to_string(i)));
  Peer first = upstream.Accept();
  first.ReadRequest();
  Peer second = upstream.Accept();
  second.ReadRequest();
  EXPECT_FALSE(upstream.HasConnection());
  first.Send(kOk);
  ASSERT_TRUE(client.WaitEnded(*calls[0]));
  first.ReadRequest();
  first.Send(kOk);
  ASSERT_TRUE(client.WaitEnded(*calls[2]));
}

TEST(Http2LogTest, RequestsAreLoggedWithTheirVersionMalformedOnesToo) {
  const std::string path = ::testing::TempDir() + "/http2-access.log";
  std::remove(path.c_str());
  auto log = observe::AccessLogFile::Open(path);
  ASSERT_TRUE(log.ok());
  {
    TestProxy proxy(1, 1 << 20, {}, net::PipePool::kMaxPipes, log->get());
    PeerListener upstream;
    proxy.Apply({"name: \"settings\" settings { http2 { on_plain_connections: true } }"});
    proxy.Route("a.example", {upstream.address()});
    Http2Client client(proxy.http_port());
    Http2Client::Call& call = client.Send("GET", "/good");
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send(kOk);
    ASSERT_TRUE(client.WaitClosed(call));
    Http2Client::Call& malformed = client.Send("GET", "/a#b");
    ASSERT_TRUE(client.WaitClosed(malformed));
    EXPECT_EQ(malformed.closed, ErrorCode::kProtocolError);
    EXPECT_EQ(proxy.Count(CounterId::kDownstreamBadRequests), 1u);
  }
  (*log)->Flush();
  std::ifstream file(path);
  const std::string lines{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(lines, HasSubstr("\"GET /good HTTP/2.0\" 200 2 "));
  EXPECT_THAT(lines, HasSubstr("\"GET /a#b HTTP/2.0\" 400 0 "));
}

}  // namespace
}  // namespace headgate::test
