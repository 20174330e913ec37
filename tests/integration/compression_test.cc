// Responses that are compressed on their way, through one proxy and real sockets.

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"
#include "tests/support/decoder.h"

namespace headgate::test {
namespace {

using encoding::Coding;
using observe::CounterId;

std::string Page(size_t size) {
  std::string text;
  for (size_t i = 0; text.size() < size; ++i)
    text += "<li>line " + std::to_string(i * i % 977) + "</li>\n";
  text.resize(size);
  return text;
}

std::string Get(std::string_view accept, std::string_view fields = "") {
  return "GET / HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: " + std::string(accept) + "\r\n" +
         std::string(fields) + "\r\n";
}

std::string Ok(std::string_view body,
               std::string_view fields = "Content-Type: text/html; charset=utf-8\r\n") {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}

std::string Decode(Coding coding, std::string_view body) {
  Decoder decoder(coding);
  std::string text = decoder.Decode(body);
  EXPECT_TRUE(decoder.ended());
  return text;
}

class CompressionTest : public testing::Test {
 protected:
  CompressionTest() {
    proxy.Apply(
        {"name: \"settings\" settings { compression { gzip { types: 'text/plain' types: "
         "'text/event-stream' }"
         " brotli { } zstd { } } }"});
    proxy.Route("a.example", {upstream.address()});
  }

  // One exchange on connections of its own.
  Peer::Message Exchange(const std::string& request, const std::string& response) {
    Peer client = proxy.Connect();
    client.Send(request);
    Peer server = upstream.Accept();
    last_request = server.ReadRequest();
    server.Send(response);
    server.ShutdownWrite();
    return client.ReadResponse(request.starts_with("HEAD"));
  }

  TestProxy proxy;
  PeerListener upstream;
  Peer::Message last_request;
};

TEST_F(CompressionTest, SendsWhatTheClientLikesBest) {
  const std::string page = Page(100'000);
  const struct {
    const char* accept;
    Coding coding;
  } rows[] = {
      {"gzip", Coding::kGzip},
      {"gzip, deflate, br", Coding::kBrotli},
      {"gzip, deflate, br, zstd", Coding::kZstd},
      {"zstd;q=0.1, gzip", Coding::kGzip},
  };
  for (const auto& row : rows) {
    const Peer::Message got = Exchange(Get(row.accept), Ok(page));
    EXPECT_EQ(got.Field("Content-Encoding"), encoding::CodingName(row.coding));
    EXPECT_EQ(got.Field("Content-Length"), "");
    EXPECT_EQ(got.Field("Vary"), "Accept-Encoding");
    EXPECT_LT(got.body.size(), page.size() / 4);
    EXPECT_TRUE(Decode(row.coding, got.body) == page) << row.accept;
  }
  EXPECT_EQ(last_request.Field("Accept-Encoding"), "zstd;q=0.1, gzip");
}

TEST_F(CompressionTest, WhoTakesNoneGetsItAsItIsMarkedAsVarying) {
  const std::string page = Page(1000);
  for (const char* accept : {"identity", "deflate", "gzip;q=0"}) {
    const Peer::Message got = Exchange(Get(accept), Ok(page));
    EXPECT_EQ(got.Field("Content-Encoding"), "");
    EXPECT_EQ(got.Field("Content-Length"), "1000");
    EXPECT_EQ(got.Field("Vary"), "Accept-Encoding");
    EXPECT_TRUE(got.body == page);
  }
}

TEST_F(CompressionTest, TakesBackWhatHeldForTheBytes) {
  const Peer::Message got = Exchange(
      Get("gzip"),
      Ok(Page(1000),
         "Content-Type: text/html\r\nETag: \"v1\"\r\nAccept-Ranges: bytes\r\nContent-MD5: x\r\n"
         "Digest: y\r\nVary: Origin, accept-encoding\r\nX-Kept: z\r\n"));
  EXPECT_EQ(got.Field("ETag"), "W/\"v1\"");
  EXPECT_EQ(got.Field("Accept-Ranges"), "");
  EXPECT_EQ(got.Field("Content-MD5"), "");
  EXPECT_EQ(got.Field("Digest"), "");
  EXPECT_EQ(got.Field("Vary"), "Origin, accept-encoding");
  EXPECT_EQ(got.Field("X-Kept"), "z");
}

TEST_F(CompressionTest, LeavesAloneWhatMustStay) {
  const std::string page = Page(1000);
  const std::string html = "Content-Type: text/html\r\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {Get("gzip"), Ok(page, html + "Content-Encoding: br\r\n")},
      {Get("gzip"), Ok(page, html + "Cache-Control: public, no-transform\r\n")},
      {Get("gzip", "Cache-Control: no-transform\r\n"), Ok(page, html)},
      {Get("gzip"), Ok(page, html + "Content-Range: bytes 0-999/5000\r\n")},
      {Get("gzip"),
       "HTTP/1.1 206 Partial Content\r\nContent-Length: 1000\r\n" + html + "\r\n" + page},
      {Get("gzip"), Ok(page, "Content-Type: image/png\r\n")},
      {Get("gzip"), Ok(page, "")},
      {Get("gzip"), Ok(page.substr(0, 255), html)},
      {Get("br"), Ok(page.substr(0, 19), html)},
      {"HEAD / HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: gzip\r\n\r\n",
       "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n" + html + "\r\n"},
      {"GET / HTTP/1.0\r\nHost: a.example\r\nAccept-Encoding: gzip\r\n\r\n", Ok(page, html)},
  };
  for (const auto& [request, response] : cases) {
    const Peer::Message got = Exchange(request, response);
    const std::string sent = response.substr(response.find("\r\n\r\n") + 4);
    const size_t length = response.find("Content-Length: ") + 16;
    EXPECT_EQ(got.Field("Content-Length"),
              response.substr(length, response.find('\r', length) - length))
        << request << response.substr(0, 200);
    EXPECT_TRUE(got.body == sent) << request << response.substr(0, 200);
  }
}

TEST_F(CompressionTest, ARouteMayRefuse) {
  proxy.Route("a.example", {upstream.address()}, "policy { no_compression: true }");
  const Peer::Message got = Exchange(Get("gzip"), Ok(Page(1000)));
  EXPECT_EQ(got.Field("Content-Encoding"), "");
  EXPECT_EQ(got.Field("Vary"), "");
}

TEST_F(CompressionTest, AnEventStreamWaitsForNothing) {
  Peer client = proxy.Connect();
  client.Send(Get("gzip"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  server.Send(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_NE(client.ReadHead().find("Content-Encoding: gzip"), std::string::npos);
  Decoder decoder(Coding::kGzip);
  for (int i = 0; i < 20; ++i) {
    server.Send("9\r\ndata: x\n\n\r\n");
    std::string got;
    while (got.size() < 9) {
      std::string size;
      while (!size.ends_with("\r\n")) size += client.Read(1);
      const size_t bytes = std::stoul(size, nullptr, 16);
      got += decoder.Decode(client.Read(bytes));
      client.Read(2);
    }
    EXPECT_EQ(got, "data: x\n\n");
  }
  server.Send("0\r\n\r\n");
}

TEST_F(CompressionTest, TrailersFollowTheEncodedBody) {
  const Peer::Message got =
      Exchange(Get("zstd"),
               "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
               "3\r\nabc\r\n0\r\nX-Sum: 5\r\n\r\n");
  EXPECT_EQ(Decode(Coding::kZstd, got.body), "abc");
  EXPECT_EQ(got.Field("X-Sum"), "5");
}

TEST_F(CompressionTest, ASlowClientHoldsTheEndpointAndGetsAll) {
  std::string noise(20'000'000, '\0');
  uint32_t state = 1;
  for (char& c : noise) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  Peer client = proxy.Connect();
  client.Send(Get("gzip"));
  Peer server = upstream.Accept();
  server.ReadRequest();
  std::thread sender([&] { server.Send(Ok(noise)); });
  EXPECT_TRUE(proxy.WaitForCount(CounterId::kUpstreamBytesRead, 100'000));
  EXPECT_TRUE(Decode(Coding::kGzip, client.ReadResponse().body) == noise);
  sender.join();
}

TEST_F(CompressionTest, ManyAtOnceTakeTurns) {
  const std::string page = Page(1'000'000);
  std::vector<Peer> clients;
  std::vector<std::thread> servers;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(proxy.Connect());
    clients.back().Send(Get(i % 2 == 0 ? "br" : "gzip"));
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    servers.emplace_back([&page, server = std::make_shared<Peer>(upstream.Accept())] {
      server->ReadRequest();
      server->Send(Ok(page));
    });
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    const Peer::Message got = clients[i].ReadResponse();
    EXPECT_TRUE(Decode(i % 2 == 0 ? Coding::kBrotli : Coding::kGzip, got.body) == page);
  }
  for (std::thread& server : servers) server.join();
}

TEST_F(CompressionTest, ATruncatedResponseIsShownAsBroken) {
  Peer client = proxy.Connect();
  client.Send(Get("gzip"));
  {
    Peer server = upstream.Accept();
    server.ReadRequest();
    server.Send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n" +
                Page(1000));
  }
  EXPECT_EQ(client.ReadToEnd().find("\r\n0\r\n"), std::string::npos);
}

TEST_F(CompressionTest, WorksWithReadingAhead) {
  proxy.Route("a.example", {upstream.address()}, "policy { buffering { response: true } }");
  const std::string page = Page(3'000'000);
  const Peer::Message got = Exchange(Get("gzip"), Ok(page));
  EXPECT_TRUE(Decode(Coding::kGzip, got.body) == page);
}

TEST_F(CompressionTest, CountsWhatTheClientGets) {
  const Peer::Message got = Exchange(Get("gzip"), Ok(Page(100'000)));
  proxy.Count(CounterId::kDownstreamRequests);
  EXPECT_EQ(proxy.RouteCount("a.example").response_bytes, got.body.size());
}

}  // namespace
}  // namespace headgate::test
