#include "controller/translate/annotations/snippets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace headgate::translate {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Found(std::string_view text) {
  std::vector<std::string> out;
  for (const SnippetDirective& directive : FindDirectives(text)) {
    out.push_back(std::to_string(directive.line) + ":" + std::string(directive.name));
  }
  return out;
}

TEST(SnippetTest, DirectivesAreFoundWithTheirLines) {
  EXPECT_THAT(Found("add_header A b;\nreturn 301 /x;"), ElementsAre("1:add_header", "2:return"));
  EXPECT_THAT(Found("if ($host = a) {\n  deny all;\n}\nallow all;"),
              ElementsAre("1:if", "2:deny", "4:allow"));
}

TEST(SnippetTest, TextAndCommentsHoldNone) {
  EXPECT_THAT(Found("add_header A \"; deny all\\\"; \n allow\";\nreturn 404;"),
              ElementsAre("1:add_header", "3:return"));
  EXPECT_THAT(Found("# deny all;\nreturn 404;"), ElementsAre("2:return"));
  EXPECT_THAT(Found(""), ElementsAre());
  EXPECT_THAT(Found("\"open"), ElementsAre());
  EXPECT_THAT(Found("\"\\"), ElementsAre());
}

}  // namespace
}  // namespace headgate::translate
