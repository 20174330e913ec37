// Paths that the upstream is asked for in place of the client's, and clients sent elsewhere.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "common/log.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

class RewriteTest : public testing::Test {
 protected:
  void Serve(const std::string& routes, const std::string& host_fields = "") {
    const std::string forward = R"( forward { clusters { cluster: "cluster/a" } } })";
    std::string all;
    for (size_t begin = 0; begin < routes.size();) {
      const size_t end = routes.find('\n', begin);
      all += "routes { " + routes.substr(begin, end - begin) + forward + "\n";
      begin = end + 1;
    }
    ASSERT_TRUE(proxy
                    .Apply({R"(name: "vhost/a.example" virtual_host { host: "a.example" )" +
                                host_fields + all + "}",
                            R"(name: "cluster/a" cluster { endpoints: "endpoints/a" })",
                            EndpointsText("endpoints/a", {upstream.address()})})
                    .empty());
  }

  // The request as the upstream sees it; nothing when the proxy answered, see `answer`.
  Peer::Message Ask(const std::string& target, const std::string& fields = "") {
    Peer client = proxy.Connect();
    client.Send("GET " + target + " HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n" + fields +
                "\r\n");
    Peer::Message request;
    if (!proxy_answers) {
      if (!server.connected()) server = upstream.Accept();
      request = server.ReadRequest();
      server.Send("HTTP/1.1 204 No Content\r\n\r\n");
    }
    answer = client.ReadResponse();
    return request;
  }
  Peer::Message AskProxy(const std::string& target) {
    proxy_answers = true;
    Ask(target);
    proxy_answers = false;
    return answer;
  }

  TestProxy proxy;
  PeerListener upstream;
  Peer server;
  Peer::Message answer;
  bool proxy_answers = false;
};

constexpr const char* kApi =
    R"x(match { regex_path: "/api(/|$)(.*)" } policy { rewrite { regex: "/api(/|$)(.*)" target: "/v1/$2"
       forwarded_prefix: "/api" } })x";

std::string OneLine(std::string text) {
  for (char& c : text) c = c == '\n' ? ' ' : c;
  return text + "\n";
}

TEST_F(RewriteTest, TheUpstreamIsAskedForTheTargetAndTheQueryStays) {
  Serve(OneLine(kApi));
  Peer::Message request = Ask("/api/users/7?q=%2F&r", "X-Forwarded-Prefix: /forged\r\n");
  EXPECT_TRUE(request.head.starts_with("GET /v1/users/7?q=%2F&r HTTP/1.1\r\n")) << request.head;
  EXPECT_EQ(request.Field("X-Forwarded-Prefix"), "/api");
  EXPECT_EQ(request.head.find("forged"), std::string::npos);
  EXPECT_TRUE(Ask("/API").head.starts_with("GET /v1/ HTTP/1.1\r\n"));
  EXPECT_TRUE(Ask("/api/a%20b%2fc").head.starts_with("GET /v1/a%20b/c HTTP/1.1\r\n"));
}

// What the log of the process has, while this lives.
class CapturedLog {
 public:
  CapturedLog() {
    ConfigureLogging({.level = LogLevel::kInfo, .format = LogFormat::kText, .fd = fileno(file_)});
  }
  ~CapturedLog() {
    ConfigureLogging({});
    fclose(file_);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  // Of rewrites, each from its first word.
  std::vector<std::string> Lines() const {
    std::string text(1 << 20, '\0');
    text.resize(static_cast<size_t>(
        std::max<ssize_t>(pread(fileno(file_), text.data(), text.size(), 0), 0)));
    std::vector<std::string> lines;
    std::istringstream in(text);
    constexpr std::string_view kComponent = " rewrite ";
    for (std::string line; std::getline(in, line);) {
      if (const size_t at = line.find(kComponent); at != std::string::npos)
        lines.push_back(line.substr(at + kComponent.size()));
    }
    return lines;
  }

 private:
  FILE* const file_ = tmpfile();
};

TEST_F(RewriteTest, WhatBecomesOfRequestsIsLoggedWhereTheRouteAsksForIt) {
  const CapturedLog log;
  Serve(
      R"x(match { regex_path: "/api(.*)" } policy { log_rewrites: true rewrite { regex: "/api/(.*)" target: "/v1/$1" } })x"
      "\n"
      R"x(match { regex_path: "/old" } policy { log_rewrites: true rewrite { regex: "/old" target: "https://new.example/" } })x"
      "\n"
      R"x(match { regex_path: "/up(.*)" } policy { log_rewrites: true rewrite { regex: "/up(.*)" target: "/$1" } })x"
      "\n"
      R"x(match { regex_path: "/quiet(.*)" } policy { rewrite { regex: "/quiet(.*)" target: "/q$1" } })x"
      "\n"
      R"x(match { regex_path: "/tls" } policy { log_rewrites: true https_redirect { mode: ALWAYS } })x"
      "\n");
  Ask("/api/x?y=%0a");
  Ask("/api");
  Ask("/quiet/x");
  EXPECT_EQ(AskProxy("/old").status, 302);
  EXPECT_EQ(AskProxy("/up../x").status, 400);
  EXPECT_EQ(AskProxy("/tls").status, 308);
  const std::vector<std::string> lines = log.Lines();
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_TRUE(lines[0].starts_with("rewritten ingress=")) << lines[0];
  EXPECT_NE(lines[0].find(" client=127.0.0.1 host=a.example method=GET target=\"/api/x?y=%0a\" "
                          "pattern=/api/(.*) path=/api/x "
                          "result=\"/v1/x?y=%0a\" request_id="),
            std::string::npos)
      << lines[0];
  EXPECT_TRUE(lines[1].starts_with("does not match ")) << lines[1];
  EXPECT_NE(lines[1].find(" path=/api result=\"\""), std::string::npos) << lines[1];
  EXPECT_TRUE(lines[2].starts_with("redirected ")) << lines[2];
  EXPECT_NE(lines[2].find(" result=https://new.example/ "), std::string::npos) << lines[2];
  EXPECT_TRUE(lines[3].starts_with("refused ")) << lines[3];
  EXPECT_TRUE(lines[4].starts_with("redirected ")) << lines[4];
  EXPECT_NE(lines[4].find(" result=https://a.example/tls "), std::string::npos) << lines[4];
}

TEST_F(RewriteTest, AResultAboveTheRootIsRefused) {
  Serve(
      R"x(match { regex_path: "/api(.*)" } policy { rewrite { regex: "/api(.*)" target: "/$1" } })x"
      "\n");
  EXPECT_EQ(AskProxy("/api../admin").status, 400);
  EXPECT_TRUE(Ask("/api/x").head.starts_with("GET //x HTTP/1.1\r\n"));
}

TEST_F(RewriteTest, AnAbsoluteTargetIsARedirectWithTheQuery) {
  Serve(OneLine(
      R"x(match { regex_path: "/(.*)" } policy { rewrite { regex: "/(.*)" target: "https://new.example/$1" }
          https_redirect { mode: ALWAYS } })x"));
  const Peer::Message moved = AskProxy("/a/b?c=d");
  EXPECT_EQ(moved.status, 302);
  EXPECT_EQ(moved.Field("Location"), "https://new.example/a/b?c=d");
}

TEST_F(RewriteTest, TheRedirectToHttpsKeepsTheClientsPath) {
  std::string route = OneLine(kApi);
  route.insert(route.find("policy {") + 8, " https_redirect { mode: ALWAYS } ");
  Serve(route);
  const Peer::Message moved = AskProxy("/api/users");
  EXPECT_EQ(moved.status, 308);
  EXPECT_EQ(moved.Field("Location"), "https://a.example/api/users");
}

TEST_F(RewriteTest, TheRootOfAnApplicationIsElsewhere) {
  Serve("match { prefix_path: \"/\" }\n", "app_root: \"/welcome\" ");
  for (const char* target : {"/", "/?a=b", "/%2e", "//"}) {
    const Peer::Message moved = AskProxy(target);
    EXPECT_EQ(moved.status, 302) << target;
    EXPECT_EQ(moved.Field("Location"), "http://a.example/welcome") << target;
  }
  EXPECT_TRUE(Ask("/other").head.starts_with("GET /other HTTP/1.1\r\n"));
}

}  // namespace
}  // namespace headgate::test
