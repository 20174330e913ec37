#include "controller/translate/annotations/nginx_syntax.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_join.h"

namespace headgate::translate {
namespace {

using ::testing::HasSubstr;

// "1:name|word{...}", directives apart by a blank.
std::string Shown(const std::vector<NginxDirective>& directives) {
  return absl::StrJoin(directives, " ", [](std::string* out, const NginxDirective& directive) {
    *out += std::to_string(directive.line) + ":" + absl::StrJoin(directive.words, "|");
    if (directive.has_block) *out += "{" + Shown(directive.block) + "}";
  });
}

std::string Parsed(std::string_view text) {
  const NginxText parsed = ParseNginx(text);
  EXPECT_EQ(parsed.problem, "");
  return Shown(parsed.directives);
}

std::string Problem(std::string_view text) {
  const NginxText parsed = ParseNginx(text);
  EXPECT_TRUE(parsed.directives.empty());
  return parsed.problem;
}

TEST(NginxSyntaxTest, WordsEndWithBlanksAndSemicolons) {
  EXPECT_EQ(Parsed("return 404;"), "1:return|404");
  EXPECT_EQ(Parsed(" a\tb\r\nc ;d;"), "1:a|b|c 2:d");
  EXPECT_EQ(Parsed(""), "");
  EXPECT_EQ(Parsed("a b}c;"), "1:a|b}c") << "a brace within a word is part of it";
}

TEST(NginxSyntaxTest, BlocksHoldDirectives) {
  EXPECT_EQ(Parsed("if ($host = a) {\n return 403;\n}\nb;"), "1:if|($host|=|a){2:return|403} 4:b");
  EXPECT_EQ(Parsed("a{b{c;}}"), "1:a{1:b{1:c}}");
}

TEST(NginxSyntaxTest, QuotationsAreOneWord) {
  EXPECT_EQ(Parsed("a \"b c;{}#\" 'd \"e';"), "1:a|b c;{}#|d \"e");
  EXPECT_EQ(Parsed("a \"\" '';"), "1:a||");
  EXPECT_EQ(Parsed("if ($a = \"b\") { c; }"), "1:if|($a|=|b|){1:c}");
  EXPECT_EQ(Parsed("a \"x\ny\";\nb;"), "1:a|x\ny 3:b");
}

TEST(NginxSyntaxTest, BackslashesEscapeWhatNginxEscapes) {
  EXPECT_EQ(Parsed(R"(a "b\"c\\d" e\.f \$g;)"), R"(1:a|b"c\d|e\.f|\$g)");
  EXPECT_EQ(Parsed(R"(a "b\r\nc\t";)"), "1:a|b\r\nc\t");
  EXPECT_EQ(Parsed(R"(a b\;c;)"), R"(1:a|b\;c)");
}

TEST(NginxSyntaxTest, VariablesMayHaveBraces) {
  EXPECT_EQ(Parsed("a ${b}c$d;"), "1:a|${b}c$d");
  EXPECT_EQ(Parsed("a $b{c;}"), "1:a|$b{1:c}");
}

TEST(NginxSyntaxTest, CommentsBeginWithAWord) { EXPECT_EQ(Parsed("# a;\nb c#d; # e"), "2:b|c#d"); }

TEST(NginxSyntaxTest, WhatIsNotWellFormedIsSaidWithItsLine) {
  EXPECT_EQ(Problem("a;\nb"), "line 2: the last directive has no ';'");
  EXPECT_EQ(Problem("a {\nb;"), "line 2: a block is not closed");
  EXPECT_EQ(Problem("a; }"), "line 1: '}' closes nothing");
  EXPECT_EQ(Problem("a { b }"), "line 1: a directive has no ';' before '}'");
  EXPECT_EQ(Problem("a\n\"b\n\n;"), "line 2: a quotation is not closed");
  EXPECT_EQ(Problem("a \"b\"c;"), "line 1: something follows a quotation without a blank");
  EXPECT_EQ(Problem("a; ;"), "line 1: unexpected ';'");
  EXPECT_EQ(Problem("{a;}"), "line 1: unexpected '{'");
  EXPECT_EQ(Problem("a ${b;"), "line 1: '${' is not closed");
  EXPECT_EQ(Problem("a \\"), "line 1: the last directive has no ';'");
}

TEST(NginxSyntaxTest, SizesHaveBounds) {
  EXPECT_THAT(Problem(std::string(64 * 1024 + 1, ' ')), HasSubstr("64 KiB"));
  std::string nested;
  for (int i = 0; i < 8; ++i) nested += "a {";
  EXPECT_THAT(Problem(nested), HasSubstr("too deeply"));
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "a;";
  EXPECT_THAT(Problem(many), HasSubstr("1000 directives"));
}

}  // namespace
}  // namespace headgate::translate
