#include "dataplane/http/uri.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace headgate::http {
namespace {

class NormalizePathTest : public ::testing::Test {
 protected:
  // "match -> forward", or "400".
  std::string Normal(std::string_view raw) {
    NormalPath normal;
    if (!NormalizePath(raw, arena_, normal)) return "400";
    EXPECT_EQ(normal.rewritten, normal.forward != raw) << raw;
    return std::string(normal.match) + " -> " + std::string(normal.forward);
  }
  base::BlockPool pool_;
  base::Arena arena_{pool_};
};

TEST_F(NormalizePathTest, PlainPathsAreTheirOwnNormalFormWithoutACopy) {
  for (const std::string_view path : {"/", "/a", "/a/b/c", "/a/", "/a.b/c..d/e.", "/index.html",
                                      "/~u/a-b_c", "/a=b&c,d:e@f!$'()*+", "*"}) {
    NormalPath normal;
    ASSERT_TRUE(NormalizePath(path, arena_, normal)) << path;
    EXPECT_EQ(normal.match.data(), path.data());
    EXPECT_EQ(normal.forward.data(), path.data());
  }
}

TEST_F(NormalizePathTest, DecodesOnceForMatchingAndForwardsTheRawBytes) {
  EXPECT_EQ(Normal("/a%20b"), "/a b -> /a%20b");
  EXPECT_EQ(Normal("/%41"), "/A -> /%41");
  EXPECT_EQ(Normal("/a%2Fb"), "/a/b -> /a%2Fb");
  EXPECT_EQ(Normal("/a%2fb%2F"), "/a/b/ -> /a%2fb%2F");
  EXPECT_EQ(Normal("/100%25"), "/100% -> /100%25");
  EXPECT_EQ(Normal("/a%252Fb"), "/a%2Fb -> /a%252Fb");
  EXPECT_EQ(Normal("/caf%C3%A9"), "/caf\xC3\xA9 -> /caf%C3%A9");
  EXPECT_EQ(Normal("/caf\xC3\xA9"), "/caf\xC3\xA9 -> /caf\xC3\xA9");
}

TEST_F(NormalizePathTest, MergesSlashesForMatchingAndKeepsThemForForwarding) {
  EXPECT_EQ(Normal("//"), "/ -> //");
  EXPECT_EQ(Normal("//a"), "/a -> //a");
  EXPECT_EQ(Normal("/a//b///c/"), "/a/b/c/ -> /a//b///c/");
  EXPECT_EQ(Normal("/a/%2F/b"), "/a/b -> /a/%2F/b");
}

TEST_F(NormalizePathTest, ForwardsTheNormalFormOfDotSegments) {
  EXPECT_EQ(Normal("/a/./b"), "/a/b -> /a/b");
  EXPECT_EQ(Normal("/a/../b"), "/b -> /b");
  EXPECT_EQ(Normal("/a/b/.."), "/a/ -> /a/");
  EXPECT_EQ(Normal("/a/b/."), "/a/b/ -> /a/b/");
  EXPECT_EQ(Normal("/."), "/ -> /");
  EXPECT_EQ(Normal("/a/.."), "/ -> /");
  EXPECT_EQ(Normal("/a/%2e%2E/b"), "/b -> /b");
  EXPECT_EQ(Normal("/a/.%2e/b"), "/b -> /b");
  EXPECT_EQ(Normal("/a%2F..%2Fb"), "/b -> /b");
  EXPECT_EQ(Normal("/a//../b"), "/b -> /b");
  EXPECT_EQ(Normal("/x/../a%20b%25%3F%23"), "/a b%?# -> /a%20b%25%3F%23");
  EXPECT_EQ(Normal("/x/../caf\xC3\xA9"), "/caf\xC3\xA9 -> /caf%C3%A9");
}

TEST_F(NormalizePathTest, NamesThatOnlyBeginWithDotsAreNames) {
  EXPECT_EQ(Normal("/.well-known/x"), "/.well-known/x -> /.well-known/x");
  EXPECT_EQ(Normal("/..."), "/... -> /...");
  EXPECT_EQ(Normal("/..a/.b"), "/..a/.b -> /..a/.b");
}

TEST_F(NormalizePathTest, ParametersAreKept) {
  EXPECT_EQ(Normal("/a;v=1/b;c"), "/a;v=1/b;c -> /a;v=1/b;c");
  EXPECT_EQ(Normal("/a%3Bb"), "/a;b -> /a%3Bb");
}

TEST_F(NormalizePathTest, ClimbingAboveTheRootIsRefused) {
  for (const std::string_view path : {"/..", "/../", "/../a", "/a/../..", "/a/../../b", "/%2e%2e",
                                      "/./..", "//..", "/a//../..", "/%2F..", "/..%2Fa"}) {
    EXPECT_EQ(Normal(path), "400") << path;
  }
}

TEST_F(NormalizePathTest, MalformedSequencesAreRefused) {
  for (const std::string_view path : {"/%", "/%4", "/%zz", "/%4g", "/a%", "/%u002e"}) {
    EXPECT_EQ(Normal(path), "400") << path;
  }
}

TEST_F(NormalizePathTest, WhatIsNoPathIsRefused) {
  EXPECT_EQ(Normal(""), "400");
  EXPECT_EQ(Normal("a"), "400");
  EXPECT_EQ(Normal("**"), "400");
}

TEST_F(NormalizePathTest, ControlBytesAndBackslashesAreRefused) {
  for (const std::string_view path :
       {"/a%00", "/%0d%0a", "/%1f", "/%7F", "/a\\b", "/a%5cb", "/a%5C..%5Cb"}) {
    EXPECT_EQ(Normal(path), "400") << path;
  }
  EXPECT_EQ(Normal(std::string_view("/a\0b", 4)), "400");
  EXPECT_EQ(Normal("/a\x01"), "400");
}

TEST_F(NormalizePathTest, DotSegmentsThatOnlySomeReadersSeeAreRefused) {
  for (const std::string_view path : {"/a/..;/b",
                                      "/a/..;x=y/b",
                                      "/.;/a",
                                      "/a/..%3b/b",
                                      "/a/%2e%2e;/b",
                                      "/a/..;",  // parameters
                                      "/a/%252e%252e/b",
                                      "/a/%252e/b",
                                      "/a/..%252Fb",
                                      "/a%252F..%252Fb",
                                      "/a/.%252e",  // decoded twice
                                      "/a/%25252e%25252e/b",
                                      "/a/%25%32%65%25%32%65/b",
                                      "/a/..%255Cb",
                                      "/a/..%253B/b",
                                      "/a/%252500",  // control byte
                                      "/a/%c0%ae%c0%ae/b",
                                      "/a/\xc0\xae./b",
                                      "/a%c0%afb",
                                      "/a%e0%80%af",
                                      "/%25c0%25ae"}) {  // overlong
    EXPECT_EQ(Normal(path), "400") << path;
  }
}

TEST_F(NormalizePathTest, LongNestedEncodingIsCheap) {
  std::string path = "/%";
  for (int i = 0; i < 16000; ++i) path += "25";
  path += "2e";
  EXPECT_EQ(Normal(path), "400");
}

// Every short path over the characters that matter.
TEST_F(NormalizePathTest, EveryNormalFormIsItsOwnNormalForm) {
  constexpr std::string_view kPieces[] = {"/",   ".", "..",  "a", "%2e", "%2F",
                                          "%25", ";", "%5c", "%", "2e"};
  constexpr size_t kCount = std::size(kPieces);
  for (size_t n = 0; n < kCount * kCount * kCount * kCount * kCount; ++n) {
    std::string path = "/";
    for (size_t rest = n; rest != 0; rest /= kCount) path += kPieces[rest % kCount];
    NormalPath normal;
    arena_.Clear();
    if (!NormalizePath(path, arena_, normal)) continue;
    // Whoever reads what is forwarded, decoding once, finds the path that was matched.
    NormalPath again;
    ASSERT_TRUE(NormalizePath(normal.forward, arena_, again)) << path;
    ASSERT_EQ(again.match, normal.match) << path;
    ASSERT_FALSE(again.rewritten) << path;
    ASSERT_EQ(normal.match.find("/../"), std::string_view::npos) << path;
    ASSERT_EQ(normal.match.find("//"), std::string_view::npos) << path;
    ASSERT_EQ(normal.match.front(), '/') << path;
  }
}

class ParseAuthorityTest : public ::testing::Test {
 protected:
  // "host port", or "bad".
  std::string Parse(std::string_view text) {
    Authority authority;
    if (!ParseAuthority(text, arena_, authority)) return "bad";
    return std::string(authority.host) + " " + std::to_string(authority.port);
  }
  base::BlockPool pool_;
  base::Arena arena_{pool_};
};

TEST_F(ParseAuthorityTest, HostsAndPorts) {
  EXPECT_EQ(Parse("example.com"), "example.com 0");
  EXPECT_EQ(Parse("Example.COM:8080"), "example.com 8080");
  EXPECT_EQ(Parse("example.com."), "example.com 0");
  EXPECT_EQ(Parse("example.com.:80"), "example.com 80");
  EXPECT_EQ(Parse("a_b-c.d1"), "a_b-c.d1 0");
  EXPECT_EQ(Parse("127.0.0.1:80"), "127.0.0.1 80");
  EXPECT_EQ(Parse("[::1]"), "[::1] 0");
  EXPECT_EQ(Parse("[2001:DB8::1]:65535"), "[2001:db8::1] 65535");
  EXPECT_EQ(Parse("[::ffff:1.2.3.4]:1"), "[::ffff:1.2.3.4] 1");
  EXPECT_EQ(Parse("host:"), "host 0");
}

TEST_F(ParseAuthorityTest, JunkIsRefused) {
  for (const std::string_view text : {"",
                                      ".",
                                      ":80",
                                      "a..b",
                                      ".a",
                                      "a b",
                                      "a/b",
                                      "a?b",
                                      "a#b",
                                      "a@b",
                                      "user@host",
                                      "a%41",
                                      "a*",
                                      "*.example.com",
                                      "a,b",
                                      "a\tb",
                                      "a:b",
                                      "a:80:80",
                                      "a:65536",
                                      "a:000080",
                                      "a:-1",
                                      "a:+1",
                                      "a:0",
                                      "[",
                                      "[]",
                                      "[::1",
                                      "::1",
                                      "[::1]x",
                                      "[::1]:x",
                                      "[g::1]",
                                      "[1]",
                                      "[:::::::::]",
                                      "b\xc3\xbc"
                                      "cher",
                                      "a\\b",
                                      "a\"b",
                                      "a;b"}) {
    EXPECT_EQ(Parse(text), "bad") << text;
  }
  EXPECT_EQ(Parse(std::string_view("a\0b", 3)), "bad");
  EXPECT_EQ(Parse(std::string(256, 'a')), "bad");
  EXPECT_EQ(Parse(std::string(255, 'a')), std::string(255, 'a') + " 0");
}

}  // namespace
}  // namespace headgate::http
