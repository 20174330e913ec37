#include "controller/translate/text_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headgate::translate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using v1::TextTemplate;

TEST(TextTemplate, IsTextAndVariables) {
  const auto parsed = ParseTemplate("a-$host${request_uri}b$http_X_User");
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->unknown, IsEmpty());
  const TextTemplate& text = parsed->text;
  ASSERT_EQ(text.parts_size(), 5);
  EXPECT_EQ(text.parts(0).literal(), "a-");
  EXPECT_EQ(text.parts(1).variable(), TextTemplate::HOST);
  EXPECT_EQ(text.parts(2).variable(), TextTemplate::REQUEST_URI);
  EXPECT_EQ(text.parts(3).literal(), "b");
  EXPECT_EQ(text.parts(4).variable(), TextTemplate::HEADER);
  EXPECT_EQ(text.parts(4).name(), "x-user");
}

TEST(TextTemplate, KnowsNamesBeforePrefixes) {
  EXPECT_EQ(ParseTemplate("$http_host")->text.parts(0).variable(), TextTemplate::HTTP_HOST);
  EXPECT_EQ(ParseTemplate("$arg_A")->text.parts(0).name(), "A");
  EXPECT_EQ(ParseTemplate("$cookie_id")->text.parts(0).variable(), TextTemplate::COOKIE);
}

TEST(TextTemplate, LeavesOutUnknownVariables) {
  const auto parsed = ParseTemplate("a$unheard_of-b$arg_$unheard_of");
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->unknown, ElementsAre("unheard_of", "arg_"));
  ASSERT_EQ(parsed->text.parts_size(), 1);
  EXPECT_EQ(parsed->text.parts(0).literal(), "a-b");
}

TEST(TextTemplate, IsRefusedWithoutANameOrBrace) {
  EXPECT_FALSE(ParseTemplate("$"));
  EXPECT_FALSE(ParseTemplate("a$-b"));
  EXPECT_FALSE(ParseTemplate("${host"));
  EXPECT_FALSE(ParseTemplate("${}"));
  EXPECT_TRUE(ParseTemplate(""));
}

}  // namespace
}  // namespace headgate::translate
