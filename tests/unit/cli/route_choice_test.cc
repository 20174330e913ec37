// The choice of `headgate explain` against the data plane's own.
#include "controller/cli/route_choice.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "common/strings.h"
#include "controller/translate/emit.h"
#include "controller/translate/names.h"
#include "dataplane/base/arena.h"
#include "dataplane/config/config_builder.h"
#include "dataplane/http/uri.h"

namespace headgate::cli {
namespace {

TEST(RouteChoiceTest, PathsAreNormalisedAsInTheDataPlane) {
  for (const std::string raw :
       {"/", "/a", "/a/", "//a//b", "/a/./b", "/a/../b", "/a/b/..", "/%61/b", "/a%2Fb", "/.",
        "/a/.", "/%2e%2e", "/..", "/a/../..", "/a%", "/a%zz", "/a%20b", "/a/b/../../c/"}) {
    base::BlockPool pool;
    base::Arena arena(pool);
    http::NormalPath expected;
    const bool good = http::NormalizePath(raw, arena, expected);
    const auto got = NormalPath(raw);
    ASSERT_EQ(got.has_value(), good) << raw;
    if (good) {
      EXPECT_EQ(*got, expected.match) << raw;
    }
  }
}

TEST(RouteChoiceTest, UrlsAreTakenApart) {
  const auto request = ParseRequestUrl("https://Shop.Example:8443/a/../b?c=d#e");
  ASSERT_TRUE(request.ok());
  EXPECT_TRUE(request->tls);
  EXPECT_EQ(request->host, "shop.example");
  EXPECT_EQ(request->path, "/b");
  EXPECT_EQ(request->query, "?c=d");
  EXPECT_EQ(ParseRequestUrl("shop.example")->path, "/");
  EXPECT_FALSE(ParseRequestUrl("shop.example")->tls);
  EXPECT_EQ(ParseRequestUrl("http://[2001:db8::1]:80/x")->host, "[2001:db8::1]");
  EXPECT_EQ(ParseRequestUrl("shop.example?x")->query, "?x");
  EXPECT_FALSE(ParseRequestUrl("https:///x").ok());
  EXPECT_FALSE(ParseRequestUrl("http://a.example/../x").ok());
}

class RandomRoutes {
 public:
  explicit RandomRoutes(unsigned seed) : random_(seed) {
    for (const char* host : {"a.example", "*.example", "_"}) {
      if (Below(4) == 0) continue;
      v1::Resource resource;
      v1::VirtualHost& body = *resource.mutable_virtual_host();
      body.set_host(host);
      const bool regex = Below(3) == 0;
      std::vector<std::string> taken;
      for (int i = Below(5); i >= 0; --i) AddRoute(regex, StrCat(host, i), taken, body);
      translation_.resources.push_back(
          translate::Finish(translate::VirtualHostName(host), std::move(resource)));
    }
  }

  void Compare() {
    std::vector<const v1::Resource*> upserts;
    for (const auto& resource : translation_.resources) upserts.push_back(resource.get());
    config::ConfigBuilder builder({});
    const config::BuildResult built = builder.Apply(upserts, {});
    ASSERT_TRUE(built.refusals.empty()) << built.refusals.front().reason;
    for (const char* host : {"a.example", "b.example", "x.b.example", "other"}) {
      for (const char* path : {"/", "/a", "/a/", "/a/b", "/ab", "/A", "/a/b/c", "/b"}) {
        Request request;
        request.host = host;
        request.path = path;
        const Choice choice = Choose(translation_, request);
        http::RequestHead head;
        head.method_text = "GET";
        const route::HostRoutes* routes = built.update.config->hosts->Find(host);
        ASSERT_EQ(choice.host != nullptr, routes != nullptr) << host;
        if (routes == nullptr) continue;
        EXPECT_EQ(choice.host->host(), routes->host());
        const config::CompiledRoute* route = routes->Match(head, path);
        EXPECT_EQ(choice.route == nullptr ? "" : choice.route->origin().ingress(),
                  route == nullptr ? "" : std::string(route->origin.ingress))
            << host << path;
        const size_t all = static_cast<size_t>(choice.host->routes_size());
        EXPECT_EQ(choice.passed_over.size() + (choice.route == nullptr ? 0 : 1), all);
      }
    }
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  void AddRoute(bool regex, std::string name, std::vector<std::string>& taken,
                v1::VirtualHost& host) {
    const char* paths[] = {"/", "/a", "/a/", "/a/b", "/b"};
    const std::string path = paths[Below(5)];
    const bool exact = !regex && Below(3) == 0;
    const std::string key = StrCat(exact ? "=" : "", path);
    for (const std::string& other : taken) {
      if (other == key) return;
    }
    taken.push_back(key);
    v1::Route& route = *host.add_routes();
    if (regex) {
      route.mutable_match()->set_regex_path(Below(2) == 0 ? path : StrCat(path, "[a-c]"));
    } else if (exact) {
      route.mutable_match()->set_exact_path(path);
    } else {
      route.mutable_match()->set_prefix_path(path);
    }
    route.mutable_fixed_response()->set_status(200);
    route.mutable_origin()->set_ingress(std::move(name));
  }

  std::mt19937 random_;
  translate::Translation translation_;
};

TEST(RouteChoiceTest, TheDataPlaneChoosesTheSame) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    RandomRoutes(seed).Compare();
  }
}

}  // namespace
}  // namespace headgate::cli
