// HTTP/2 between the proxy and an endpoint, which is scripted; the client speaks HTTP/1.1.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/certificates.h"
#include "tests/support/dataplane/http2_client.h"
#include "tests/support/dataplane/http2_peer.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::CounterId;

constexpr uint32_t kProtocolError = 1, kInternalError = 2, kRefusedStream = 7, kCancel = 8;
constexpr uint16_t kMaxConcurrentStreams = 3, kInitialWindowSize = 4;

std::string Get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a.example\r\n\r\n";
}
std::string Post(std::string_view path, size_t length) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a.example\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

class UpstreamHttp2Test : public ::testing::Test {
 protected:
  UpstreamHttp2Test() { UseCluster(""); }

  void UseCluster(const std::string& route, const char* protocol = "H2C") {
    proxy.Route("a.example", {listener.address()}, route);
    const auto refused =
        proxy.Apply({std::string("name: \"cluster/test/a.example/80\" cluster { endpoints: "
                                 "\"endpoints/test/a.example/80\" protocol: ") +
                     protocol + " }"});
    for (const auto& refusal : refused) ADD_FAILURE() << refusal.reason;
  }
  Http2Peer Accept(std::string_view settings = {}) {
    return Http2Peer(listener.Accept(), settings);
  }

  TestProxy proxy;
  PeerListener listener;
};

TEST_F(UpstreamHttp2Test, ForwardsARequestAndItsResponse) {
  Peer client = proxy.Connect();
  client.Send(
      "POST /p?q=1 HTTP/1.1\r\nHost: a.example:81\r\nTE: trailers\r\nConnection: TE, "
      "X-Hop\r\nX-Hop: 1\r\n"
      "X-Mine: 7\r\nContent-Length: 4\r\n\r\nbody");
  Http2Peer server = Accept();
  Http2Peer::Request request = server.ReadRequest();
  EXPECT_EQ(request.fields[":method"], "POST");
  EXPECT_EQ(request.fields[":scheme"], "http");
  EXPECT_EQ(request.fields[":path"], "/p?q=1");
  EXPECT_EQ(request.fields[":authority"], "a.example:81");
  EXPECT_EQ(request.fields["x-mine"], "7");
  EXPECT_EQ(request.fields["te"], "trailers");
  EXPECT_EQ(request.fields["content-length"], "4");
  EXPECT_EQ(request.fields["x-real-ip"], "127.0.0.1");
  for (const char* gone : {"host", "connection", "x-hop", "transfer-encoding"}) {
    EXPECT_EQ(request.fields.count(gone), 0u) << gone;
  }
  EXPECT_EQ(request.body, "body");
  server.SendHeaders(request.stream, {{":status", "103"}, {"link", "</a>"}}, false);
  EXPECT_EQ(client.ReadResponse().Field("Link"), "</a>");
  server.SendHeaders(request.stream, {{":status", "201"}, {"x-theirs", "8"}}, false);
  server.SendData(request.stream, "hel", false);
  server.SendData(request.stream, "lo", false);
  server.SendHeaders(request.stream, {{"x-sum", "5"}}, true);
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.Field("X-Theirs"), "8");
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.Field("X-Sum"), "5");
}

TEST_F(UpstreamHttp2Test, ManyClientsShareOneConnection) {
  std::vector<Peer> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(proxy.Connect());
    clients.back().Send(Get("/" + std::to_string(i)));
  }
  Http2Peer server = Accept();
  std::vector<Http2Peer::Request> requests;
  for (int i = 0; i < 20; ++i) requests.push_back(server.ReadRequest());
  for (auto request = requests.rbegin(); request != requests.rend(); ++request) {
    server.Reply(request->stream, request->fields[":path"]);
  }
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(clients[static_cast<size_t>(i)].ReadResponse().body, "/" + std::to_string(i));
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamHttp2Connections), 1u);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamHttp2Streams), 20u);
}

TEST_F(UpstreamHttp2Test, AFullConnectionGetsASecondOne) {
  Peer first = proxy.Connect();
  first.Send(Get("/1"));
  Http2Peer one = Accept(Http2Peer::Setting(kMaxConcurrentStreams, 1));
  const auto held = one.ReadRequest();
  one.SendHeaders(held.stream, {{":status", "200"}}, false);
  EXPECT_FALSE(first.ReadHead().empty());  // so the proxy has seen the settings
  Peer second = proxy.Connect();
  second.Send(Get("/2"));
  Http2Peer two = Accept();
  two.Reply(two.ReadRequest().stream);
  EXPECT_EQ(second.ReadResponse().body, "ok");
  one.SendData(held.stream, "", true);
}

TEST_F(UpstreamHttp2Test, ARefusedStreamIsTriedAgainWhateverTheMethod) {
  Peer client = proxy.Connect();
  client.Send(Post("/", 0));
  Http2Peer server = Accept();
  server.SendReset(server.ReadRequest().stream, kRefusedStream);
  const auto again = server.ReadRequest();
  server.Reply(again.stream);
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamHttp2StreamsRefused), 1u);
}

TEST_F(UpstreamHttp2Test, AResetOfARequestThatMayHaveBeenProcessedIsNotTriedAgain) {
  Peer client = proxy.Connect();
  client.Send(Post("/", 0));
  Http2Peer server = Accept();
  server.SendReset(server.ReadRequest().stream, kInternalError);
  EXPECT_EQ(client.ReadResponse().status, 502);
}

TEST_F(UpstreamHttp2Test, AfterGoawayTheRestGoesToAnotherConnection) {
  Peer first = proxy.Connect();
  first.Send(Post("/1", 0));
  Http2Peer server = Accept();
  const auto kept = server.ReadRequest();
  Peer second = proxy.Connect();
  second.Send(Post("/2", 0));
  server.ReadRequest();
  server.SendGoaway(kept.stream);
  Http2Peer other = Accept();
  const auto moved = other.ReadRequest();
  EXPECT_EQ(moved.fields.at(":path"), "/2");
  other.Reply(moved.stream);
  EXPECT_EQ(second.ReadResponse().status, 200);
  server.Reply(kept.stream);
  EXPECT_EQ(first.ReadResponse().status, 200);
  while (server.Next().type != 0xff) {  // the old connection ends with its last stream
  }
}

TEST_F(UpstreamHttp2Test, ATruncatedResponseNeverLooksComplete) {
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  {
    Http2Peer server = Accept();
    const auto request = server.ReadRequest();
    server.SendHeaders(request.stream, {{":status", "200"}}, false);
    server.SendData(request.stream, "part", false);
    EXPECT_FALSE(client.ReadHead().empty());
  }
  EXPECT_EQ(client.ReadToEnd().find("0\r\n\r\n"), std::string::npos);

  Peer other = proxy.Connect();
  other.Send(Get("/"));
  Http2Peer server = Accept();
  const auto request = server.ReadRequest();
  server.SendHeaders(request.stream, {{":status", "200"}}, false);
  server.SendData(request.stream, "part", false);
  EXPECT_FALSE(other.ReadHead().empty());
  server.SendReset(request.stream, 0);  // NO_ERROR completes nothing
  EXPECT_EQ(other.ReadToEnd().find("0\r\n\r\n"), std::string::npos);
}

TEST_F(UpstreamHttp2Test, MalformedResponsesAreBadGateways) {
  const std::vector<Http2Peer::Fields> heads = {
      {{"x", "no status"}},
      {{":status", "20"}},
      {{":status", "101"}},
      {{":status", "200"}, {":status", "200"}},
      {{":status", "200"}, {"connection", "close"}},
      {{":status", "200"}, {"transfer-encoding", "chunked"}},
      {{":status", "200"}, {"Upper", "1"}},
      {{":status", "200"}, {"x", "a\r\ny: b"}},
      {{":status", "200"}, {"x y", "1"}},
      {{":status", "200"}, {"content-length", "5"}, {"content-length", "6"}},
      {{":status", "200"}, {":path", "/"}},
  };
  for (const auto& head : heads) {
    Peer client = proxy.Connect();
    client.Send(Post("/", 0));
    Http2Peer server = Accept();
    const auto request = server.ReadRequest();
    server.SendHeaders(request.stream, head, true);
    EXPECT_EQ(client.ReadResponse().status, 502) << head.back().first << ": " << head.back().second;
    server.peer().Close();
    ASSERT_TRUE(proxy.WaitForCount(CounterId::kUpstreamProtocolErrors, 1));
    proxy.WaitForClosedUpstreams();
  }
}

TEST_F(UpstreamHttp2Test, ABodyOfAnotherLengthThanAnnouncedIsBroken) {
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Http2Peer server = Accept();
  const auto request = server.ReadRequest();
  server.SendHeaders(request.stream, {{":status", "200"}, {"content-length", "9"}}, false);
  server.SendData(request.stream, "1234", true);
  client.ReadHead();
  bool reset = false;
  EXPECT_LE(client.ReadToEnd(&reset).size(), 4u);
  EXPECT_EQ(server.ReadReset(request.stream), kProtocolError);
}

TEST_F(UpstreamHttp2Test, FramesNobodyAskedForEndTheConnectionNotTheNextRequest) {
  // DATA on an idle stream; a pushed stream; a frame that is too long; not HTTP/2 at all.
  const std::vector<std::string> frames = {
      std::string("\0\0\1\0\0\0\0\0\7x", 10),
      std::string("\0\0\5\5\4\0\0\0\1\0\0\0\2\x88", 14),
      std::string("\x7f\xff\xff\0\0\0\0\0\1", 9),
      "HTTP/1.1 400 Bad Request\r\n\r\n",
  };
  for (const std::string& bytes : frames) {
    Peer client = proxy.Connect();
    client.Send(Get("/"));
    Http2Peer server = Accept();
    const auto request = server.ReadRequest();
    server.Reply(request.stream);
    EXPECT_EQ(client.ReadResponse().body, "ok");
    server.peer().Send(bytes);
    while (server.Next().type != 0xff) {
    }
    server.peer().Close();
    proxy.WaitForClosedUpstreams();
  }
}

TEST_F(UpstreamHttp2Test, AnEarlyResponseGetsThroughAndTheUploadStops) {
  Peer client = proxy.Connect();
  client.Send(Post("/", 1'000'000) + std::string(1000, 'x'));
  Http2Peer server = Accept();
  const auto request = server.ReadHead();
  server.SendHeaders(request.stream, {{":status", "403"}}, true);
  EXPECT_EQ(client.ReadResponse().status, 403);
  Http2Peer::Frame frame;
  while ((frame = server.Next()).type == 0) {
  }
  EXPECT_EQ(frame.type, 3);
}

TEST_F(UpstreamHttp2Test, AClientThatLeavesCancelsItsStreamOnly) {
  Peer stays = proxy.Connect();
  stays.Send(Get("/1"));
  Http2Peer server = Accept();
  const auto first = server.ReadRequest();
  Peer leaves = proxy.Connect();
  leaves.Send(Get("/2"));
  const auto second = server.ReadRequest();
  leaves.Abort();
  EXPECT_EQ(server.ReadReset(second.stream), kCancel);
  server.Reply(first.stream);
  EXPECT_EQ(stays.ReadResponse().status, 200);
}

TEST_F(UpstreamHttp2Test, ASlowClientHoldsUpItsStreamOnly) {
  Peer slow = proxy.Connect();
  slow.Send(Get("/slow"));
  Http2Peer server = Accept();
  const auto request = server.ReadRequest();
  server.SendHeaders(request.stream, {{":status", "200"}}, false);
  // The window is 64 KiB: so much fits without anybody reading.
  for (int i = 0; i < 4; ++i) server.SendData(request.stream, std::string(16'000, 'x'), false);
  Peer quick = proxy.Connect();
  quick.Send(Get("/quick"));
  const auto other = server.ReadRequest();
  server.Reply(other.stream);
  EXPECT_EQ(quick.ReadResponse().body, "ok");
  server.SendData(request.stream, "", true);
  EXPECT_EQ(slow.ReadResponse().body.size(), 64'000u);
}

TEST_F(UpstreamHttp2Test, AnUploadWaitsForTheWindow) {
  Peer client = proxy.Connect();
  client.Send(Post("/", 200'000) + std::string(200'000, 'x'));
  Http2Peer server = Accept(Http2Peer::Setting(kInitialWindowSize, 1000));
  const auto request = server.ReadRequest();
  EXPECT_EQ(request.body.size(), 200'000u);
  server.Reply(request.stream);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(UpstreamHttp2Test, AnEndpointThatSaysNothingIsGivenUp) {
  UseCluster("policy { read_timeout { nanos: 200000000 } }");
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Http2Peer server = Accept();
  const auto request = server.ReadRequest();
  EXPECT_EQ(client.ReadResponse().status, 504);
}

TEST_F(UpstreamHttp2Test, AFloodOfInformationalResponsesIsABadGateway) {
  Peer client = proxy.Connect();
  client.Send(Post("/", 0));
  Http2Peer server = Accept();
  const auto request = server.ReadRequest();
  for (int i = 0; i < 40; ++i) server.SendHeaders(request.stream, {{":status", "102"}}, false);
  int status = 0;
  while ((status = client.ReadResponse().status) == 102) {
  }
  EXPECT_EQ(status, 502);
}

TEST_F(UpstreamHttp2Test, OverTlsTheEndpointMustAgree) {
  const auto certificate = headgate::testing::MakeCertificate({"backend.example"});
  UseCluster("", "H2");
  TlsEnd agrees({.chain = certificate.chain, .key = certificate.key, .alpn = "h2"});
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Peer transport = listener.Accept();
  ASSERT_TRUE(transport.StartTls(agrees));
  {
    Http2Peer server(std::move(transport));
    const auto request = server.ReadRequest();
    EXPECT_EQ(request.fields.at(":scheme"), "https");
    server.Reply(request.stream);
    EXPECT_EQ(client.ReadResponse().status, 200);
  }
  proxy.WaitForClosedUpstreams();
  TlsEnd refuses({.chain = certificate.chain, .key = certificate.key});
  client.Send(Get("/"));
  do {
    listener.Accept().StartTls(refuses);
  } while (FirstReadable({client.fd(), listener.fd()}) == 1);
  EXPECT_EQ(client.ReadResponse().status, 502);
}

constexpr uint16_t kEnableConnectProtocol = 8;

std::string Upgrade(std::string_view fields = "") {
  return "GET /chat?room=1 HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: "
         "websocket\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         std::string(fields) + "\r\n";
}

TEST_F(UpstreamHttp2Test, AnUpgradeBecomesAnExtendedConnect) {
  Peer client = proxy.Connect();
  client.Send(Upgrade() + "early");
  Http2Peer server = Accept(Http2Peer::Setting(kEnableConnectProtocol, 1));
  Http2Peer::Request request = server.ReadHead();
  EXPECT_EQ(request.fields[":method"], "CONNECT");
  EXPECT_EQ(request.fields[":protocol"], "websocket");
  EXPECT_EQ(request.fields[":path"], "/chat?room=1");
  EXPECT_EQ(request.fields["sec-websocket-version"], "13");
  EXPECT_EQ(request.fields.count("sec-websocket-key"), 0u);
  EXPECT_EQ(request.fields.count("upgrade"), 0u);
  server.SendHeaders(request.stream, {{":status", "200"}, {"sec-websocket-protocol", "chat"}},
                     false);
  server.SendData(request.stream, "hello", false);
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 101);
  EXPECT_EQ(response.Field("Upgrade"), "websocket");
  EXPECT_EQ(response.Field("Connection"), "Upgrade");
  EXPECT_EQ(response.Field("Sec-WebSocket-Accept"),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 section 1.3
  EXPECT_EQ(response.Field("Sec-WebSocket-Protocol"), "chat");
  EXPECT_EQ(client.Read(5), "hello");
  EXPECT_EQ(server.Next().payload, "early");
  client.Send("more");
  EXPECT_EQ(server.Next().payload, "more");
  // Each direction ends by itself.
  server.SendData(request.stream, "last", true);
  EXPECT_EQ(client.ReadToEnd(), "last");
  client.Send("and an answer");
  EXPECT_EQ(server.Next().payload, "and an answer");
  client.ShutdownWrite();
  const Http2Peer::Frame end = server.Next();
  EXPECT_EQ(end.type, 0);
  EXPECT_EQ(end.flags, Http2Peer::kEndStream);
  while (proxy.Count(CounterId::kTunnelsActive) > 0) std::this_thread::yield();
  // The connection goes on.
  Peer other = proxy.Connect();
  other.Send(Get("/"));
  server.Reply(server.ReadRequest().stream);
  EXPECT_EQ(other.ReadResponse().body, "ok");
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnections), 1u);
}

TEST_F(UpstreamHttp2Test, ATunnelEndsWhicheverEndGoesFirstAndResetsAreResets) {
  Http2Peer server = [&] {
    Peer first = proxy.Connect();
    first.Send(Get("/"));
    Http2Peer made = Accept(Http2Peer::Setting(kEnableConnectProtocol, 1));
    made.Reply(made.ReadRequest().stream);
    first.ReadResponse();
    return made;
  }();
  const auto open = [&](Peer& client) {
    client = proxy.Connect();
    client.Send(Upgrade());
    const int32_t stream = server.ReadHead().stream;
    server.SendHeaders(stream, {{":status", "200"}}, false);
    EXPECT_EQ(client.ReadResponse().status, 101);
    return stream;
  };
  Peer client;
  int32_t stream = open(client);
  client.ShutdownWrite();
  EXPECT_EQ(server.Next().flags, Http2Peer::kEndStream);
  server.SendData(stream, "all", true);
  EXPECT_EQ(client.ReadToEnd(), "all");

  stream = open(client);
  bool reset = false;
  server.SendReset(stream, kCancel);
  client.ReadToEnd(&reset);
  EXPECT_TRUE(reset);

  stream = open(client);
  client.Abort();
  EXPECT_EQ(server.ReadReset(stream), kCancel);

  stream = open(client);
  server.SendData(stream, "no more", true);
  EXPECT_EQ(client.ReadToEnd(), "no more");
  server.SendReset(stream, kCancel);  // nor will it read
  client.Send("who reads this?");
  client.Close();
  while (proxy.Count(CounterId::kTunnelsActive) > 0) std::this_thread::yield();
  stream = open(client);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamConnections), 1u);
}

TEST_F(UpstreamHttp2Test, AnEndpointThatTakesNoExtendedConnectIsABadGateway) {
  Peer client = proxy.Connect();
  client.Send(Upgrade());
  Http2Peer server = Accept();
  EXPECT_EQ(client.ReadResponse().status, 502);
  Peer other = proxy.Connect();
  other.Send(Get("/"));
  server.Reply(server.ReadRequest().stream);
  EXPECT_EQ(other.ReadResponse().body, "ok") << "the connection is as good as before";
  Peer again = proxy.Connect();
  again.Send(Upgrade());
  EXPECT_EQ(again.ReadResponse().status, 502);
}

TEST_F(UpstreamHttp2Test, ADeclinedUpgradeIsAnOrdinaryResponse) {
  Peer client = proxy.Connect();
  client.Send(Upgrade() + "GET /smuggled HTTP/1.1\r\n\r\n");
  Http2Peer server = Accept(Http2Peer::Setting(kEnableConnectProtocol, 1));
  const Http2Peer::Request request = server.ReadHead();
  server.SendHeaders(request.stream, {{":status", "403"}, {"content-length", "2"}}, false);
  server.SendData(request.stream, "no", true);
  const Peer::Message response = client.ReadResponse();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "no");
  EXPECT_EQ(server.ReadReset(request.stream), kCancel);
  EXPECT_TRUE(client.Ended());
}

TEST_F(UpstreamHttp2Test, AnUpgradeOfAnotherMethodHasNoForm) {
  Peer client = proxy.Connect();
  client.Send(
      "OPTIONS / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  Http2Peer server = Accept(Http2Peer::Setting(kEnableConnectProtocol, 1));
  EXPECT_EQ(client.ReadResponse().status, 502);
}

TEST_F(UpstreamHttp2Test, BetweenTwoEndsOfHttp2NoKeyIsMade) {
  proxy.Apply({"name: \"settings\" settings { http2 { on_plain_connections: true } }"});
  Http2Client client(proxy.http_port());
  ASSERT_TRUE(client.Wait([&] { return client.settings > 0; }));
  Http2Client::Call& call = client.Send("GET", "/chat", {}, false, {}, "websocket");
  Http2Peer server = Accept(Http2Peer::Setting(kEnableConnectProtocol, 1));
  Http2Peer::Request request = server.ReadHead();
  EXPECT_EQ(request.fields[":protocol"], "websocket");
  EXPECT_EQ(request.fields.count("sec-websocket-key"), 0u);
  server.SendHeaders(request.stream, {{":status", "200"}}, false);
  server.SendData(request.stream, "hello", false);
  ASSERT_TRUE(client.Wait([&] { return call.body == "hello"; }));
  EXPECT_EQ(call.status, 200);
  EXPECT_EQ(call.Field("sec-websocket-accept"), "");
  client.SendBody(call, "hi", true);
  ASSERT_TRUE(client.Wait([] { return true; }));
  EXPECT_EQ(server.Next().payload, "hi");
}

}  // namespace
}  // namespace headgate::test
