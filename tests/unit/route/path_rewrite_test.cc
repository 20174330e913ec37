#include "dataplane/route/path_rewrite.h"

#include <gtest/gtest.h>

#include <string>

#include "dataplane/route/route_table.h"

namespace headgate::route {
namespace {

using Outcome = PathRewrite::Outcome;

class PathRewriteTest : public testing::Test {
 protected:
  PathRewrite::Result Apply(std::string_view regex, std::string_view target, std::string_view path,
                            std::string_view prefix = "") {
    std::string error;
    auto compiled = CompileRewriteRegex(regex, &error);
    EXPECT_NE(compiled, nullptr) << error;
    rewrite_ = PathRewrite::Make(std::move(compiled), target, prefix, &error);
    EXPECT_NE(rewrite_, nullptr) << error;
    return rewrite_->Apply(path, "https", arena_);
  }
  std::string Path(std::string_view regex, std::string_view target, std::string_view path) {
    const auto result = Apply(regex, target, path);
    EXPECT_EQ(result.outcome, Outcome::kPath);
    return std::string(result.target);
  }

 private:
  base::BlockPool pool_;
  base::Arena arena_{pool_};
  std::unique_ptr<const PathRewrite> rewrite_;
};

TEST_F(PathRewriteTest, TheWholePathBecomesTheTarget) {
  EXPECT_EQ(Path("/something(/|$)(.*)", "/$2", "/something"), "/");
  EXPECT_EQ(Path("/something(/|$)(.*)", "/$2", "/something/"), "/");
  EXPECT_EQ(Path("/something(/|$)(.*)", "/$2", "/something/new"), "/new");
  EXPECT_EQ(Path("/api", "/v1", "/api/users"), "/v1");
  EXPECT_EQ(Path("/a/(.*)/b/(.*)", "/$2-$1", "/a/x/b/y"), "/y-x");
}

TEST_F(PathRewriteTest, ThePatternIsSearchedForInAnyCase) {
  EXPECT_EQ(Path("/api/(.*)", "/$1", "/before/API/users"), "/users");
  EXPECT_EQ(Apply("/api/(.*)", "/$1", "/other").outcome, Outcome::kUnchanged);
}

TEST_F(PathRewriteTest, GroupsThatAreNotThereAreEmpty) {
  EXPECT_EQ(Path("/a", "/$3", "/a"), "/");
  EXPECT_EQ(Path("/a(/b)?", "/x$1", "/a"), "/x");
}

TEST_F(PathRewriteTest, AResultWithoutSlashGetsOne) {
  EXPECT_EQ(Path("/api/?(.*)", "$1", "/api/users"), "/users");
  EXPECT_EQ(Path("/api(.*)", "$1", "/api"), "/");
}

TEST_F(PathRewriteTest, WhatIsNoPathCharacterIsEncoded) {
  EXPECT_EQ(Path("/a(.*)", "/b$1", "/a/x y?z#%"), "/b/x%20y%3Fz%23%25");
  EXPECT_EQ(Path("/a(.*)", "/b$1", "/a/\xc3\xa4"), "/b/%C3%A4");
}

TEST_F(PathRewriteTest, DotSegmentsThatTheTargetMakesAreResolvedOrRefused) {
  EXPECT_EQ(Apply("/api(.*)", "/$1", "/api../admin").outcome, Outcome::kRefused);
  EXPECT_EQ(Path("/api(.*)", "/v1/x$1", "/api/../../y"), "/y");
  EXPECT_EQ(Path("/api(.*)", "/v1/$1", "/api../admin"), "/admin");
  EXPECT_EQ(Apply("/api(.*)", "/v1/$1", "/api..;/admin").outcome, Outcome::kRefused);
}

TEST_F(PathRewriteTest, AnAbsoluteUrlIsARedirect) {
  auto result = Apply("/old/(.*)", "https://new.example/$1", "/old/a b");
  EXPECT_EQ(result.outcome, Outcome::kRedirect);
  EXPECT_EQ(result.target, "https://new.example/a%20b");
  result = Apply("/(.*)", "$scheme://new.example/$1", "/x");
  EXPECT_EQ(result.outcome, Outcome::kRedirect);
  EXPECT_EQ(result.target, "https://new.example/x");
}

TEST_F(PathRewriteTest, ThePrefixTakesTheSameGroups) {
  EXPECT_EQ(Apply("/([a-z]+)/(.*)", "/$2", "/shop/cart", "/$1").forwarded_prefix, "/shop");
  EXPECT_EQ(Apply("/([a-z]+)/(.*)", "/$2", "/shop/cart").forwarded_prefix, "");
}

TEST_F(PathRewriteTest, ATargetCannotMultiplyAPathWithoutBound) {
  std::string target = "/";
  for (int i = 0; i < 100; ++i) target += "$1";
  const std::string path = "/" + std::string(1000, 'a');
  EXPECT_EQ(Apply("/(.*)", target, path).outcome, Outcome::kRefused);
  EXPECT_EQ(Apply("/(.*)", "/$1", path, target).outcome, Outcome::kRefused);
}

TEST_F(PathRewriteTest, ADollarStandsBeforeADigit) {
  std::string error;
  const auto regex = CompileRewriteRegex("/(a)", &error);
  for (const char* target : {"/$", "/$0", "/$x", "/$uri", "/$$1", "/${1}"}) {
    EXPECT_EQ(PathRewrite::Make(regex, target, "", &error), nullptr) << target;
    EXPECT_EQ(PathRewrite::Make(regex, "/", target, &error), nullptr) << target;
  }
}

}  // namespace
}  // namespace headgate::route
