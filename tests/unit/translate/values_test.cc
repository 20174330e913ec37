#include "controller/translate/annotations/values.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace headgate::translate {
namespace {

TEST(AnnotationValuesTest, Booleans) {
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"}) EXPECT_EQ(ParseBool(text), true);
  for (const char* text : {"0", "f", "F", "FALSE", "false", "False"}) {
    EXPECT_EQ(ParseBool(text), false);
  }
  for (const char* text : {"", "yes", "on", "tRUE", " true", "true "}) {
    EXPECT_EQ(ParseBool(text), std::nullopt) << text;
  }
}

TEST(AnnotationValuesTest, Integers) {
  EXPECT_EQ(ParseInt("60"), 60);
  EXPECT_EQ(ParseInt("+60"), 60);
  EXPECT_EQ(ParseInt("-1"), -1);
  EXPECT_EQ(ParseInt("007"), 7);
  for (const char* text :
       {"", "+", "-", "+-1", "60s", " 60", "6 0", "1e3", "9223372036854775808"}) {
    EXPECT_EQ(ParseInt(text), std::nullopt) << text;
  }
}

TEST(AnnotationValuesTest, Sizes) {
  EXPECT_EQ(ParseSize("0"), 0u);
  EXPECT_EQ(ParseSize("512"), 512u);
  EXPECT_EQ(ParseSize("8k"), 8192u);
  EXPECT_EQ(ParseSize("8M"), 8u << 20);
  EXPECT_EQ(ParseSize("2G"), uint64_t{2} << 30);
  for (const char* text : {"", "k", "-1", "+1", "8b", "8kb", "8 k", "1.5m", "18446744073709551615k",
                           "99999999999999999999"}) {
    EXPECT_EQ(ParseSize(text), std::nullopt) << text;
  }
}

TEST(AnnotationValuesTest, Durations) {
  EXPECT_EQ(ParseDuration("75"), absl::Seconds(75));
  EXPECT_EQ(ParseDuration("0"), absl::ZeroDuration());
  EXPECT_EQ(ParseDuration("250ms"), absl::Milliseconds(250));
  EXPECT_EQ(ParseDuration("1h30m"), absl::Minutes(90));
  EXPECT_EQ(ParseDuration("1d"), absl::Hours(24));
  for (const char* text : {"", "s", "-1", "+1", "1.5s", "1 s", "1x", "99999999999", "1mm"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(AnnotationValuesTest, Lists) {
  EXPECT_EQ(SplitList(" a ,b c,, \n,d"), (std::vector<std::string_view>{"a", "b c", "d"}));
  EXPECT_TRUE(SplitList("").empty());
  EXPECT_TRUE(SplitList(" , ").empty());
}

TEST(AnnotationValuesTest, AQuotedValueIsOneLine) {
  EXPECT_EQ(QuoteValue("plain"), "\"plain\"");
  EXPECT_EQ(QuoteValue("a\nb\r\"\x01"), "\"a\\nb\\r\\\"\\001\"");
  EXPECT_EQ(QuoteValue("für"), "\"für\"");
  EXPECT_EQ(QuoteValue(std::string(100, 'x')), "\"" + std::string(80, 'x') + "...\"");
}

TEST(AnnotationValuesTest, UrlText) {
  EXPECT_TRUE(IsUrlText("https://shop.example.com:8443/a_b~c?d=e&f=g,h"));
  for (const char* text :
       {"", "  ", "https://a/$host", "https://a/\"", "https://a/#x", "a;b", "a%20b"}) {
    EXPECT_FALSE(IsUrlText(text)) << text;
  }
}

}  // namespace
}  // namespace headgate::translate
