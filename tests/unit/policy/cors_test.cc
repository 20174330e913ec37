#include "dataplane/policy/cors.h"

#include <gtest/gtest.h>

namespace headgate::policy {
namespace {

bool Allowed(const char* pattern, std::string_view origin) {
  CorsPolicy policy;
  policy.origins.emplace_back(pattern);
  return Allows(policy, origin);
}

TEST(CorsTest, AnOriginIsComparedAsAWholeInAnyCase) {
  EXPECT_TRUE(Allowed("https://a.example", "https://a.example"));
  EXPECT_TRUE(Allowed("https://a.example", "HTTPS://A.Example"));
  EXPECT_FALSE(Allowed("https://a.example", "https://a.example.evil"));
  EXPECT_FALSE(Allowed("https://a.example", "evil https://a.example"));
  EXPECT_FALSE(Allowed("https://a.example", "http://a.example"));
  EXPECT_FALSE(Allowed("https://a.example", ""));
  EXPECT_TRUE(Allowed("null", "null"));
  EXPECT_TRUE(Allowed("foo://a.example", "foo://a.example"));
}

TEST(CorsTest, APortMustBeThereOrNot) {
  EXPECT_TRUE(Allowed("https://a.example:8443", "https://a.example:8443"));
  EXPECT_FALSE(Allowed("https://a.example:8443", "https://a.example"));
  EXPECT_FALSE(Allowed("https://a.example", "https://a.example:8443"));
  EXPECT_TRUE(Allowed("https://*.a.example:8443", "https://b.a.example:8443"));
  EXPECT_FALSE(Allowed("https://*.a.example", "https://b.a.example:8443"));
}

TEST(CorsTest, AStarIsExactlyOneLabel) {
  EXPECT_TRUE(Allowed("https://*.a.example", "https://b.a.example"));
  EXPECT_TRUE(Allowed("https://*.a.example", "HTTPS://B-1.A.EXAMPLE"));
  EXPECT_FALSE(Allowed("https://*.a.example", "https://a.example"));
  EXPECT_FALSE(Allowed("https://*.a.example", "https://.a.example"));
  EXPECT_FALSE(Allowed("https://*.a.example", "https://c.b.a.example"));
  EXPECT_FALSE(Allowed("https://*.a.example", "https://b_c.a.example"));
  EXPECT_FALSE(Allowed("https://*.a.example", "https://ba.example"));
}

TEST(CorsTest, FieldsReplaceThoseThatAreThere) {
  CorsPolicy policy;
  policy.origins = {"https://a.example"};
  policy.fields = {{"Access-Control-Max-Age", "5"}};
  http::HeaderMap fields;
  fields.Add("access-control-max-age", "7");
  fields.Add("access-control-allow-origin", "*");
  AddCorsFields(policy, "https://A.example", fields);
  ASSERT_EQ(fields.size(), 3U);
  EXPECT_EQ(fields.Get("Access-Control-Allow-Origin"), "https://A.example");
  EXPECT_EQ(fields.Get("Vary"), "Origin");
  EXPECT_EQ(fields.Get("Access-Control-Max-Age"), "5");
}

TEST(CorsTest, VaryIsAddedOnceAndOnlyWhereTheOriginCounts) {
  CorsPolicy policy;
  policy.origins = {"https://a.example"};
  for (const char* vary : {"Accept, origin", "*", "Origin"}) {
    http::HeaderMap fields;
    fields.Add("Vary", vary);
    AddCorsFields(policy, "https://a.example", fields);
    EXPECT_EQ(fields.size(), 2U) << vary;
  }
  policy.any_origin = true;
  http::HeaderMap fields;
  AddCorsFields(policy, "https://a.example", fields);
  EXPECT_EQ(fields.Find("Vary"), nullptr);
  EXPECT_EQ(fields.Get("Access-Control-Allow-Origin"), "*");
}

}  // namespace
}  // namespace headgate::policy
