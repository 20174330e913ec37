// Files from memory and from a directory, through a real worker.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

namespace fs = std::filesystem;

class StaticFilesTest : public testing::Test {
 protected:
  StaticFilesTest() : base(MakeBase()), proxy(1, 0, Roots(base)) {
    proxy.Apply({
        R"(name: "vhost/a.example" virtual_host { host: "a.example"
             routes { match { prefix_path: "/memory" } static_files { files: "files/ns/site" strip_prefix: "/memory"
                      expires { seconds: 60 } } }
             routes { match { prefix_path: "/disk" }
                      static_files { directory { root: "main" path: "site" } strip_prefix: "/disk" } }
             routes { match { prefix_path: "/app" } static_files { directory { root: "main" path: "site" }
                      strip_prefix: "/app" fallback: "index.html" cache_control: "no-store" } }
             routes { match { prefix_path: "/noroot" } static_files { directory { root: "other" } } }
             routes { match { prefix_path: "/nomap" } static_files { files: "files/ns/other" } } })",
        R"(name: "files/ns/site" files {
             files { name: "index.html" content: "<p>hello" }
             files { name: "main.css" content: "body{}" }
             files { name: "main.css.br" content: "brotli" }
             files { name: "main.css.gz" content: "gzip" } })",
    });
  }
  ~StaticFilesTest() override { fs::remove_all(base); }

  static std::string MakeBase() {
    std::string pattern = testing::TempDir() + "static_files_XXXXXX";
    const std::string made = mkdtemp(pattern.data());
    fs::create_directories(made + "/site/sub");
    fs::create_directories(made + "/site/empty");
    std::ofstream(made + "/secret.txt") << "secret";
    std::ofstream(made + "/site/index.html") << "<p>disk";
    std::ofstream(made + "/site/sub/index.html") << "<p>sub";
    std::ofstream(made + "/site/.hidden") << "hidden";
    std::ofstream(made + "/site/big.bin") << BigContent();
    return made;
  }
  static files::StaticRoots Roots(const std::string& directory) {
    std::vector<files::StaticRoot> roots;
    roots.push_back(*files::StaticRoot::Open("main", directory));
    return files::StaticRoots(std::move(roots));
  }
  static std::string BigContent() {
    std::string content;
    while (content.size() < 3'000'000) absl::StrAppend(&content, content.size(), "\n");
    return content;
  }

  Peer::Message Ask(std::string_view path, std::string_view fields = "",
                    std::string_view method = "GET") {
    if (!client.connected()) client = proxy.Connect();
    client.Send(absl::StrCat(std::string(method), " ", std::string(path),
                             " HTTP/1.1\r\nHost: a.example\r\n", std::string(fields), "\r\n"));
    return client.ReadResponse(method == "HEAD");
  }

  const std::string base;
  TestProxy proxy;
  Peer client;
};

TEST_F(StaticFilesTest, ServesAConfigMapFromMemory) {
  const Peer::Message index = Ask("/memory/");
  EXPECT_EQ(index.status, 200);
  EXPECT_EQ(index.body, "<p>hello");
  EXPECT_EQ(index.Field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(index.Field("Content-Length"), "8");
  EXPECT_EQ(index.Field("Cache-Control"), "max-age=60");
  EXPECT_NE(index.Field("ETag"), "");
  EXPECT_EQ(index.Field("Last-Modified"), "");
  const Peer::Message again = Ask("/memory/", "If-None-Match: " + index.Field("ETag") + "\r\n");
  EXPECT_EQ(again.status, 304);
  const Peer::Message head = Ask("/memory/index.html", "", "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Field("Content-Length"), "8");
  EXPECT_EQ(Ask("/memory/nothing").status, 404);
}

TEST_F(StaticFilesTest, AChangeOfTheConfigMapShowsAtOnce) {
  const std::string before = Ask("/memory/").Field("ETag");
  proxy.Apply(
      {R"(name: "files/ns/site" files { files { name: "index.html" content: "<p>bye" } })"});
  const Peer::Message after = Ask("/memory/", "If-None-Match: " + before + "\r\n");
  EXPECT_EQ(after.status, 200);
  EXPECT_EQ(after.body, "<p>bye");
  proxy.Apply({}, {"files/ns/site"});
  EXPECT_EQ(Ask("/memory/").status, 503);
}

TEST_F(StaticFilesTest, WhatIsNotMountedOrNotThereIs503) {
  EXPECT_EQ(Ask("/noroot/x").status, 503);
  EXPECT_EQ(Ask("/nomap/x").status, 503);
}

TEST_F(StaticFilesTest, ChoosesACompressedForm) {
  const Peer::Message plain = Ask("/memory/main.css");
  EXPECT_EQ(plain.body, "body{}");
  EXPECT_EQ(plain.Field("Vary"), "Accept-Encoding");
  EXPECT_EQ(plain.Field("Content-Encoding"), "");
  const Peer::Message brotli = Ask("/memory/main.css", "Accept-Encoding: gzip, br\r\n");
  EXPECT_EQ(brotli.body, "brotli");
  EXPECT_EQ(brotli.Field("Content-Encoding"), "br");
  EXPECT_EQ(brotli.Field("Content-Type"), "text/css; charset=utf-8");
  EXPECT_NE(brotli.Field("ETag"), plain.Field("ETag"));
  EXPECT_EQ(Ask("/memory/main.css", "Accept-Encoding: gzip, br;q=0.5\r\n").body, "gzip");
  EXPECT_EQ(Ask("/memory/main.css", "Accept-Encoding: zstd\r\n").body, "body{}");
}

TEST_F(StaticFilesTest, ServesADirectory) {
  const Peer::Message index = Ask("/disk/");
  EXPECT_EQ(index.status, 200);
  EXPECT_EQ(index.body, "<p>disk");
  EXPECT_NE(index.Field("Last-Modified"), "");
  EXPECT_EQ(Ask("/disk/", "If-Modified-Since: " + index.Field("Last-Modified") + "\r\n").status,
            304);
  EXPECT_EQ(Ask("/disk/sub/").body, "<p>sub");
  EXPECT_EQ(Ask("/disk/empty/").status, 404);
  EXPECT_EQ(Ask("/disk/nothing.txt").status, 404);
}

TEST_F(StaticFilesTest, ADirectoryIsAskedForWithItsSlash) {
  const Peer::Message sub = Ask("/disk/sub?q=1");
  EXPECT_EQ(sub.status, 308);
  EXPECT_EQ(sub.Field("Location"), "http://a.example/disk/sub/?q=1");
  EXPECT_EQ(Ask("/disk").Field("Location"), "http://a.example/disk/");
}

TEST_F(StaticFilesTest, WhatIsNotThereMayBeTheApplication) {
  const Peer::Message page = Ask("/app/some/client/route");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body, "<p>disk");
  EXPECT_EQ(page.Field("Cache-Control"), "no-store");
  EXPECT_EQ(Ask("/app/big.bin", "Range: bytes=0-3\r\n").body, "0\n2\n");
}

TEST_F(StaticFilesTest, SendsALargeFileAndPartsOfIt) {
  const std::string content = BigContent();
  const Peer::Message whole = Ask("/disk/big.bin");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, content);
  const Peer::Message part = Ask("/disk/big.bin", "Range: bytes=1000000-2999999\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, content.substr(1'000'000, 2'000'000));
  const Peer::Message parts = Ask("/disk/big.bin", "Range: bytes=0-9,-10\r\n");
  EXPECT_EQ(parts.status, 206);
  EXPECT_NE(parts.body.find(content.substr(0, 10)), std::string::npos);
  EXPECT_NE(parts.body.find(content.substr(content.size() - 10)), std::string::npos);
  EXPECT_GT(proxy.Count(observe::CounterId::kDownstreamBytesPiped), content.size() / 2);
  EXPECT_EQ(Ask("/disk/big.bin", "Range: bytes=9000000-\r\n").status, 416);
  EXPECT_EQ(Ask("/disk/").body, "<p>disk");  // the connection is where it should be
}

// A client that does not read must not make the worker hold the file.
TEST_F(StaticFilesTest, WaitsForASlowClient) {
  Peer slow = proxy.Connect();
  slow.Send("GET /disk/big.bin HTTP/1.1\r\nHost: a.example\r\n\r\n");
  EXPECT_EQ(Ask("/disk/").status, 200);
  EXPECT_EQ(slow.ReadResponse().body, BigContent());
}

TEST_F(StaticFilesTest, AFileCutShortBreaksTheResponseVisibly) {
  constexpr size_t kMoreThanSocketsHold = 200'000'000;
  fs::resize_file(base + "/site/big.bin", kMoreThanSocketsHold);  // with a hole
  Peer slow = proxy.Connect();
  slow.Send("GET /disk/big.bin HTTP/1.1\r\nHost: a.example\r\n\r\n");
  slow.ReadHead();
  fs::resize_file(base + "/site/big.bin", 10);
  EXPECT_LT(slow.ReadToEnd().size(), kMoreThanSocketsHold);
}

TEST_F(StaticFilesTest, OtherMethodsAre405) {
  const Peer::Message post = Ask("/disk/", "Content-Length: 3\r\n\r\nabc", "POST");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.Field("Allow"), "GET, HEAD");
}

TEST_F(StaticFilesTest, NothingOutsideIsServed) {
  for (const char* path :
       {"/disk/../secret.txt", "/disk/%2e%2e/secret.txt", "/disk/..%2fsecret.txt",
        "/disk/..%5csecret.txt", "/disk/%252e%252e/secret.txt", "/disk/..;/secret.txt",
        "/disk/sub/../../secret.txt", "/disk/sub/%2e%2e%2f%2e%2e/secret.txt", "/disk/.hidden",
        "/disk/%2ehidden", "/disk/index.html%00.txt", "/disk/%00", "/disk/./.hidden",
        "/disk/%c0%ae%c0%ae/secret.txt"}) {
    Peer fresh = proxy.Connect();
    fresh.Send(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: a.example\r\n\r\n"));
    const Peer::Message answer = fresh.ReadResponse();
    EXPECT_TRUE(answer.status == 404 || answer.status == 400) << path << ": " << answer.status;
  }
  fs::create_symlink("../secret.txt",
                     base + "/site/up.txt");  // inside the root, if not inside the directory
  EXPECT_EQ(Ask("/disk/up.txt").body, "secret");
  fs::create_symlink("/etc/hostname", base + "/site/out.txt");
  EXPECT_EQ(Ask("/disk/out.txt").status, 404);
}

}  // namespace
}  // namespace headgate::test
