#include "dataplane/config/compile_access_log.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>

#include <string>

#include "common/strings.h"
#include "dataplane/config/log_rules.h"

namespace headgate::config {
namespace {

using observe::LogFormat;
using ::testing::StartsWith;

absl::StatusOr<CompiledSettings> Compile(const std::string& text) {
  v1::AccessLog log;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &log)) << text;
  CompiledSettings out;
  const absl::Status status = CompileAccessLog(log, out);
  if (!status.ok()) return status;
  return out;
}

std::string Error(const std::string& text) {
  const auto compiled = Compile(text);
  return compiled.ok() ? "" : std::string(ToStd(compiled.status().message()));
}

TEST(CompileAccessLog, WithoutRulesThereIsNothingToLookAt) {
  const auto settings = Compile("disabled: true format: JSON default_backend: true");
  ASSERT_TRUE(settings.ok());
  EXPECT_FALSE(settings->access_log_enabled);
  EXPECT_TRUE(settings->access_log_json);
  EXPECT_TRUE(settings->logs_default_backend);
  EXPECT_EQ(settings->log_rules, nullptr);
}

TEST(CompileAccessLog, ALineNamesTheValuesThatItWantsInTheirOrder) {
  const auto settings = Compile(R"(request_line { escape: JSON
      parts { literal: "a" } parts { request { variable: HEADER name: "x-team" } }
      parts { variable: STATUS } parts { sent_header: "etag" } }
      skipped_targets { exact: "/healthz" })");
  ASSERT_TRUE(settings.ok());
  const LogRules& rules = *settings->log_rules;
  const RequestLogLine& line = *rules.request_line;
  EXPECT_EQ(line.format.escape, LogFormat::Escape::kJson);
  ASSERT_EQ(line.format.parts.size(), 4u);
  EXPECT_EQ(line.format.parts[0].text, "a");
  EXPECT_EQ(line.format.parts[1].variable, LogFormat::Variable::kValue);
  EXPECT_EQ(line.format.parts[2].variable, LogFormat::Variable::kStatus);
  EXPECT_EQ(line.format.parts[3].variable, LogFormat::Variable::kValue);
  ASSERT_EQ(line.values.size(), 2u);
  EXPECT_EQ(line.values[0].request.variable, policy::Variable::kHeader);
  EXPECT_EQ(line.values[0].request.text, "x-team");
  EXPECT_TRUE(line.values[1].sent_header);
  EXPECT_EQ(rules.stream_line, nullptr);
  EXPECT_EQ(rules.skipped_targets.size(), 1u);
}

TEST(CompileAccessLog, RequestsCanBeLeftOutAlone) {
  const auto settings = Compile("no_requests: true");
  ASSERT_TRUE(settings.ok());
  EXPECT_TRUE(settings->access_log_enabled);
  ASSERT_NE(settings->log_rules, nullptr);
  EXPECT_FALSE(settings->log_rules->requests);
}

TEST(CompileAccessLog, EveryVariableOfTheContractIsKnown) {
  const auto* variables = v1::LogFormat::Variable_descriptor();
  for (int i = 0; i < variables->value_count(); ++i) {
    const std::string name(variables->value(i)->name());
    if (name == "VARIABLE_UNSPECIFIED") continue;
    EXPECT_EQ(Error("stream_line { parts { variable: " + name + " } }"), "");
  }
}

TEST(CompileAccessLog, RefusesWhatItCannotWrite) {
  EXPECT_THAT(Error("format: 9"), StartsWith("access_log.format"));
  EXPECT_THAT(Error("request_line {}"), StartsWith("access_log.request_line.parts"));
  EXPECT_THAT(Error("request_line { parts {} }"), StartsWith("access_log.request_line.parts[0]"));
  EXPECT_THAT(Error("request_line { parts { variable: VARIABLE_UNSPECIFIED } }"),
              StartsWith("access_log.request_line.parts[0].variable"));
  EXPECT_THAT(Error("request_line { parts { request {} } }"),
              StartsWith("access_log.request_line.parts[0].request"));
  EXPECT_THAT(Error("request_line { parts { sent_header: \"a b\" } }"),
              StartsWith("access_log.request_line.parts[0].sent_header"));
  EXPECT_THAT(Error("request_line { escape: 9 parts { literal: \"a\" } }"),
              StartsWith("access_log.request_line.escape"));
  EXPECT_THAT(Error("request_line { parts { literal: \"" + std::string(16385, 'a') + "\" } }"),
              StartsWith("access_log.request_line"));
  EXPECT_THAT(Error("stream_line { parts { sent_header: \"etag\" } }"),
              StartsWith("access_log.stream_line"));
  EXPECT_THAT(Error("skipped_targets { regex: \"(\" }"),
              StartsWith("access_log.skipped_targets[0]"));
  std::string many;
  for (int i = 0; i < 201; ++i) many += "parts { variable: STATUS } ";
  EXPECT_THAT(Error("request_line { " + many + "}"), StartsWith("access_log.request_line.parts"));
}

}  // namespace
}  // namespace headgate::config
