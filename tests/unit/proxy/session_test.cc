#include "dataplane/proxy/session.h"

#include <gtest/gtest.h>

#include "dataplane/config/session_keys.h"
#include "dataplane/proxy/variables.h"

namespace headgate::proxy {
namespace {

using config::SessionCookie;

SessionCookie Named(std::string_view name) {
  SessionCookie cookie;
  cookie.name = name;
  return cookie;
}

class SessionCookieTest : public ::testing::Test {
 protected:
  std::string Make(bool over_tls = false, std::string_view user_agent = "") {
    return std::string(MakeSessionCookie({.cookie = cookie,
                                          .key = "key",
                                          .upstream_key = "upstream",
                                          .over_tls = over_tls,
                                          .user_agent = user_agent,
                                          .now = 1'290'079'655},
                                         arena));
  }

  base::BlockPool blocks;
  base::Arena arena{blocks};
  SessionCookie cookie = Named("ROUTE");
};

TEST_F(SessionCookieTest, HasOnlyTheAttributesThatAreSet) {
  EXPECT_EQ(Make(), "ROUTE=key|upstream; HttpOnly");
  EXPECT_EQ(Make(true), "ROUTE=key|upstream; Secure; HttpOnly");
}

TEST_F(SessionCookieTest, HasItsAttributesInOneOrder) {
  cookie.expires_seconds = 0;
  cookie.max_age_seconds = 60;
  cookie.domain = "example.com";
  cookie.path = "/a";
  cookie.secure = true;
  cookie.same_site = SessionCookie::SameSite::kStrict;
  EXPECT_EQ(Make(),
            "ROUTE=key|upstream; Expires=Thu, 18-Nov-10 11:27:35 GMT; Max-Age=60; "
            "Domain=example.com; Path=/a; "
            "Secure; HttpOnly; SameSite=Strict");
}

TEST_F(SessionCookieTest, LeavesOutSameSiteNoneForClientsThatMisreadIt) {
  cookie.same_site = SessionCookie::SameSite::kNone;
  const std::string_view chrome_60 =
      "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/60.0.3112.90 Safari/537.36";
  EXPECT_TRUE(Make(false, chrome_60).ends_with("; SameSite=None"));
  cookie.conditional_same_site_none = true;
  EXPECT_TRUE(Make(false, chrome_60).ends_with("; HttpOnly"));
  EXPECT_TRUE(
      Make(false, "Mozilla/5.0 (X11) Chrome/120.0 Safari/537.36").ends_with("; SameSite=None"));
}

TEST(SameSiteNone, IsMisreadByTheseAlone) {
  EXPECT_TRUE(MisreadsSameSiteNone("Chrome/40.0"));
  EXPECT_TRUE(MisreadsSameSiteNone("Chrome/69.0"));
  EXPECT_FALSE(MisreadsSameSiteNone("Chrome/70.0"));
  EXPECT_FALSE(MisreadsSameSiteNone("Chrome/600.0"));
  EXPECT_TRUE(MisreadsSameSiteNone("Mozilla/5.0 (iPhone; CPU iPhone OS 12_4 like Mac OS X)"));
  EXPECT_FALSE(MisreadsSameSiteNone("Mozilla/5.0 (iPhone; CPU iPhone OS 13_4 like Mac OS X)"));
  EXPECT_TRUE(MisreadsSameSiteNone(
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) Version/12.1 Safari/605"));
  EXPECT_FALSE(MisreadsSameSiteNone(
      "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_6) Version/13.1 Safari/605"));
  EXPECT_FALSE(MisreadsSameSiteNone(""));
}

TEST(SessionKeyIn, IsReadFromCookiesOfTheUpstreamAlone) {
  EXPECT_EQ(SessionKeyIn("abc|up", "up"), "abc");
  EXPECT_EQ(SessionKeyIn("abc|other", "up"), "");
  EXPECT_EQ(SessionKeyIn("abc", "up"), "");
  EXPECT_EQ(SessionKeyIn("", "up"), "");
}

// Worked out by another program from the description of ingress-nginx's cookies.
TEST(SessionKeys, AreThoseOfIngressNginx) {
  const std::vector<std::string> endpoints = {"10.0.0.1:8080", "10.0.0.2:8080"};
  const config::SessionKeys keys("default-shop-80", endpoints);
  EXPECT_EQ(keys.upstream_key(), "a630d342a7253deaa8858cf51930c012");
  EXPECT_EQ(keys.endpoint_key(0), "9809cb30f0cbee517e98ec6f00e4532e");
  EXPECT_EQ(keys.FindEndpoint(keys.endpoint_key(1)), 1u);
  EXPECT_EQ(keys.FindEndpoint("unheard-of"), std::nullopt);
}

TEST(FindCookie, LooksThroughAllFields) {
  http::HeaderMap fields;
  fields.Add("Cookie", "a=1; ROUTE=x|y;b=2");
  fields.Add("cookie", "c=3");
  EXPECT_EQ(FindCookie(fields, "ROUTE"), "x|y");
  EXPECT_EQ(FindCookie(fields, "a"), "1");
  EXPECT_EQ(FindCookie(fields, "c"), "3");
  EXPECT_EQ(FindCookie(fields, "OUTE"), "");
}

}  // namespace
}  // namespace headgate::proxy
