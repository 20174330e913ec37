#include "dataplane/observe/log_format.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace headgate::observe {
namespace {

using Escape = LogFormat::Escape;
using Variable = LogFormat::Variable;

LogFormat FormatOf(std::vector<LogFormat::Part> parts, Escape escape = Escape::kDefault) {
  return {std::move(parts), escape};
}

class LogFormatTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("TZ", "UTC", 1);
    tzset();
    record.received = {.tv_sec = 784111777, .tv_nsec = 0};  // Sun, 06 Nov 1994 08:49:37 GMT
    time_.Set(784111777);
  }
  std::string Line(const LogFormat& format, const LogNote* note = nullptr) {
    std::string out(LogLineBound(record, format, note), '\0');
    out.resize(
        static_cast<size_t>(WriteLogLine(record, format, note, time_, out.data()) - out.data()));
    EXPECT_EQ(out.back(), '\n');
    out.pop_back();
    return out;
  }
  // Of a line that is one variable.
  std::string Value(Variable variable, Escape escape = Escape::kDefault) {
    return Line(FormatOf({{variable, ""}}, escape));
  }
  void AddAttempts() {
    record.attempt_storage[0] = {.address = "10.0.0.1:80",
                                 .response_time = std::chrono::microseconds(1999)};
    record.attempt_storage[1] = {.address = "10.0.0.2:80",
                                 .status = 200,
                                 .response_bytes = 1024,
                                 .connect_time = std::chrono::microseconds(2000),
                                 .header_time = std::chrono::microseconds(900'000),
                                 .response_time = std::chrono::microseconds(1'010'000)};
    record.attempt_count = 2;
  }

  RequestRecord record;
  LogTime time_;
};

TEST_F(LogFormatTest, IsTextAndVariables) {
  record.method = "GET";
  record.status = 204;
  EXPECT_EQ(Line(FormatOf({{Variable::kText, "<"},
                           {Variable::kRequestMethod, ""},
                           {Variable::kText, "> "},
                           {Variable::kStatus, ""}})),
            "<GET> 204");
}

TEST_F(LogFormatTest, KnowsWhatTheRecordHolds) {
  record.duration = std::chrono::microseconds(12'345);
  record.client_ip = "192.0.2.7";
  record.user = "alice";
  record.method = "GET";
  record.target = "/a?b=c";
  record.version = "HTTP/1.1";
  record.host = "Example.com:80";
  record.scheme = "https";
  record.referer = "https://example.com/";
  record.user_agent = "curl/8";
  record.request_id = "0123";
  record.status = 200;
  record.request_bytes = 321;
  record.response_body_bytes = 1024;
  record.virtual_host = "example.com";
  record.route_namespace = "shop";
  record.route_ingress = "front";
  record.route_service = "web";
  record.route_service_port = "80";
  record.route_path = "/a";
  record.upstream_name = "shop-web-80";
  record.alternative_upstream_name = "shop-canary-80";
  const struct {
    Variable variable;
    const char* value;
  } rows[] = {
      {Variable::kBodyBytesSent, "1024"},
      {Variable::kBytesSent, "1024"},
      {Variable::kHttpHost, "Example.com:80"},
      {Variable::kHttpReferer, "https://example.com/"},
      {Variable::kHttpUserAgent, "curl/8"},
      {Variable::kIngressName, "front"},
      {Variable::kLocationPath, "/a"},
      {Variable::kMsec, "784111777.012"},
      {Variable::kNamespace, "shop"},
      {Variable::kProtocol, "TCP"},
      {Variable::kProxyAlternativeUpstreamName, "shop-canary-80"},
      {Variable::kProxyUpstreamName, "shop-web-80"},
      {Variable::kRemoteAddr, "192.0.2.7"},
      {Variable::kRemoteUser, "alice"},
      {Variable::kRequest, "GET /a?b=c HTTP/1.1"},
      {Variable::kRequestId, "0123"},
      {Variable::kRequestLength, "321"},
      {Variable::kRequestMethod, "GET"},
      {Variable::kRequestTime, "0.012"},
      {Variable::kRequestUri, "/a?b=c"},
      {Variable::kScheme, "https"},
      {Variable::kServerName, "example.com"},
      {Variable::kServerProtocol, "HTTP/1.1"},
      {Variable::kServiceName, "web"},
      {Variable::kServicePort, "80"},
      {Variable::kStatus, "200"},
      {Variable::kTimeIso8601, "1994-11-06T08:49:37+00:00"},
      {Variable::kTimeLocal, "06/Nov/1994:08:49:37 +0000"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Value(row.variable), row.value) << static_cast<int>(row.variable);
  }
}

TEST_F(LogFormatTest, TellsOfEveryEndpointTried) {
  AddAttempts();
  EXPECT_EQ(Value(Variable::kUpstreamAddr), "10.0.0.1:80, 10.0.0.2:80");
  EXPECT_EQ(Value(Variable::kUpstreamStatus), "-, 200");
  EXPECT_EQ(Value(Variable::kUpstreamResponseLength), "0, 1024");
  EXPECT_EQ(Value(Variable::kUpstreamResponseTime), "0.001, 1.010");
  EXPECT_EQ(Value(Variable::kUpstreamConnectTime), "-, 0.002");
  EXPECT_EQ(Value(Variable::kUpstreamHeaderTime), "-, 0.900");
}

TEST_F(LogFormatTest, AConnectionThatWasThereTookNoTime) {
  AddAttempts();
  record.attempt_storage[1].connect_time = std::chrono::microseconds(-1);
  EXPECT_EQ(Value(Variable::kUpstreamConnectTime), "-, 0.000");
}

TEST_F(LogFormatTest, WhatIsMissingIsADashByDefaultAloneAndNothingElsewhere) {
  for (const Variable variable :
       {Variable::kHttpHost, Variable::kHttpReferer, Variable::kHttpUserAgent,
        Variable::kRemoteAddr, Variable::kRemoteUser, Variable::kRequest, Variable::kRequestId,
        Variable::kRequestMethod, Variable::kRequestUri, Variable::kScheme, Variable::kServerName,
        Variable::kServerProtocol, Variable::kUpstreamAddr, Variable::kUpstreamConnectTime,
        Variable::kUpstreamHeaderTime, Variable::kUpstreamResponseLength,
        Variable::kUpstreamResponseTime, Variable::kUpstreamStatus}) {
    EXPECT_EQ(Value(variable), "-") << static_cast<int>(variable);
    EXPECT_EQ(Value(variable, Escape::kJson), "") << static_cast<int>(variable);
    EXPECT_EQ(Value(variable, Escape::kNone), "") << static_cast<int>(variable);
  }
}

// NGINX's configuration sets them for every request, to nothing where there is nothing.
TEST_F(LogFormatTest, WhatEveryRouteHasIsEmptyWithoutOne) {
  for (const Variable variable :
       {Variable::kIngressName, Variable::kLocationPath, Variable::kNamespace,
        Variable::kProxyAlternativeUpstreamName, Variable::kServiceName, Variable::kServicePort}) {
    EXPECT_EQ(Value(variable), "") << static_cast<int>(variable);
  }
  EXPECT_EQ(Value(Variable::kProxyUpstreamName, Escape::kJson), "-");
}

TEST_F(LogFormatTest, ANoteAddsWhatTheRecordDoesNotHold) {
  record.response_body_bytes = 10;
  const LogFormat format = FormatOf({{Variable::kValue, ""},
                                     {Variable::kText, "|"},
                                     {Variable::kValue, ""},
                                     {Variable::kText, "|"},
                                     {Variable::kValue, ""},
                                     {Variable::kText, "|"},
                                     {Variable::kBytesSent, ""}});
  const std::vector<std::string_view> values = {"a\"b", {}, ""};
  const LogNote note{format, values, 90};
  EXPECT_EQ(Line(format, &note), "a\\x22b|-||100");
  EXPECT_EQ(Line(format), "-|-|-|10");
}

TEST_F(LogFormatTest, EscapesAsAskedFor) {
  record.user_agent = "a\"b\\c\n\xc3\xa4";
  EXPECT_EQ(Value(Variable::kHttpUserAgent), "a\\x22b\\x5Cc\\x0A\\xC3\\xA4");
  EXPECT_EQ(Value(Variable::kHttpUserAgent, Escape::kJson), "a\\\"b\\\\c\\n\xc3\xa4");
  EXPECT_EQ(Value(Variable::kHttpUserAgent, Escape::kNone), "a\"b\\c\\x0A\xc3\xa4");
  record.method = "G\"T";
  record.target = "/\x01";
  record.version = "HTTP/1.1";
  EXPECT_EQ(Value(Variable::kRequest), "G\\x22T /\\x01 HTTP/1.1");
  EXPECT_EQ(Value(Variable::kRequest, Escape::kJson), "G\\\"T /\\u0001 HTTP/1.1");
  EXPECT_EQ(Value(Variable::kRequest, Escape::kNone), "G\"T /\\x01 HTTP/1.1");
}

TEST_F(LogFormatTest, NoByteOfAClientEndsTheLineOrAJsonString) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string agent = std::string(20, 'x') + static_cast<char>(byte) + "y";
    record.user_agent = record.method = record.target = record.version = agent;
    record.attempt_storage[0].address = agent;
    record.attempt_count = 1;
    for (const Escape escape : {Escape::kDefault, Escape::kJson, Escape::kNone}) {
      const LogFormat format = FormatOf({{Variable::kText, "{\"a\":\""},
                                         {Variable::kHttpUserAgent, ""},
                                         {Variable::kText, "\",\"r\":\""},
                                         {Variable::kRequest, ""},
                                         {Variable::kText, "\",\"u\":\""},
                                         {Variable::kUpstreamAddr, ""},
                                         {Variable::kText, "\",\"v\":\""},
                                         {Variable::kValue, ""},
                                         {Variable::kText, "\"}"}},
                                        escape);
      const std::vector<std::string_view> values = {agent};
      const LogNote note{format, values, 0};
      const std::string line = Line(format, &note);
      for (const char c : line) ASSERT_TRUE(static_cast<uint8_t>(c) >= 0x20 && c != 0x7f) << byte;
      if (escape != Escape::kJson) continue;
      const nlohmann::json parsed = nlohmann::json::parse(line, nullptr, false);
      ASSERT_TRUE(parsed.is_object()) << byte;
      if (byte < 128) {
        EXPECT_EQ(parsed["v"], agent);
      }
    }
  }
}

TEST_F(LogFormatTest, TheBoundHoldsForTheWorstText) {
  const std::string bad(5000, '\x01');
  record.client_ip = record.user = record.method = record.target = record.version = bad;
  record.host = record.scheme = record.referer = record.user_agent = record.request_id = bad;
  record.virtual_host = record.route_namespace = record.route_ingress = bad;
  record.route_service = record.route_service_port = record.route_path = bad;
  record.upstream_name = record.alternative_upstream_name = bad;
  record.request_bytes = record.response_body_bytes = UINT64_MAX;
  record.duration = std::chrono::hours(1'000'000);
  for (AttemptRecord& attempt : record.attempt_storage) {
    attempt = {.address = bad,
               .status = 65535,
               .response_bytes = UINT64_MAX,
               .connect_time = std::chrono::microseconds::max(),
               .header_time = std::chrono::microseconds::max(),
               .response_time = std::chrono::microseconds::max()};
  }
  record.attempt_count = RequestRecord::kMaxAttempts;
  const std::vector<std::string_view> values = {bad};
  for (const Escape escape : {Escape::kDefault, Escape::kJson, Escape::kNone}) {
    for (int i = 0; i <= static_cast<int>(Variable::kUpstreamStatus); ++i) {
      const LogFormat format = FormatOf({{static_cast<Variable>(i), bad}}, escape);
      const LogNote note{format, values, UINT32_MAX};
      EXPECT_LE(Line(format, &note).size() + 1, LogLineBound(record, format, &note)) << i;
    }
  }
}

}  // namespace
}  // namespace headgate::observe
