#include "controller/kube/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/strings.h"

namespace headgate::kube {
namespace {

using std::string_literals::operator""s;

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string One(std::string_view text) {
  const auto documents = ParseYaml(text);
  if (!documents.ok()) return std::string(ToStd(documents.status().message()));
  return documents->size() == 1 ? (*documents)[0].dump() : StrCat(documents->size(), " documents");
}

TEST(YamlTest, PlainScalarsFollowTheCoreSchema) {
  EXPECT_EQ(One("[null, ~, true, False, 12, -3, +4, 0x1F, 0o17, 1.5, -.5, 1e3]"),
            "[null,null,true,false,12,-3,4,31,15,1.5,-0.5,1000.0]");
  EXPECT_EQ(
      One("[yes, on, inf, nan, .inf, 1.2.3, 0x, 12a, +-1, -, +, ., 2026-01-31T12:00:00Z, 1_000]"),
      R"(["yes","on","inf","nan",".inf","1.2.3","0x","12a","+-1","-","+",".","2026-01-31T12:00:00Z","1_000"])");
  EXPECT_EQ(One("18446744073709551615"), "18446744073709551615");
}

TEST(YamlTest, QuotedAndTaggedScalarsAreText) {
  EXPECT_EQ(One("['12', \"true\", !!str 5, !!int 5]"), R"(["12","true","5",5])");
  EXPECT_EQ(One("a: |\n  one\n  two\n"), R"({"a":"one\ntwo\n"})");
  EXPECT_EQ(One("a: !custom x"), "line 1: unknown tag !custom");
}

TEST(YamlTest, AnchorsAndMerges) {
  EXPECT_EQ(One("base: &b {x: 1, y: 2}\nit:\n  <<: *b\n  y: 3\n"),
            R"({"base":{"x":1,"y":2},"it":{"x":1,"y":3}})");
  EXPECT_EQ(One("it:\n  <<: [{x: 1}, {x: 2, z: 3}]\n"), R"({"it":{"x":1,"z":3}})");
  EXPECT_EQ(One("it:\n  <<: 5\n"), "line 2: << needs a map");
}

TEST(YamlTest, SeveralDocuments) {
  const auto documents = ParseYaml("---\na: 1\n---\n# nothing\n---\nb: 2\n");
  ASSERT_TRUE(documents.ok()) << documents.status();
  ASSERT_EQ(documents->size(), 3u);
  EXPECT_EQ((*documents)[0].dump(), R"({"a":1})");
  EXPECT_TRUE((*documents)[1].is_null());
  EXPECT_EQ((*documents)[2].dump(), R"({"b":2})");
}

TEST(YamlTest, ErrorsNameTheLine) {
  EXPECT_THAT(One("a: 1\nb: [1,\n"), StartsWith("line "));
  EXPECT_EQ(One("a: 1\na: 2\n"), "line 2: key \"a\" stands twice");
  EXPECT_EQ(One("a: 1\n? [x]\n: 2\n"), "line 2: a key must be text");
  EXPECT_EQ(ParseYaml("a: 1\na: 2\n", 10).status().message(), "line 11: key \"a\" stands twice");
  EXPECT_THAT(One("\t- x"), StartsWith("line 1: "));
}

// Text goes into messages that are UTF-8 or cannot be read at all.
TEST(YamlTest, TextThatIsNotUtf8IsRefused) {
  for (const std::string& text :
       {"a: b\xff"s, "a: \"b\xc3\""s, "a: [b, !!binary \xfe]"s, "a\xff: b"s}) {
    const auto documents = ParseYaml("x: 1\n" + text);
    EXPECT_EQ(documents.status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_TRUE(ParseYaml("a: \xc3\xa4").ok());
}

TEST(YamlTest, BombsAreRefused) {
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    std::string item = StrCat("*a", i - 1);
    bomb += StrCat("a", i, ": &a", i, " [", item);
    for (int j = 0; j < 9; ++j) bomb += StrCat(",", item);
    bomb += "]\n";
  }
  EXPECT_THAT(One(bomb), HasSubstr("too many values"));
  EXPECT_THAT(One("&a [*a]"), HasSubstr("nested too deeply"));
  EXPECT_THAT(One(std::string(200, '[') + std::string(200, ']')), HasSubstr("nested too deeply"));
  EXPECT_THAT(One(std::string(100'000, '[')), StartsWith("line "));
}

TEST(YamlTest, JsonIsReadAsYaml) {
  EXPECT_EQ(One(R"({"a": ["b", 1, true, null], "c\n": "\u00e4"})"),
            "{\"a\":[\"b\",1,true,null],\"c\\n\":\"\xC3\xA4\"}");
}

TEST(YamlTest, ChunksEndAtDocumentMarkers) {
  const std::string text = "# head\n---\na: |\n  --- x\nb: ---x\n--- # c\nc: 1\n---";
  const auto chunks = SplitYaml(text);
  ASSERT_EQ(chunks.size(), 4u);
  EXPECT_EQ(chunks[0].text, "# head\n");
  EXPECT_EQ(chunks[1].text, "---\na: |\n  --- x\nb: ---x\n");
  EXPECT_EQ(chunks[1].first_line, 2u);
  EXPECT_EQ(chunks[2].text, "--- # c\nc: 1\n");
  EXPECT_EQ(chunks[2].first_line, 6u);
  EXPECT_EQ(chunks[3].text, "---");
  EXPECT_TRUE(SplitYaml("").empty());
}

}  // namespace
}  // namespace headgate::kube
