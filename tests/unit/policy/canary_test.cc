#include "dataplane/policy/canary.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace headgate::policy {
namespace {

std::shared_ptr<const Regex> Compile(std::string_view pattern) {
  std::string error;
  return Regex::Compile(pattern, Regex::Anchor::kNone, Regex::Case::kSensitive, &error);
}

bool Decide(const CanaryRules& rules, const char* header, std::string_view cookie = "",
            uint64_t random = 99) {
  http::HeaderMap fields;
  if (header != nullptr) fields.Add("X-Canary", header);
  return BelongsToCanary(rules, fields, cookie, random);
}

TEST(CanaryTest, TheHeaderComesBeforeTheCookieAndThatBeforeTheWeight) {
  CanaryRules rules;
  rules.header = "x-canary";
  rules.cookie = "c";
  rules.weight = 50;
  EXPECT_TRUE(Decide(rules, "always", "never"));
  EXPECT_FALSE(Decide(rules, "never", "always", 0));
  EXPECT_TRUE(Decide(rules, "other", "always"));
  EXPECT_FALSE(Decide(rules, "other", "never", 0));
  EXPECT_TRUE(Decide(rules, "other", "other", 49));
  EXPECT_FALSE(Decide(rules, nullptr, "", 50));
}

TEST(CanaryTest, WithAValueNoWordCounts) {
  CanaryRules rules;
  rules.header = "x-canary";
  rules.header_value = "yes";
  EXPECT_TRUE(Decide(rules, "yes"));
  EXPECT_FALSE(Decide(rules, "always"));
  EXPECT_TRUE(Decide(rules, "never", "always"));
  EXPECT_FALSE(Decide(rules, "Yes"));
}

TEST(CanaryTest, APatternIsSearchedForInTheValue) {
  CanaryRules rules;
  rules.header = "x-canary";
  rules.header_pattern = Compile("v[12]");
  EXPECT_TRUE(Decide(rules, "some v2 of it"));
  EXPECT_FALSE(Decide(rules, "V2"));
  EXPECT_FALSE(Decide(rules, nullptr));
  EXPECT_TRUE(Decide(rules, "v3", "always"));
}

TEST(CanaryTest, ABrokenPatternLeavesNothingToTheOtherRules) {
  CanaryRules rules;
  rules.header = "x-canary";
  rules.header_pattern_broken = true;
  rules.weight = 100;
  EXPECT_FALSE(Decide(rules, "v1", "always", 0));
  EXPECT_TRUE(Decide(rules, nullptr));
}

TEST(CanaryTest, TheWeightIsAShareOfTheTotal) {
  CanaryRules rules;
  EXPECT_FALSE(Decide(rules, nullptr, "", 0));
  rules.weight = 1;
  rules.weight_total = 1000;
  EXPECT_TRUE(Decide(rules, nullptr, "", 5000));
  EXPECT_FALSE(Decide(rules, nullptr, "", 5001));
  rules.weight = 1000;
  EXPECT_TRUE(Decide(rules, nullptr, "", 999));
  rules.weight = 2000;
  EXPECT_TRUE(Decide(rules, nullptr, "", 999));
}

}  // namespace
}  // namespace headgate::policy
