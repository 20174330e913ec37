// configuration-snippet and its kin, from the Ingress to what clients and endpoints see.
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "tests/feature/translated_proxy.h"
#include "tests/support/dataplane/peer.h"

namespace headgate::feature {
namespace {

class SnippetTest : public ::testing::Test {
 protected:
  SnippetTest() : proxy(WithConfigMap()) {
    kube::ConfigMap options;
    options.meta.key = {"headgate", "options"};
    options.data = {{"allow-snippet-annotations", "true"}, {"annotations-risk-level", "Critical"}};
    proxy.Apply({options});
    proxy.ApplyService("shop", "web", upstream.address());
  }

  static translate::Options WithConfigMap() {
    translate::Options options;
    options.config_map = kube::ObjectKey{"headgate", "options"};
    return options;
  }

  void Serve(std::vector<std::pair<std::string, std::string>> annotations) {
    kube::Ingress ingress = headgate::testing::SimpleIngress("shop", "web", "shop.test",
                                                             headgate::testing::Backend("web", 80));
    for (auto& [name, value] : annotations) {
      ingress.meta.annotations.emplace_back("nginx.ingress.kubernetes.io/" + name,
                                            std::move(value));
    }
    proxy.Apply({ingress});
  }

  test::Peer::Message Get(const std::string& target, const std::string& fields = "") {
    test::Peer client = proxy.proxy().Connect();
    client.Send("GET " + target + " HTTP/1.1\r\nHost: shop.test\r\n" + fields + "\r\n");
    return client.ReadResponse();
  }

  // With an endpoint that answers.
  test::Peer::Message Forwarded(const std::string& target, const std::string& fields = "") {
    test::Peer client = proxy.proxy().Connect();
    client.Send("GET " + target + " HTTP/1.1\r\nHost: shop.test\r\n" + fields + "\r\n");
    test::Peer server = upstream.Accept();
    request = server.ReadRequest();
    server.Send(
        "HTTP/1.1 200 OK\r\nX-Powered-By: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return client.ReadResponse();
  }

  test::PeerListener upstream;
  TranslatedProxy proxy;
  test::Peer::Message request;
};

TEST_F(SnippetTest, FieldsAreSetOnBothSides) {
  Serve({{"configuration-snippet",
          "more_set_headers \"X-Frame-Options: DENY\";\n"
          "more_clear_headers X-Powered-By;\n"
          "proxy_set_header X-Uri $request_uri;\n"
          "if ($http_user_agent ~* mobile) { more_set_input_headers 'X-Mobile: 1'; }"},
         {"server-snippet", "add_header X-Server yes always;"}});
  const test::Peer::Message answer = Forwarded("/a?b", "User-Agent: Mobile\r\n");
  EXPECT_EQ(answer.Field("X-Frame-Options"), "DENY");
  EXPECT_EQ(answer.Field("X-Powered-By"), "");
  EXPECT_EQ(answer.Field("X-Server"), "yes");
  EXPECT_EQ(request.Field("X-Uri"), "/a?b");
  EXPECT_EQ(request.Field("X-Mobile"), "1");
  Forwarded("/");
  EXPECT_EQ(request.Field("X-Mobile"), "");
}

TEST_F(SnippetTest, RequestsAreAnsweredInTheOrderOfTheLines) {
  Serve({{"server-snippet", "if ($uri ~ ^/closed) { return 403; }"},
         {"configuration-snippet",
          "if ($arg_old) { return 301 https://$host/new$uri; }\n"
          "if ($uri = /closed/not) { return 200 open; }\n"
          "if ($request_method != GET) { return 405; }"}});
  EXPECT_EQ(Get("/closed/not").status, 403);
  const test::Peer::Message moved = Get("/a?old=1");
  EXPECT_EQ(moved.status, 301);
  EXPECT_EQ(moved.Field("Location"), "https://shop.test/new/a");
  EXPECT_EQ(Forwarded("/a?old=0").status, 200);
}

TEST_F(SnippetTest, WhatProtectsAnIngressGoesBeforeItsSnippets) {
  Serve({{"configuration-snippet", "return 200 open;"},
         {"auth-type", "basic"},
         {"auth-secret", "none"}});
  EXPECT_EQ(Get("/").status, 503);
}

TEST_F(SnippetTest, AnIngressWithWhatCannotBeTranslatedKeepsItsLastForm) {
  Serve({{"configuration-snippet", "return 418;"}});
  EXPECT_EQ(Get("/").status, 418);
  Serve({{"configuration-snippet", "return 200; proxy_pass http://elsewhere;"}});
  EXPECT_EQ(Get("/").status, 418);
}

TEST_F(SnippetTest, WhereTheyAreNotAllowedAnyMoreTheIngressIsNotServed) {
  Serve({{"configuration-snippet", "return 418;"}});
  EXPECT_EQ(Get("/").status, 418);
  kube::ConfigMap options;
  options.meta.key = {"headgate", "options"};
  options.meta.resource_version = "2";
  proxy.Apply({options});
  EXPECT_EQ(Get("/").status, 404);
}

}  // namespace
}  // namespace headgate::feature
