#include "dataplane/files/file_path.h"

#include <gtest/gtest.h>

#include <string>

#include "dataplane/http/uri.h"

namespace headgate::files {
namespace {

using Kind = FilePath::Kind;

class FilePathTest : public testing::Test {
 protected:
  FilePath Map(std::string_view path, std::string_view strip = "",
               std::string_view directory = "") {
    return MapPath(path, strip, directory, arena);
  }

  base::BlockPool pool;
  base::Arena arena{pool};
};

TEST_F(FilePathTest, NamesTheFileBelowThePrefix) {
  EXPECT_EQ(Map("/a/b.txt").path, "a/b.txt");
  EXPECT_EQ(Map("/docs/a/b.txt", "/docs").path, "a/b.txt");
  EXPECT_EQ(Map("/docs/a/b.txt", "/docs", "site/v2").path, "site/v2/a/b.txt");
  EXPECT_EQ(Map("/docs/a.txt", "/docs").kind, Kind::kFile);
}

TEST_F(FilePathTest, ASlashAtTheEndMeansTheIndex) {
  EXPECT_EQ(Map("/").path, "index.html");
  EXPECT_EQ(Map("/").kind, Kind::kDirectory);
  EXPECT_EQ(Map("/docs/", "/docs").path, "index.html");
  EXPECT_EQ(Map("/docs/a/", "/docs").path, "a/index.html");
  EXPECT_EQ(Map("/docs/a/", "/docs", "x").path, "x/a/index.html");
  EXPECT_EQ(Map("/docs/", "/docs", "x").path, "x/index.html");
  EXPECT_EQ(Map("/docs", "/docs").kind, Kind::kBareRoot);
}

TEST_F(FilePathTest, AnotherPathThanThePrefixIsHidden) {
  EXPECT_EQ(Map("/documents/a", "/docs").kind, Kind::kHidden);
  EXPECT_EQ(Map("/other", "/docs").kind, Kind::kHidden);
  EXPECT_EQ(Map("*").kind, Kind::kHidden);
  EXPECT_EQ(Map("").kind, Kind::kBareRoot);
}

TEST_F(FilePathTest, DotFilesAreHiddenButWellKnown) {
  for (const char* path : {"/.git/config", "/a/.htpasswd", "/.env", "/a/.", "/...",
                           "/.well-known2/x", "/..data/x", "/.well-known/.secret"}) {
    EXPECT_EQ(Map(path).kind, Kind::kHidden) << path;
  }
  EXPECT_EQ(Map("/.well-known/security.txt").path, ".well-known/security.txt");
}

TEST_F(FilePathTest, WhatNormalPathsCannotHoldIsHiddenTooInCaseTheyDo) {
  using namespace std::string_literals;
  for (const std::string& path :
       {"/../etc/passwd"s, "/a/../../etc/passwd"s, "/a//b"s, "/a/./b"s, "/.."s, "/a/.."s, "/a\0b"s,
        "/a\\..\\b"s, "/a\nb"s, "/a\x7f"s, "//"s}) {
    EXPECT_EQ(Map(path).kind, Kind::kHidden) << path;
  }
}

// Through the same normalisation as a request.
TEST_F(FilePathTest, NoSpellingOfDotDotLeadsOut) {
  for (const char* raw : {"/../x",
                          "/a/../../x",
                          "/%2e%2e/x",
                          "/%2E%2e/x",
                          "/.%2e/x",
                          "/%2e./x",
                          "/a/%2e%2e/%2e%2e/x",
                          "/..%2fx",
                          "/%2e%2e%2fx",
                          "/%2e%2e%5cx",
                          "/..\\x",
                          "/..%5c..%5cx",
                          "/%252e%252e/x",
                          "/%25%32%65%252e/x",
                          "/..;/x",
                          "/..;a=b/x",
                          "/a/..;/..;/x",
                          "/%c0%ae%c0%ae/x",
                          "/%e0%80%ae%e0%80%ae/x",
                          "/..%00/x",
                          "/%00",
                          "/a%00.html",
                          "/..%2f..%2f..%2fetc%2fpasswd",
                          "/a/%2e%2e%2f%2e%2e/x",
                          "/....//x",
                          "/.../x",
                          "/a/..",
                          "/%2e%2e"}) {
    http::NormalPath normal;
    if (!http::NormalizePath(raw, arena, normal)) continue;  // 400
    const FilePath mapped = Map(normal.match);
    if (mapped.kind == Kind::kHidden) continue;  // 404
    EXPECT_TRUE(IsSafePath(mapped.path)) << raw << " became " << mapped.path;
    EXPECT_EQ(mapped.path.find(".."), std::string_view::npos) << raw << " became " << mapped.path;
  }
}

TEST_F(FilePathTest, TooLongIsHidden) {
  EXPECT_EQ(Map("/" + std::string(250, 'a')).kind, Kind::kFile);
  EXPECT_EQ(Map("/" + std::string(251, 'a')).kind, Kind::kHidden);
  std::string deep;
  for (int i = 0; i < 1500; ++i) deep += "/abc";
  EXPECT_EQ(Map(deep).kind, Kind::kHidden);
}

}  // namespace
}  // namespace headgate::files
