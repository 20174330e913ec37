// What the operator says of the access log: the line, which requests have one, and both at once for
// requests that are under way when that changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "tests/support/certificates.h"
#include "tests/support/dataplane/http2_client.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr std::string_view kReply =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: \"e\"\r\nX-Pod: p1\r\nServer: pod\r\n\r\nok";

std::string Settings(const std::string& access_log) {
  return R"(name: "settings" settings { http2 { on_plain_connections: true } access_log { )" +
         access_log + " } }";
}
std::string Literal(const std::string& text) { return " parts { literal: \"" + text + "\" }"; }
std::string Known(const std::string& variable) { return " parts { variable: " + variable + " }"; }
std::string OfRequest(const std::string& variable, const std::string& name = "") {
  return " parts { request { variable: " + variable + " name: \"" + name + "\" } }";
}
std::string Sent(const std::string& name) { return " parts { sent_header: \"" + name + "\" }"; }
std::string Lined(const std::vector<std::string>& parts, const std::string& more = "") {
  std::string out = "request_line { " + more;
  for (const std::string& part : parts) out += part + Literal("|");
  return out + " }";
}

class AccessLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::remove(path_.c_str());
    auto log = observe::AccessLogFile::Open(path_);
    ASSERT_TRUE(log.ok());
    log_ = *std::move(log);
    proxy_ = std::make_unique<TestProxy>(1, 1 << 20, files::StaticRoots(), net::PipePool::kMaxPipes,
                                         log_.get());
    proxy_->Route("a.example", {upstream_.address()});
  }
  void TearDown() override {
    proxy_.reset();
    log_.reset();
    std::remove(path_.c_str());
  }

  void Log(const std::string& access_log) {
    ASSERT_THAT(proxy_->Apply({Settings(access_log)}), IsEmpty());
  }
  // A request that the upstream answers; its connection is used for one.
  void Exchange(const std::string& target, const std::string& fields = "") {
    Peer client = proxy_->Connect();
    client.Send("GET " + target + " HTTP/1.1\r\nHost: A.example:80\r\nConnection: close\r\n" +
                fields + "\r\n");
    Peer server = upstream_.Accept();
    server.ReadRequest();
    server.Send(kReply);
    server.Close();
    EXPECT_EQ(client.ReadResponse().status, 200);
    EXPECT_TRUE(client.Ended());
  }
  // All that was logged, once there are `count` lines: for its client a request may be over before
  // its line is written.
  std::vector<std::string> Lines(size_t count = 1) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    std::vector<std::string> lines;
    while (true) {
      if (proxy_ != nullptr) proxy_->Count(observe::CounterId::kTunnels);  // waits for the worker
      log_->Flush();
      lines.clear();
      std::ifstream file(path_);
      for (std::string line; std::getline(file, line);) lines.push_back(line);
      if (lines.size() >= count || std::chrono::steady_clock::now() > limit) return lines;
      std::this_thread::yield();
    }
  }

  const std::string path_ =
      ::testing::TempDir() + "/format-access-" + std::to_string(getpid()) + ".log";
  PeerListener upstream_;
  std::unique_ptr<observe::AccessLogFile> log_;
  std::unique_ptr<TestProxy> proxy_;
};

TEST_F(AccessLogTest, ALineSaysWhatIsKnownOfRequestResponseAndEndpoint) {
  Log(Lined({Known("STATUS"), Known("REQUEST"), OfRequest("HOST"), OfRequest("ARG", "q"),
             OfRequest("ARGS"), OfRequest("COOKIE", "id"), OfRequest("HEADER", "x-team"),
             OfRequest("URI"), OfRequest("UPSTREAM_HEADER", "x-pod"), Sent("etag"),
             Sent("content-length"), Known("BODY_BYTES_SENT"), Known("UPSTREAM_ADDR"),
             Known("UPSTREAM_STATUS"), Known("UPSTREAM_RESPONSE_LENGTH")}));
  Exchange("/a%41?q=1&r=2", "Cookie: x=y; id=7\r\nX-Team: red\r\n");
  EXPECT_THAT(Lines(), ElementsAre("200|GET /a%41?q=1&r=2 HTTP/1.1|a.example|1|q=1&r=2|7|red|/aA|"
                                   "p1|\\x22e\\x22|2|2|" +
                                   upstream_.address().Text() + "|200|2|"));
}

TEST_F(AccessLogTest, WhatIsNotThereIsADash) {
  Log(Lined({OfRequest("ARG", "q"), OfRequest("ARGS"), OfRequest("COOKIE", "id"),
             OfRequest("HEADER", "x-team"), OfRequest("HTTPS"), OfRequest("IS_ARGS"),
             OfRequest("CONTENT_LENGTH"), OfRequest("UPSTREAM_HEADER", "x-other"), Sent("location"),
             Known("HTTP_REFERER"), Known("REMOTE_USER")}));
  Exchange("/");
  Exchange("/?", "X-Team:\r\nReferer:\r\n");
  EXPECT_THAT(Lines(2), ElementsAre("-|-|-|-|||-|-|-|-|-|", "-|-|-||||-|-|-||-|"));
}

TEST_F(AccessLogTest, BytesSentAreThoseOfHeadAndBody) {
  Log(Lined({Known("BYTES_SENT"), Known("REQUEST_LENGTH")}));
  const std::string request = "GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n";
  Peer client = proxy_->Connect();
  client.Send(request);
  Peer server = upstream_.Accept();
  server.ReadRequest();
  server.Send(kReply);
  const std::string response = client.ReadToEnd();
  EXPECT_THAT(Lines(), ElementsAre(std::to_string(response.size()) + "|" +
                                   std::to_string(request.size()) + "|"));
}

TEST_F(AccessLogTest, TheOperatorChoosesTheEscaping) {
  const std::vector<std::string> parts = {OfRequest("HEADER", "x-a"), OfRequest("URI"),
                                          OfRequest("HEADER", "x-none")};
  Log(Lined(parts));
  Exchange("/%22%c3%a4", "X-A: \"\\\xc3\xa4\r\n");
  Log(Lined(parts, "escape: JSON"));
  Exchange("/%22%c3%a4", "X-A: \"\\\xc3\xa4\r\n");
  Log(Lined(parts, "escape: NONE"));
  Exchange("/%22%c3%a4", "X-A: \"\\\xc3\xa4\r\n");
  EXPECT_THAT(Lines(3),
              ElementsAre("\\x22\\x5C\\xC3\\xA4|/\\x22\\xC3\\xA4|-|",
                          "\\\"\\\\\xc3\xa4|/\\\"\xc3\xa4||", "\"\\\xc3\xa4|/\"\xc3\xa4||"));
}

TEST_F(AccessLogTest, AnswersOfOurOwnAreLoggedToo) {
  Log(Lined({Known("STATUS"), OfRequest("UPSTREAM_HEADER", "content-type"), Sent("content-type"),
             Known("UPSTREAM_STATUS"), Known("PROXY_UPSTREAM_NAME")}));
  ASSERT_THAT(proxy_->Apply({R"(name: "vhost/r.example" virtual_host { host: "r.example"
                 routes { match { prefix_path: "/" } redirect { status: 301 location: "/x" } } })"}),
              IsEmpty());
  Peer client = proxy_->Connect();
  client.Send("GET / HTTP/1.1\r\nHost: r.example\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 301);
  client.Send("nonsense\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 400);
  EXPECT_TRUE(client.Ended());
  EXPECT_THAT(Lines(2), ElementsAre("301|-|text/html|-|-|", "400|-|-|-|-|"));
}

TEST_F(AccessLogTest, AClientThatLeavesEarlyFindsNoAnswerOfAnotherInItsLine) {
  Log(Lined({Known("STATUS"), Sent("etag"), OfRequest("UPSTREAM_HEADER", "x-pod")}));
  Exchange("/");
  Peer client = proxy_->Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer server = upstream_.Accept();
  server.ReadRequest();
  client.Abort();
  EXPECT_TRUE(server.Ended());
  EXPECT_THAT(Lines(2), ElementsAre("200|\\x22e\\x22|p1|", "499|-|-|"));
}

TEST_F(AccessLogTest, ARequestUnderWayKeepsTheLineItBeganWith) {
  Log(Lined({Literal("old"), OfRequest("HEADER", "x-team")}));
  Peer client = proxy_->Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nX-Team: red\r\n\r\n");
  Peer server = upstream_.Accept();
  server.ReadRequest();
  Log(Lined({Literal("new"), OfRequest("HOST"), OfRequest("HEADER", "x-other")}));
  server.Send(kReply);
  client.ReadToEnd();
  server.Close();
  Exchange("/");
  EXPECT_THAT(Lines(2), ElementsAre("old|red|", "new|a.example|-|"));
}

TEST_F(AccessLogTest, TheFixedLineIsBackWhenTheFormatGoes) {
  Log(Lined({Known("STATUS")}));
  Exchange("/");
  Log("");
  Exchange("/b");
  EXPECT_THAT(Lines(2), ElementsAre("200|", HasSubstr("\"GET /b HTTP/1.1\" 200 2 \"-\" ")));
}

TEST_F(AccessLogTest, ATunnelKeepsItsLineThroughChanges) {
  Log(Lined({Known("STATUS"), OfRequest("HEADER", "x-team"), Sent("x-pod"), OfRequest("ARGS")}));
  Peer client = proxy_->Connect();
  client.Send(
      "GET /? HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: chat\r\n"
      "X-Team: red\r\n\r\n");
  Peer server = upstream_.Accept();
  server.ReadRequest();
  server.Send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n"
      "X-Pod: p1\r\n\r\n");
  EXPECT_THAT(client.ReadHead(), StartsWith("HTTP/1.1 101"));
  Log(Lined({Literal("new")}));
  client.Close();
  server.Close();
  proxy_.reset();
  EXPECT_THAT(Lines(), ElementsAre("101|red|p1|-|"));
}

TEST_F(AccessLogTest, RequestsOfHttp2HaveTheSameLine) {
  Log(Lined({Known("REQUEST"), OfRequest("HOST"), Sent("etag"), Known("BODY_BYTES_SENT"),
             Known("BYTES_SENT")}));
  Http2Client client(proxy_->http_port());
  Http2Client::Call& call = client.Send("GET", "/two");
  Peer server = upstream_.Accept();
  server.ReadRequest();
  server.Send(kReply);
  ASSERT_TRUE(client.WaitClosed(call));
  const std::vector<std::string> lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], MatchesRegex("GET /two HTTP/2.0\\|a.example\\|.x22e.x22\\|2\\|[0-9]+\\|"));
  EXPECT_GT(std::stoi(lines[0].substr(lines[0].find("|2|") + 3)), 20);
}

TEST_F(AccessLogTest, SomeTargetsAreLeftOut) {
  const std::string line = Lined({Known("REQUEST_URI")});
  Log(line + R"( skipped_targets { exact: "/healthz" } skipped_targets { regex: "^/static/" }
                 skipped_targets { ignore_case_regex: "\\.PNG$" })");
  for (const char* target : {"/healthz", "/HEALTHZ", "/healthz?x", "/healthz/", "/static/a",
                             "/STATIC/a", "/a/static/", "/a.png", "/a.png?x"}) {
    Exchange(target);
  }
  EXPECT_THAT(Lines(5),
              ElementsAre("/healthz?x|", "/healthz/|", "/STATIC/a|", "/a/static/|", "/a.png?x|"));
}

TEST_F(AccessLogTest, TlsOfTheClientIsKnown) {
  const auto certificate = headgate::testing::MakeCertificate({"a.example"});
  proxy_->Apply({"name: \"cert/default\" certificate { chain_pem: \"" +
                 absl::CEscape(certificate.chain) + "\" key_pem: \"" +
                 absl::CEscape(certificate.key) + "\" }"});
  Log(Lined({OfRequest("SSL_PROTOCOL"), OfRequest("SSL_CIPHER"), OfRequest("SSL_SERVER_NAME"),
             OfRequest("HTTPS"), Known("SCHEME")}));
  Exchange("/");
  Peer client = Peer::Connect(proxy_->https_port());
  ASSERT_TRUE(client.StartTlsAsClient("a.example", "http/1.1"));
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
  Peer server = upstream_.Accept();
  server.ReadRequest();
  server.Send(kReply);
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_TRUE(client.Ended());
  EXPECT_THAT(Lines(2),
              ElementsAre("-|-|-||http|",
                          MatchesRegex("TLSv1.3\\|TLS_[A-Z0-9_]+\\|a.example\\|on\\|https\\|")));
}

TEST_F(AccessLogTest, TargetsAreLeftOutOfTheFixedLineToo) {
  Log(R"(skipped_targets { exact: "/healthz" })");
  Exchange("/healthz");
  Exchange("/other");
  EXPECT_THAT(Lines(), ElementsAre(HasSubstr("\"GET /other HTTP/1.1\" 200 ")));
}

TEST_F(AccessLogTest, RequestsCanBeLeftOutAlone) {
  Log("no_requests: true");
  Exchange("/");
  Log("");
  Exchange("/other");
  EXPECT_THAT(Lines(), ElementsAre(HasSubstr("\"GET /other HTTP/1.1\" 200 ")));
}

// What a file's answer says of itself goes with the file.
TEST_F(AccessLogTest, AFileIsLoggedWithWhatItsAnswerSaid) {
  Log(Lined({Sent("etag"), Sent("content-type"), Sent("content-length")}));
  ASSERT_THAT(
      proxy_->Apply({R"(name: "vhost/f.example" virtual_host { host: "f.example"
                 routes { match { prefix_path: "/" } static_files { files: "files/ns/f" } } })",
                     R"(name: "files/ns/f" files { files { name: "a.txt" content: "abc" } })"}),
      IsEmpty());
  Peer client = proxy_->Connect();
  client.Send("GET /a.txt HTTP/1.1\r\nHost: f.example\r\nConnection: close\r\n\r\n");
  const Peer::Message answer = client.ReadResponse();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(client.Ended());
  std::string etag = answer.Field("ETag");
  ASSERT_GT(etag.size(), 2u);
  etag = "\\x22" + etag.substr(1, etag.size() - 2) + "\\x22";
  EXPECT_THAT(Lines(), ElementsAre(etag + "|" + answer.Field("Content-Type") + "|3|"));
}

TEST_F(AccessLogTest, RequestsOfUnknownHostsAreLoggedWhenAskedFor) {
  const std::string line = Lined({Known("HTTP_HOST"), Known("STATUS")});
  const auto ask = [&](const std::string& host, const std::string& target) {
    Peer client = proxy_->Connect();
    client.Send("GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().status, 404) << host;
    EXPECT_TRUE(client.Ended());
  };
  ASSERT_THAT(proxy_->Apply({R"(name: "vhost/p.example" virtual_host { host: "p.example"
                 routes { match { prefix_path: "/in" } fixed_response { status: 404 } } })",
                             R"(name: "vhost/_" virtual_host { host: "_"
                 routes { match { prefix_path: "/in" } fixed_response { status: 404 } } })"}),
              IsEmpty());
  Log(line);
  for (const char* host : {"b.example", "p.example"}) {
    ask(host, "/in");
    ask(host, "/out");
  }
  EXPECT_THAT(Lines(3), ElementsAre("b.example|404|", "p.example|404|", "p.example|404|"));
  Log(line + " default_backend: true");
  ask("c.example", "/out");
  EXPECT_EQ(Lines(4).back(), "c.example|404|");
}

TEST_F(AccessLogTest, ConnectionsOfTcpServicesHaveALineOfTheirOwn) {
  const uint16_t port = PeerListener().port();
  ASSERT_THAT(
      proxy_->Apply(
          {Settings(Lined({Known("REQUEST")}) + " stream_line { " + Known("PROTOCOL") +
                    Literal("|") + Known("STATUS") + Literal("|") + Known("BYTES_SENT") +
                    Literal("|") + Known("REQUEST_LENGTH") + Literal("|") +
                    Known("PROXY_UPSTREAM_NAME") + Literal("|") + Known("UPSTREAM_ADDR") + " }"),
           "name: \"tcp/" + std::to_string(port) +
               "\" tcp_service { port: " + std::to_string(port) + " cluster: \"cluster/db\" }",
           R"(name: "cluster/db" cluster { endpoints: "endpoints/db" log_name: "db" })",
           EndpointsText("endpoints/db", {upstream_.address()})}),
      IsEmpty());
  Peer client = Peer::Connect(port);
  Peer server = upstream_.Accept();
  client.Send("12345");
  EXPECT_EQ(server.Read(5), "12345");
  server.Send("123");
  server.Close();
  EXPECT_EQ(client.ReadToEnd(), "123");
  client.Close();
  proxy_.reset();
  EXPECT_THAT(Lines(), ElementsAre("TCP|200|3|5|db|" + upstream_.address().Text()));
}

}  // namespace
}  // namespace headgate::test
