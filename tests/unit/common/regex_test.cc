#include "common/regex.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace headgate {
namespace {

using Anchor = Regex::Anchor;
using Case = Regex::Case;
using Result = Regex::Result;

std::shared_ptr<const Regex> Compile(std::string_view pattern, Anchor anchor = Anchor::kNone,
                                     Case letters = Case::kSensitive) {
  std::string error;
  auto regex = Regex::Compile(pattern, anchor, letters, &error);
  EXPECT_NE(regex, nullptr) << pattern << ": " << error;
  return regex;
}

// The same pattern for both libraries: the second has a look-ahead that always holds.
class RegexTest : public testing::TestWithParam<bool> {
 protected:
  std::shared_ptr<const Regex> Make(std::string_view pattern, Anchor anchor = Anchor::kNone,
                                    Case letters = Case::kSensitive) {
    auto regex = Compile(GetParam() ? "(?=)(?:" + std::string(pattern) + ")" : std::string(pattern),
                         anchor, letters);
    EXPECT_EQ(regex->backtracks(), GetParam());
    return regex;
  }
};

TEST_P(RegexTest, AnchorsSayWhereItMustBe) {
  EXPECT_EQ(Make("b")->Search("abc"), Result::kFound);
  EXPECT_EQ(Make("b", Anchor::kStart)->Search("abc"), Result::kNotFound);
  EXPECT_EQ(Make("a", Anchor::kStart)->Search("abc"), Result::kFound);
  EXPECT_EQ(Make("a|abc", Anchor::kBoth)->Search("abc"), Result::kFound);
  EXPECT_EQ(Make("ab", Anchor::kBoth)->Search("abc"), Result::kNotFound);
  EXPECT_EQ(Make("c$")->Search("c\n"), Result::kNotFound);
}

TEST_P(RegexTest, LettersMayBeOfEitherCase) {
  EXPECT_EQ(Make("AB")->Search("ab"), Result::kNotFound);
  EXPECT_EQ(Make("AB", Anchor::kNone, Case::kIgnored)->Search("xab"), Result::kFound);
}

TEST_P(RegexTest, TextIsBytes) {
  EXPECT_EQ(Make("^..$")->Search("\xc3\xbc"), Result::kFound);
  EXPECT_EQ(Make("a.b")->Search(std::string_view("a\0b", 3)), Result::kFound);
  EXPECT_EQ(Make("^$")->Search({}), Result::kFound);
}

TEST_P(RegexTest, GroupsThatMatchNothingAreEmpty) {
  std::array<std::string_view, 5> groups;
  groups.fill("before");
  EXPECT_EQ(Make("/(a)|/(b)(c)?")->Search("x/b", groups), Result::kFound);
  EXPECT_EQ(groups[0], "/b");
  EXPECT_EQ(groups[1], "");
  EXPECT_EQ(groups[2], "b");
  EXPECT_EQ(groups[3], "");
  EXPECT_EQ(groups[4], "");
}

TEST_P(RegexTest, MoreGroupsThanAnybodyAsksForAreNoHarm) {
  const auto regex = Make("(1)(2)(3)(4)(5)(6)(7)(8)(9)(A)(B)");
  EXPECT_EQ(regex->group_count(), 11);
  std::array<std::string_view, Regex::kMaxGroups> groups;
  EXPECT_EQ(regex->Search("123456789AB", groups), Result::kFound);
  EXPECT_EQ(groups[9], "9");
}

INSTANTIATE_TEST_SUITE_P(Libraries, RegexTest, testing::Bool(),
                         [](const auto& library) { return library.param ? "Pcre2" : "Re2"; });

TEST(RegexPatternTest, LookAroundAndBackReferencesAreThere) {
  EXPECT_TRUE(Compile("^/(?!admin)")->backtracks());
  EXPECT_EQ(Compile("^/(?!admin)")->Search("/admin/x"), Result::kNotFound);
  EXPECT_EQ(Compile("^/(?!admin)")->Search("/user"), Result::kFound);
  EXPECT_EQ(Compile("(.)\\1")->Search("abba"), Result::kFound);
  EXPECT_EQ(Compile("(?<=a)b")->Search("cb ab"), Result::kFound);
  EXPECT_EQ(Compile("a++b")->Search("aab"), Result::kFound);
}

TEST(RegexPatternTest, WhatTakesTooLongIsGivenUpAndCounted) {
  const auto regex = Compile("^(?=a)(a|aa|a?)+$");
  ASSERT_TRUE(regex->backtracks());
  const uint64_t before = Regex::given_up();
  const std::string text = std::string(2000, 'a') + "b";
  EXPECT_EQ(regex->Search(text), Result::kGaveUp);
  EXPECT_EQ(Regex::given_up(), before + 1);
  EXPECT_TRUE(regex->Finds(text, /*when_in_doubt=*/true));
  EXPECT_FALSE(regex->Finds(text, /*when_in_doubt=*/false));
  EXPECT_EQ(regex->Search("aaa"), Result::kFound);
}

TEST(RegexPatternTest, WhatNeitherTakesIsSaid) {
  for (const char* pattern : {"(", "[", "a{2,1}", "(?=", "((a{100}){100}){100}", "\\C(?=a)"}) {
    std::string error;
    EXPECT_EQ(Regex::Compile(pattern, Anchor::kNone, Case::kSensitive, &error), nullptr) << pattern;
    EXPECT_FALSE(error.empty()) << pattern;
  }
}

}  // namespace
}  // namespace headgate
