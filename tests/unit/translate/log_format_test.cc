#include "controller/translate/log_format.h"

#include <gmock/gmock.h>

#include <string>

namespace headgate::translate {
namespace {

using ::testing::ElementsAre;
using v1::LogFormat;

std::optional<ParsedLogFormat> Parse(std::string_view text,
                                     LogFormat::Escape escape = LogFormat::DEFAULT,
                                     LogSubject subject = LogSubject::kRequest) {
  return ParseLogFormat(text, subject, escape);
}

TEST(ParseLogFormat, TellsWhatTheRecordHoldsFromWhatRequestAndResponseSay) {
  const auto parsed =
      Parse("$status ${request_time}s $http_X_Team $sent_http_Cache_Control $arg_q");
  ASSERT_TRUE(parsed);
  const LogFormat& format = parsed->format;
  ASSERT_EQ(format.parts_size(), 9);
  EXPECT_EQ(format.parts(0).variable(), LogFormat::STATUS);
  EXPECT_EQ(format.parts(1).literal(), " ");
  EXPECT_EQ(format.parts(2).variable(), LogFormat::REQUEST_TIME);
  EXPECT_EQ(format.parts(3).literal(), "s ");
  EXPECT_EQ(format.parts(4).request().variable(), v1::TextTemplate::HEADER);
  EXPECT_EQ(format.parts(4).request().name(), "x-team");
  EXPECT_EQ(format.parts(6).sent_header(), "cache-control");
  EXPECT_EQ(format.parts(8).request().variable(), v1::TextTemplate::ARG);
  EXPECT_EQ(format.escape(), LogFormat::ESCAPE_UNSPECIFIED);
}

TEST(ParseLogFormat, AnUnknownVariableIsWhatNginxWritesForNone) {
  auto parsed = Parse("[$unheard_of] [$sent_http_] $unheard_of");
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->unknown, ElementsAre("unheard_of", "sent_http_"));
  ASSERT_EQ(parsed->format.parts_size(), 1);
  EXPECT_EQ(parsed->format.parts(0).literal(), "[-] [-] -");
  parsed = Parse("[$unheard_of]", LogFormat::JSON);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->format.parts(0).literal(), "[]");
  EXPECT_EQ(parsed->format.escape(), LogFormat::JSON);
}

TEST(ParseLogFormat, ReadsEscapesAsNginxReadsItsConfiguration) {
  const auto parsed = Parse(R"(\"a\": \'b\'\t\\d\e\)");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->format.parts(0).literal(), "\"a\": 'b'\t\\d\\e\\");
}

TEST(ParseLogFormat, ConnectionsHaveVariablesOfTheirOwn) {
  const auto parsed = Parse("$protocol $bytes_received $session_time $request $http_host",
                            LogFormat::DEFAULT, LogSubject::kConnection);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->format.parts(0).variable(), LogFormat::PROTOCOL);
  EXPECT_EQ(parsed->format.parts(2).variable(), LogFormat::REQUEST_LENGTH);
  EXPECT_EQ(parsed->format.parts(4).variable(), LogFormat::REQUEST_TIME);
  EXPECT_THAT(parsed->unknown, ElementsAre("request", "http_host"));
}

TEST(ParseLogFormat, RefusesWhatIsNoTemplateOrTooMuchForADataPlane) {
  EXPECT_FALSE(Parse(""));
  EXPECT_FALSE(Parse("costs 5$"));
  EXPECT_FALSE(Parse("${status"));
  EXPECT_FALSE(Parse("$unheard_of", LogFormat::NONE));
  std::string many;
  for (int i = 0; i < 200; ++i) many += "$status";
  EXPECT_TRUE(Parse(many));
  EXPECT_FALSE(Parse(many + "$status"));
  EXPECT_TRUE(Parse(std::string(16 * 1024, 'a')));
  EXPECT_FALSE(Parse(std::string(16 * 1024 + 1, 'a')));
}

}  // namespace
}  // namespace headgate::translate
