// What upstreams are told of a request's trace, and the spans that come of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "dataplane/observe/trace_context.h"
#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/reply_server.h"
#include "tests/support/dataplane/test_proxy.h"

namespace headgate::test {
namespace {

using observe::TraceContext;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kSampled[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr char kUnsampled[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

class TracingTest : public ::testing::Test {
 protected:
  TracingTest() { proxy.spans().SetLimits(1000, 1000); }

  void Use(const std::string& tracing, const std::string& route = "") {
    ASSERT_THAT(proxy.Apply({"name: \"settings\" settings { " + tracing + " }"}), IsEmpty());
    proxy.Route("a.example", {upstream.address()}, route);
  }
  // The request as the upstream gets it.
  Peer::Message Ask(const std::string& fields = "", int status = 200) {
    Peer client = proxy.Connect();
    client.Send("GET /path?secret=1 HTTP/1.1\r\nHost: a.example\r\n" + fields +
                "Connection: close\r\n\r\n");
    Peer server = upstream.Accept();
    Peer::Message request = server.ReadRequest();
    server.Send("HTTP/1.1 " + std::to_string(status) +
                " X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    EXPECT_EQ(client.ReadResponse().status, status);
    return request;
  }
  std::vector<std::unique_ptr<observe::Span>> Spans() {
    proxy.pool().OnEach([](worker::Worker&) {});
    return proxy.spans().Take();
  }
  static TraceContext Context(const Peer::Message& request) {
    const auto context = observe::ParseTraceparent(request.Field("traceparent"));
    EXPECT_TRUE(context) << request.head;
    return context.value_or(TraceContext());
  }
  static std::string Text(const observe::Span& span, std::string_view name) {
    for (const auto& [key, value] : span.texts) {
      if (key == name) return value;
    }
    return "";
  }

  TestProxy proxy;
  PeerListener upstream;
};

constexpr char kOn[] = "tracing { defaults { enabled: true } collector: \"127.0.0.1:1\" ";

TEST_F(TracingTest, OffNothingIsTouched) {
  Use("");
  const auto request = Ask("traceparent: anything\r\nTraceState: at all\r\n");
  EXPECT_EQ(request.Field("traceparent"), "anything");
  EXPECT_EQ(request.Field("tracestate"), "at all");
  EXPECT_EQ(Ask().Field("traceparent"), "");
  EXPECT_THAT(Spans(), IsEmpty());
}

TEST_F(TracingTest, ARequestWithoutATraceBeginsOne) {
  Use(std::string(kOn) + "}",
      "origin { namespace: \"shop\" ingress: \"web\" service: \"front\" path: \"/\" }");
  const auto request = Ask("User-Agent: test\r\n");
  const TraceContext context = Context(request);
  EXPECT_TRUE(context.sampled);
  EXPECT_EQ(request.Field("tracestate"), "");
  const auto spans = Spans();
  ASSERT_THAT(spans, SizeIs(1));
  const observe::Span& span = *spans[0];
  EXPECT_EQ(span.context, context);
  EXPECT_EQ(span.parent, observe::SpanId());
  EXPECT_EQ(span.name, "GET /");
  EXPECT_GT(span.start_ns, 1'600'000'000'000'000'000);
  EXPECT_GT(span.end_ns, span.start_ns);
  EXPECT_FALSE(span.failed);
  EXPECT_EQ(Text(span, "http.request.method"), "GET");
  EXPECT_EQ(Text(span, "url.path"), "/path");
  EXPECT_EQ(Text(span, "server.address"), "a.example");
  EXPECT_EQ(Text(span, "client.address"), "127.0.0.1");
  EXPECT_EQ(Text(span, "user_agent.original"), "test");
  EXPECT_EQ(Text(span, "k8s.ingress.name"), "web");
  EXPECT_EQ(Text(span, "headgate.upstream.address"), upstream.address().Text());
  for (const auto& [key, value] : span.texts)
    EXPECT_EQ(value.find("secret"), std::string::npos) << key;
  const std::map<std::string_view, int64_t> numbers(span.numbers.begin(), span.numbers.end());
  EXPECT_EQ(numbers.at("http.response.status_code"), 200);
  EXPECT_EQ(numbers.at("http.response.body.size"), 2);
  EXPECT_EQ(numbers.at("headgate.attempts"), 1);
}

TEST_F(TracingTest, ARequestWithATraceContinuesIt) {
  Use(std::string(kOn) + "}");
  const auto request =
      Ask(std::string("Traceparent: ") + kSampled + "\r\ntracestate: a=1\r\nTracestate: b=2\r\n");
  const TraceContext parent = *observe::ParseTraceparent(kSampled);
  const TraceContext context = Context(request);
  EXPECT_EQ(context.trace_id, parent.trace_id);
  EXPECT_NE(context.span_id, parent.span_id);
  EXPECT_EQ(request.Field("tracestate"), "a=1,b=2");
  const auto spans = Spans();
  ASSERT_THAT(spans, SizeIs(1));
  EXPECT_EQ(spans[0]->parent, parent.span_id);
  EXPECT_EQ(spans[0]->trace_state, "a=1,b=2");
}

TEST_F(TracingTest, WhatIsNotExactlyATraceBeginsOne) {
  Use(std::string(kOn) + "}");
  const TraceContext parent = *observe::ParseTraceparent(kSampled);
  const std::string valid = std::string("traceparent: ") + kSampled + "\r\n";
  for (const std::string& fields :
       {valid + valid, std::string("traceparent: ") + kSampled + "-x\r\n",
        std::string("traceparent: 00\r\n")}) {
    const auto request = Ask(fields + "tracestate: a=1\r\n");
    EXPECT_NE(Context(request).trace_id, parent.trace_id) << fields;
    EXPECT_EQ(request.Field("tracestate"), "") << fields;
  }
  // The trace is good, what came with it is not.
  EXPECT_EQ(Ask(valid + "tracestate: a=1,a=2\r\n").Field("tracestate"), "");
}

TEST_F(TracingTest, WhereClientsAreNotTrustedEachRequestBeginsATrace) {
  Use(std::string(kOn) + "}", "policy { tracing { trust_incoming: false } }");
  const auto request = Ask(std::string("traceparent: ") + kSampled + "\r\ntracestate: a=1\r\n");
  EXPECT_NE(Context(request).trace_id, observe::ParseTraceparent(kSampled)->trace_id);
  EXPECT_EQ(request.Field("tracestate"), "");
}

TEST_F(TracingTest, RoutesSayWhetherTheyAreTracedAndUnderWhichName) {
  Use(std::string(kOn) + "}", "policy { tracing { enabled: false } }");
  EXPECT_EQ(Ask().Field("traceparent"), "");
  EXPECT_THAT(Spans(), IsEmpty());
  Use("tracing { collector: \"127.0.0.1:1\" }",
      "policy { tracing { enabled: true operation_name { parts { literal: \"checkout\" } } } }");
  Ask();
  Use("tracing { collector: \"127.0.0.1:1\" defaults { enabled: true operation_name { parts { "
      "variable: REQUEST_METHOD } "
      "parts { literal: \" of \" } parts { variable: HOST } } } }");
  Ask();
  const auto spans = Spans();
  ASSERT_THAT(spans, SizeIs(2));
  EXPECT_EQ(spans[0]->name, "checkout");
  EXPECT_EQ(spans[1]->name, "GET of a.example");
}

TEST_F(TracingTest, TheSamplerDecides) {
  const std::string sampled = std::string("traceparent: ") + kSampled + "\r\n";
  const std::string unsampled = std::string("traceparent: ") + kUnsampled + "\r\n";
  Use(std::string(kOn) + "sampler: ALWAYS_OFF }");
  EXPECT_FALSE(Context(Ask()).sampled);
  EXPECT_FALSE(Context(Ask(sampled)).sampled);
  Use(std::string(kOn) + "sampler: ALWAYS_OFF parent_based: true }");
  EXPECT_FALSE(Context(Ask()).sampled);
  EXPECT_TRUE(Context(Ask(sampled)).sampled);
  Use(std::string(kOn) + "sampler: ALWAYS_ON parent_based: true }");
  EXPECT_TRUE(Context(Ask()).sampled);
  EXPECT_FALSE(Context(Ask(unsampled)).sampled);
  Use(std::string(kOn) + "sampler: ALWAYS_ON }");
  EXPECT_TRUE(Context(Ask(unsampled)).sampled);
  EXPECT_THAT(Spans(), SizeIs(3));
}

TEST_F(TracingTest, ARatioIsOfTraces) {
  ReplyServer server("ok");
  ASSERT_THAT(proxy.Apply({"name: \"settings\" settings { " + std::string(kOn) +
                           "sampler: TRACE_ID_RATIO ratio: 0.25 } }"}),
              IsEmpty());
  proxy.Route("a.example", {server.address()});
  Peer client = proxy.Connect();
  constexpr int kRequests = 800;
  for (int i = 0; i < kRequests; ++i) {
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().status, 200);
  }
  const auto spans = Spans();
  EXPECT_GT(spans.size(), 120u);  // 200 is the mean, 12 the standard deviation
  EXPECT_LT(spans.size(), 280u);
  std::set<observe::SpanId> ids;
  for (const auto& span : spans) ids.insert(span->context.span_id);
  EXPECT_EQ(ids.size(), spans.size());
  // All of a trace or nothing.
  const std::string low = "00-0af7651916cd43dd0000000000000001-b7ad6b7169203331-00";
  const std::string high = "00-0af7651916cd43ddffffffffffffffff-b7ad6b7169203331-01";
  for (const auto& [parent, count] : {std::pair{low, 3u}, {high, 0u}}) {
    for (int i = 0; i < 3; ++i) {
      client.Send("GET / HTTP/1.1\r\nHost: a.example\r\ntraceparent: " + parent + "\r\n\r\n");
      client.ReadResponse();
    }
    EXPECT_THAT(Spans(), SizeIs(count));
  }
}

TEST_F(TracingTest, FailuresAreMarkedAndOwnAnswersTracedToo) {
  Use(std::string(kOn) + "}");
  Ask("", 503);
  proxy.Apply(
      {"name: \"vhost/b.example\" virtual_host { host: \"b.example\" routes { match { prefix_path: "
       "\"/\" } redirect { "
       "status: 302 location: \"/x\" } } }"});
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: b.example\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 302);
  const auto spans = Spans();
  ASSERT_THAT(spans, SizeIs(2));
  EXPECT_TRUE(spans[0]->failed);
  EXPECT_EQ(Text(*spans[0], "error.type"), "503");
  EXPECT_FALSE(spans[1]->failed);
  EXPECT_EQ(Text(*spans[1], "headgate.upstream.address"), "");
}

TEST_F(TracingTest, AnotherAttemptIsOfTheSameSpan) {
  Use(std::string(kOn) + "}", "policy { next_upstream { conditions { any_of: HTTP_503 } } }");
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  std::set<std::string> told;
  for (const int status : {503, 200}) {
    Peer server = upstream.Accept();
    told.insert(server.ReadRequest().Field("traceparent"));
    server.Send("HTTP/1.1 " + std::to_string(status) +
                " X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
  }
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_THAT(told, SizeIs(1));
  EXPECT_THAT(Spans(), SizeIs(1));
}

TEST_F(TracingTest, WithoutACollectorContextIsPassedOnAndNothingKept) {
  Use("tracing { defaults { enabled: true } }");
  EXPECT_TRUE(Context(Ask()).sampled);
  EXPECT_THAT(Spans(), IsEmpty());
}

TEST_F(TracingTest, BadSettingsAreRefused) {
  for (const char* tracing :
       {"tracing { ratio: 1.5 }", "tracing { ratio: -1 }", "tracing { ratio: nan }",
        "tracing { collector: \"no port\" }", "tracing { max_queue_size: 2000000 }",
        "tracing { schedule_delay {} }"}) {
    EXPECT_THAT(proxy.Apply({"name: \"settings\" settings { " + std::string(tracing) + " }"}),
                SizeIs(1))
        << tracing;
  }
}

}  // namespace
}  // namespace headgate::test
