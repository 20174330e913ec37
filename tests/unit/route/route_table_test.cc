#include "dataplane/route/route_table.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dataplane/config/compiled_config.h"
#include "dataplane/route/host_table.h"

namespace headgate::route {
namespace {

using http::FieldId;

http::RequestHead Get() {
  http::RequestHead request;
  request.method_text = "GET";
  request.target = "/";
  return request;
}

// Routes named by a number; the table is asked for numbers.
class RouteTableTest : public ::testing::Test {
 protected:
  RouteSpec Path(PathKind kind, std::string_view path) {
    RouteSpec spec;
    spec.kind = kind;
    spec.path = path;
    return spec;
  }
  RouteSpec Exact(std::string_view path) { return Path(PathKind::kExact, path); }
  RouteSpec Prefix(std::string_view path) { return Path(PathKind::kPrefix, path); }
  RouteSpec Regex(std::string_view pattern) {
    RouteSpec spec;
    spec.kind = PathKind::kRegex;
    std::string error;
    spec.regex = CompilePathRegex(pattern, &error);
    EXPECT_NE(spec.regex, nullptr) << error;
    return spec;
  }
  static RouteSpec WithMethod(RouteSpec spec, const std::string& method) {
    spec.conditions.methods.push_back(method);
    return spec;
  }
  static RouteSpec WithHeader(RouteSpec spec, const std::string& name, ValueCondition::Kind kind,
                              const std::string& text = "") {
    spec.conditions.headers.push_back(Condition(name, kind, text));
    return spec;
  }
  static RouteSpec WithQuery(RouteSpec spec, const std::string& name, ValueCondition::Kind kind,
                             const std::string& text = "") {
    spec.conditions.query.push_back(Condition(name, kind, text));
    return spec;
  }
  static ValueCondition Condition(const std::string& name, ValueCondition::Kind kind,
                                  const std::string& text) {
    ValueCondition condition{.name = name, .kind = kind, .text = text, .regex = nullptr};
    std::string error;
    if (kind == ValueCondition::Kind::kRegex) condition.regex = CompileValueRegex(text, &error);
    return condition;
  }

  void Build(std::vector<RouteSpec> specs) {
    targets_.resize(specs.size());
    for (size_t i = 0; i < specs.size(); ++i) specs[i].target = &targets_[i];
    table_ = RouteTable(std::move(specs));
  }

  // Index of the route that takes the request, -1 for none.
  int Ask(std::string_view path) {
    const config::CompiledRoute* route = table_.Match(request_, path);
    return route ? static_cast<int>(route - targets_.data()) : -1;
  }

  http::RequestHead request_ = Get();

 private:
  std::vector<config::CompiledRoute> targets_;
  RouteTable table_;
};

TEST_F(RouteTableTest, MatchesNothingWhenEmpty) {
  Build({});
  EXPECT_EQ(Ask("/"), -1);
  EXPECT_EQ(Ask(""), -1);
}

TEST_F(RouteTableTest, ExactMatchesTheWholePathOnly) {
  Build({Exact("/foo")});
  EXPECT_EQ(Ask("/foo"), 0);
  EXPECT_EQ(Ask("/foo/"), -1);
  EXPECT_EQ(Ask("/Foo"), -1);
  EXPECT_EQ(Ask("/foo/bar"), -1);
  EXPECT_EQ(Ask("/fo"), -1);
}

TEST_F(RouteTableTest, PrefixMatchesBySegment) {
  Build({Prefix("/foo")});
  EXPECT_EQ(Ask("/foo"), 0);
  EXPECT_EQ(Ask("/foo/"), 0);
  EXPECT_EQ(Ask("/foo/bar"), 0);
  EXPECT_EQ(Ask("/foobar"), -1);
  EXPECT_EQ(Ask("/foo-bar"), -1);
  EXPECT_EQ(Ask("/FOO"), -1);
  EXPECT_EQ(Ask("/"), -1);
}

TEST_F(RouteTableTest, PrefixWithSlashMatchesOnlyBelowIt) {
  Build({Prefix("/foo/")});
  EXPECT_EQ(Ask("/foo"), -1);
  EXPECT_EQ(Ask("/foo/"), 0);
  EXPECT_EQ(Ask("/foo/bar"), 0);
}

TEST_F(RouteTableTest, RootPrefixMatchesEveryPath) {
  Build({Prefix("/")});
  EXPECT_EQ(Ask("/"), 0);
  EXPECT_EQ(Ask("/anything/at/all"), 0);
  EXPECT_EQ(Ask("*"), -1) << "the target of OPTIONS * is no path";
}

TEST_F(RouteTableTest, LongestPrefixWins) {
  Build({Prefix("/"), Prefix("/a/b"), Prefix("/a"), Prefix("/a/b/"), Prefix("/a-b")});
  EXPECT_EQ(Ask("/x"), 0);
  EXPECT_EQ(Ask("/a"), 2);
  EXPECT_EQ(Ask("/a/c"), 2);
  EXPECT_EQ(Ask("/a/b"), 1);
  EXPECT_EQ(Ask("/a/b/"), 3);
  EXPECT_EQ(Ask("/a/b/c/d"), 3);
  EXPECT_EQ(Ask("/a/bc"), 2);
  EXPECT_EQ(Ask("/a-b/c"), 4);
  EXPECT_EQ(Ask("/a-c"), 0);
}

TEST_F(RouteTableTest, ExactBeatsPrefixOfTheSamePath) {
  Build({Prefix("/foo"), Exact("/foo")});
  EXPECT_EQ(Ask("/foo"), 1);
  EXPECT_EQ(Ask("/foo/"), 0);
}

TEST_F(RouteTableTest, AnExactPathBetweenDoesNotHideShorterPrefixes) {
  Build({Prefix("/a"), Exact("/a/b"), Exact("/a/b/c")});
  EXPECT_EQ(Ask("/a/b/d"), 0);
  EXPECT_EQ(Ask("/a/b/cc"), 0);
}

TEST_F(RouteTableTest, RegexIsCaseInsensitiveAndAnchoredAtTheStartOnly) {
  Build({Regex("/foo/[a-z]{3}")});
  EXPECT_EQ(Ask("/foo/abc"), 0);
  EXPECT_EQ(Ask("/FOO/ABCdef/g"), 0);
  EXPECT_EQ(Ask("/x/foo/abc"), -1);
  EXPECT_EQ(Ask("/foo/ab"), -1);
}

TEST_F(RouteTableTest, RegexesAreTriedInTheOrderGiven) {
  Build({Regex("/id/[0-9]+$"), Regex("/id/.*"), Regex("/id/7")});
  EXPECT_EQ(Ask("/id/7"), 0);
  EXPECT_EQ(Ask("/id/7a"), 1);
}

TEST_F(RouteTableTest, RegexStandsBetweenExactAndPrefix) {
  Build({Prefix("/a/longer/prefix"), Regex("/a"), Exact("/a/exact")});
  EXPECT_EQ(Ask("/a/longer/prefix"), 1);
  EXPECT_EQ(Ask("/a/exact"), 2);
}

TEST_F(RouteTableTest, RegexMatchesBytesThatAreNotUtf8) {
  Build({Regex("/x.y")});
  EXPECT_EQ(Ask("/x\xffy"), 0);
}

TEST_F(RouteTableTest, ABadRegexIsAnError) {
  std::string error;
  EXPECT_EQ(CompilePathRegex("/a(", &error), nullptr);
  EXPECT_FALSE(error.empty());
  error.clear();
  EXPECT_EQ(CompilePathRegex("/((a{100}){100}){100}", &error), nullptr);
  EXPECT_FALSE(error.empty());
}

TEST_F(RouteTableTest, ACandidateWhoseMethodDiffersGivesWay) {
  Build({Prefix("/"), WithMethod(Prefix("/a"), "POST"), WithMethod(Exact("/a"), "PUT")});
  EXPECT_EQ(Ask("/a"), 0);
  request_.method_text = "POST";
  EXPECT_EQ(Ask("/a"), 1);
  request_.method_text = "PUT";
  EXPECT_EQ(Ask("/a"), 2);
  EXPECT_EQ(Ask("/a/b"), 0);
}

TEST_F(RouteTableTest, MoreDemandingCandidatesOfAPathComeFirst) {
  using Kind = ValueCondition::Kind;
  Build({Prefix("/"), WithHeader(Prefix("/"), "x-canary", Kind::kPresent),
         WithHeader(WithHeader(Prefix("/"), "x-canary", Kind::kPresent), "x-user", Kind::kPresent),
         WithMethod(Prefix("/"), "GET")});
  EXPECT_EQ(Ask("/"), 3);
  request_.method_text = "POST";
  EXPECT_EQ(Ask("/"), 0);
  request_.fields.Add(FieldId::kOther, "X-Canary", "1");
  EXPECT_EQ(Ask("/"), 1);
  request_.fields.Add(FieldId::kOther, "X-User", "7");
  EXPECT_EQ(Ask("/"), 2);
}

TEST_F(RouteTableTest, HeaderConditions) {
  using Kind = ValueCondition::Kind;
  Build({WithHeader(Exact("/exact"), "x", Kind::kExact, "yes"),
         WithHeader(Exact("/regex"), "x", Kind::kRegex, "y.s"),
         WithHeader(Exact("/present"), "x", Kind::kPresent),
         WithHeader(Exact("/absent"), "x", Kind::kAbsent)});
  EXPECT_EQ(Ask("/exact"), -1);
  EXPECT_EQ(Ask("/present"), -1);
  EXPECT_EQ(Ask("/absent"), 3);
  request_.fields.Add(FieldId::kOther, "X", "yess");
  EXPECT_EQ(Ask("/exact"), -1);
  EXPECT_EQ(Ask("/regex"), -1) << "the whole value must fit";
  EXPECT_EQ(Ask("/present"), 2);
  EXPECT_EQ(Ask("/absent"), -1);
  request_.fields.Add(FieldId::kOther, "x", "yes");
  EXPECT_EQ(Ask("/exact"), 0) << "a second field of the name counts, too";
  EXPECT_EQ(Ask("/regex"), 1);
}

TEST_F(RouteTableTest, QueryConditions) {
  using Kind = ValueCondition::Kind;
  Build({WithQuery(Exact("/exact"), "q", Kind::kExact, "a b&c"),
         WithQuery(Exact("/regex"), "q", Kind::kRegex, "a.+"),
         WithQuery(Exact("/present"), "q", Kind::kPresent),
         WithQuery(Exact("/absent"), "q", Kind::kAbsent)});
  EXPECT_EQ(Ask("/absent"), 3);
  request_.target = "/?qq=1&q";
  EXPECT_EQ(Ask("/present"), 2);
  EXPECT_EQ(Ask("/exact"), -1);
  request_.target = "/?x=1&%71=a%20b%26c";
  EXPECT_EQ(Ask("/exact"), 0);
  EXPECT_EQ(Ask("/regex"), 1);
  EXPECT_EQ(Ask("/absent"), -1);
  request_.target = "/?q=a+b%26c";
  EXPECT_EQ(Ask("/exact"), 0);
  request_.target = "/?q=%zz&&=";
  EXPECT_EQ(Ask("/present"), 2);
  EXPECT_EQ(Ask("/exact"), -1);
}

TEST(HostTable, AHostWithoutAFittingRouteDoesNotFallBackToAnother) {
  config::CompiledRoute route;
  RouteSpec spec;
  spec.path = "/only";
  spec.target = &route;
  base::HostMap<HostRoutes>::Edit edit{base::HostMap<HostRoutes>()};
  edit.Set(std::make_shared<HostRoutes>("a.com", RouteTable({spec}), nullptr));
  spec.path = "/";
  edit.Set(std::make_shared<HostRoutes>("_", RouteTable({spec}), nullptr));
  const HostTable table(std::move(edit).Finish());
  const http::RequestHead request = Get();
  EXPECT_EQ(table.Find("a.com")->Match(request, "/other"), nullptr);
  EXPECT_EQ(table.Find("a.com")->Match(request, "/only"), &route);
  EXPECT_EQ(table.Find("b.com")->Match(request, "/other"), &route);
}

}  // namespace
}  // namespace headgate::route
