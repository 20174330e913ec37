#include "dataplane/policy/password_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace headgate::policy {
namespace {

struct Known {
  const char* password;
  const char* hash;  // made by openssl passwd, libxcrypt and Python
  HashCost cost;
};

class PasswordHashTest : public ::testing::TestWithParam<Known> {};

TEST_P(PasswordHashTest, MatchesWhatItWasMadeOfAndNothingElse) {
  const auto& [password, hash, cost] = GetParam();
  EXPECT_EQ(CostOf(hash), cost);
  EXPECT_TRUE(MatchesHash(password, hash));
  EXPECT_FALSE(MatchesHash(std::string(password) + "x", hash));
  EXPECT_FALSE(MatchesHash("Secret", hash));
  EXPECT_FALSE(MatchesHash(password, std::string(hash).substr(0, std::string(hash).size() - 2)));
  std::string other = hash;
  other.back() = other.back() == '/' ? '0' : '/';
  EXPECT_FALSE(MatchesHash(password, other));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, PasswordHashTest,
    ::testing::Values(
        Known{"secret", "{PLAIN}secret", HashCost::kLow},
        Known{"secret", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", HashCost::kLow},
        Known{"secret", "{SSHA}D4kSuvPIF4rZzl+dW9Km/1788fBwZXBwZXI=", HashCost::kLow},
        Known{"open sesame", "$apr1$xxxxxxxx$pSiIQHoIckPMYlx4GM2k7/", HashCost::kHigh},
        Known{"a-password-that-is-longer-than-sixteen-bytes", "$apr1$ab$ekjgtklywCKLoSGeQFxWi1",
              HashCost::kHigh},
        Known{"", "$apr1$q$qnoBAcGhblL0pIKbcxCkt0", HashCost::kHigh},
        Known{"secret", "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", HashCost::kHigh},
        Known{"secret", "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA", HashCost::kHigh},
        Known{
            "secret",
            "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN."
            "Pq.H91p5hVO1",
            HashCost::kHigh},
        Known{"secret",
              "$6$rounds=2000$salt$"
              "u7cSKlbs430YNh4c8E2siLp24BOxTp27JE5LCV0Yqe9JXjty9hpsnBlkASUIX2g7xIprOmQMY/"
              "C0Ph3Vp1vTI/",
              HashCost::kHigh},
        Known{"secret", "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
              HashCost::kHigh},
        Known{"secret", "$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
              HashCost::kHigh},
        Known{"secret", "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW",
              HashCost::kHigh}));

TEST(PasswordHashTest, TraditionalDesLooksAtEightBytes) {
  EXPECT_EQ(CostOf("abNANd1rDfiNc"), HashCost::kLow);
  EXPECT_TRUE(MatchesHash("secret", "abNANd1rDfiNc"));
  EXPECT_FALSE(MatchesHash("secreT", "abNANd1rDfiNc"));
}

TEST(PasswordHashTest, WhatIsNoHashMatchesNothing) {
  for (const char* hash : {"", "*", "*0", "*1", "!", "secret", "$", "$9$x$y", "$2b$04$",
                           "$2b$xx$abcdefghijklmnopqrstuu", "{SHA}", "{SSHA}", "{SHA}????",
                           "{SSHA}c2hvcnQ=", "$y$j9T$abc$def", "_J9..rasmBYk8r9AiWNc", "$apr1$",
                           "$6$", "$apr1$xxxxxxxx$"}) {
    for (const char* password : {"", "secret", "*", "*0", "$", "{SHA}"}) {
      EXPECT_FALSE(MatchesHash(password, hash)) << hash << " " << password;
    }
  }
}

TEST(PasswordHashTest, WhatWouldTakeTooLongIsNotTried) {
  EXPECT_EQ(CostOf("$6$rounds=999999999$salt$x"), HashCost::kNone);
  EXPECT_EQ(CostOf("$5$rounds=1000001$salt$x"), HashCost::kNone);
  EXPECT_EQ(CostOf("$6$rounds=99999999999999999999$salt$x"), HashCost::kNone);
  EXPECT_EQ(CostOf("$2b$15$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"),
            HashCost::kNone);
  EXPECT_EQ(CostOf("$2b$14$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"),
            HashCost::kHigh);
  EXPECT_FALSE(MatchesHash(std::string(513, 'a'), "{PLAIN}" + std::string(513, 'a')));
  EXPECT_FALSE(MatchesHash(std::string_view("a\0b", 3), "{PLAIN}a"));
}

}  // namespace
}  // namespace headgate::policy
