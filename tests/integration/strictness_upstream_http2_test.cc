// What HTTP/2 endpoints may send and what becomes of it for a client of HTTP/1.1: refused, broken
// off visibly, or passed on with one reading. See docs/http-strictness.md.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/integration/strictness.h"
#include "tests/support/dataplane/http2_peer.h"

namespace headgate::test {
namespace {

using Fields = Http2Peer::Fields;

constexpr uint32_t kProtocolError = 1;

const std::string kNul(1, '\0');

Fields Ok200(const Fields& more = {}) {
  Fields fields = {{":status", "200"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

class StrictUpstreamHttp2 : public StrictnessTest {
 protected:
  StrictUpstreamHttp2() {
    const auto refused =
        proxy.Apply({"name: \"cluster/test/a.example/80\" cluster { "
                     "endpoints: \"endpoints/test/a.example/80\" protocol: H2C }"});
    for (const auto& refusal : refused) ADD_FAILURE() << refusal.reason;
  }

  Http2Peer Accept() { return Http2Peer(upstream.Accept()); }

  // A request and its own answer, by way of this connection or, without one, a new one.
  void ExpectNextAnswer(Http2Peer* server) {
    Peer client = proxy.Connect();
    client.Send(Get("/next"));
    if (server != nullptr) {
      Answer(*server);
    } else {
      Http2Peer other = Accept();
      Answer(other);
    }
    EXPECT_EQ(ReadStrictResponse(client).body, "the next answer");
  }

 private:
  static void Answer(Http2Peer& server) {
    const auto request = server.ReadRequest();
    EXPECT_EQ(request.fields.at(":path"), "/next");
    server.Reply(request.stream, "the next answer");
  }
};

// ---- refused: 502, and the stream is given up
// -------------------------------------------------------------------------

struct RefusedHead {
  const char* name;
  Fields fields;
  bool end = false;
};
void PrintTo(const RefusedHead& row, std::ostream* out) { *out << row.name; }

const RefusedHead kRefused[] = {
    {"UpstreamHttp2NoStatus", {{"x-a", "1"}}},
    {"UpstreamHttp2TwoDigits", {{":status", "20"}}},
    {"UpstreamHttp2FourDigits", {{":status", "2000"}}},
    {"UpstreamHttp2StatusIsNoNumber", {{":status", "2x0"}}},
    {"UpstreamHttp2StatusBelow100", {{":status", "099"}}},
    {"UpstreamHttp2StatusAbove599", {{":status", "600"}}},
    {"UpstreamHttp2Switch", {{":status", "101"}}},
    {"UpstreamHttp2TwoStatuses", Ok200({{":status", "200"}})},
    {"UpstreamHttp2StatusBehindFields", {{"x-a", "1"}, {":status", "200"}}},
    {"UpstreamHttp2PathInResponse", Ok200({{":path", "/"}})},
    {"UpstreamHttp2UnknownPseudo", Ok200({{":x", "1"}})},
    {"UpstreamHttp2Connection", Ok200({{"connection", "close"}})},
    {"UpstreamHttp2KeepAlive", Ok200({{"keep-alive", "1"}})},
    {"UpstreamHttp2TransferEncoding", Ok200({{"transfer-encoding", "chunked"}})},
    {"UpstreamHttp2Upgrade", Ok200({{"upgrade", "websocket"}})},
    {"UpstreamHttp2UpperCaseName", Ok200({{"X-A", "1"}})},
    {"UpstreamHttp2EmptyName", Ok200({{"", "1"}})},
    {"UpstreamHttp2BlankInName", Ok200({{"x a", "1"}})},
    {"UpstreamHttp2ColonInName", Ok200({{"x:a", "1"}})},
    {"UpstreamHttp2CrLfInName", Ok200({{"x-a\r\nx-b", "1"}})},
    {"UpstreamHttp2CrLfInValue", Ok200({{"x-a", "1\r\nx-b: 2"}})},
    {"UpstreamHttp2NulInValue", Ok200({{"x-a", "1" + kNul}})},
    {"UpstreamHttp2BlankBeforeValue", Ok200({{"x-a", " 1"}})},
    {"UpstreamHttp2TwoLengths", Ok200({{"content-length", "3"}, {"content-length", "4"}})},
    {"UpstreamHttp2EqualLengths", Ok200({{"content-length", "3"}, {"content-length", "3"}})},
    {"UpstreamHttp2LengthList", Ok200({{"content-length", "3, 3"}})},
    {"UpstreamHttp2NegativeLength", Ok200({{"content-length", "-3"}})},
    {"UpstreamHttp2LengthOverflow", Ok200({{"content-length", "9223372036854775808"}})},
    {"UpstreamHttp2LengthWithoutBody", Ok200({{"content-length", "3"}}), true},
    {"UpstreamHttp2InformationThatEnds", {{":status", "103"}}, true},
};

class RefusedUpstreamHttp2 : public StrictUpstreamHttp2,
                             public ::testing::WithParamInterface<RefusedHead> {};
TEST_P(RefusedUpstreamHttp2, Is502AndHarmsNoOtherStream) {
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Http2Peer server = Accept();
  const auto request = server.ReadRequest();
  server.SendHeaders(request.stream, GetParam().fields, GetParam().end);
  const StrictMessage response = ReadStrictResponse(client);
  EXPECT_EQ(response.head.start_line.substr(0, 13), "HTTP/1.1 502 ");
  EXPECT_EQ(server.ReadReset(request.stream), kProtocolError);
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamProtocolErrors), 1u);
  ExpectNextAnswer(&server);
}
INSTANTIATE_TEST_SUITE_P(Strictness, RefusedUpstreamHttp2, ::testing::ValuesIn(kRefused),
                         RowName<RefusedHead>);

TEST_F(StrictUpstreamHttp2, AHeadThatIsTooLargeIs502) {
  Fields many = Ok200();
  for (int i = 0; i < 1001; ++i) many.emplace_back("x-" + std::to_string(i), "1");
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Http2Peer server = Accept();
  const auto request = server.ReadRequest();
  server.SendHeaders(request.stream, many, true);
  EXPECT_EQ(ReadStrictResponse(client).head.start_line.substr(0, 13), "HTTP/1.1 502 ");
}

// ---- broken off
// -------------------------------------------------------------------------------------------------------

struct Broken {
  const char* name;
  Fields fields;
  const char* data;
  Fields trailers = {};
};
void PrintTo(const Broken& row, std::ostream* out) { *out << row.name; }

const Broken kBroken[] = {
    {"UpstreamHttp2ShorterThanItsLength", Ok200({{"content-length", "5"}}), "abc"},
    {"UpstreamHttp2LongerThanItsLength", Ok200({{"content-length", "2"}}), "abc"},
    {"UpstreamHttp2TrailersBehindAShortBody",
     Ok200({{"content-length", "5"}}),
     "abc",
     {{"x-t", "1"}}},
    {"UpstreamHttp2TrailersWithOtherLength", Ok200(), "abc", {{"content-length", "9"}}},
    {"UpstreamHttp2TrailersWithPseudo", Ok200(), "abc", {{":status", "200"}}},
    {"UpstreamHttp2TrailersWithUpperCase", Ok200(), "abc", {{"X-T", "1"}}},
    {"UpstreamHttp2TrailersWithCrLf", Ok200(), "abc", {{"x-t", "1\r\n\r\nHTTP/1.1 200 OK"}}},
    {"UpstreamHttp2TrailersWithConnection", Ok200(), "abc", {{"transfer-encoding", "chunked"}}},
};

class BrokenUpstreamHttp2 : public StrictUpstreamHttp2,
                            public ::testing::WithParamInterface<Broken> {};
TEST_P(BrokenUpstreamHttp2, NeverLooksComplete) {
  const Broken& row = GetParam();
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Http2Peer server = Accept();
  const auto request = server.ReadRequest();
  server.SendHeaders(request.stream, row.fields, false);
  server.SendData(request.stream, row.data, row.trailers.empty());
  if (!row.trailers.empty()) server.SendHeaders(request.stream, row.trailers, true);
  std::string bytes = client.ReadToEnd();
  const StrictMessage response = TakeStrictly(bytes, StrictKind::kResponse);
  // A client that has its whole length already has a whole response; what came behind it was
  // dropped.
  if (response.complete()) {
    EXPECT_EQ(response.head.start_line.substr(0, 13), "HTTP/1.1 502 ");
  }
  EXPECT_NE(response.reading, StrictMessage::Reading::kAmbiguous);
  EXPECT_EQ(server.ReadReset(request.stream), kProtocolError);
  ExpectNextAnswer(&server);
}
INSTANTIATE_TEST_SUITE_P(Strictness, BrokenUpstreamHttp2, ::testing::ValuesIn(kBroken),
                         RowName<Broken>);

// ---- the connection with the endpoint ends
// ----------------------------------------------------------------------------

struct Violation {
  const char* name;
  std::string frames;
};
void PrintTo(const Violation& row, std::ostream* out) { *out << row.name; }

std::string Times(int times, const std::string& frame) {
  std::string frames;
  while (times-- > 0) frames += frame;
  return frames;
}

const Violation kViolations[] = {
    {"UpstreamHttp2Push", std::string("\0\0\5\5\4\0\0\0\1\0\0\0\2\x88", 14)},
    {"UpstreamHttp2HeadersOnIdleStream", std::string("\0\0\1\1\5\0\0\0\x0d\x88", 10)},
    {"UpstreamHttp2HeadersOnEvenStream", std::string("\0\0\1\1\5\0\0\0\2\x88", 10)},
    {"UpstreamHttp2DataOnIdleStream", std::string("\0\0\1\0\0\0\0\0\x0dx", 10)},
    {"UpstreamHttp2FrameTooLarge", std::string("\x7f\xff\xff\0\0\0\0\0\1", 9)},
    {"UpstreamHttp2BrokenCompression", std::string("\0\0\5\1\5\0\0\0\1\xff\xff\xff\xff\xff", 14)},
    {"UpstreamHttp2IsHttp1", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
    {"UpstreamHttp2FloodOfSettings", Times(1000, std::string("\0\0\0\4\0\0\0\0\0", 9))},
    {"UpstreamHttp2FloodOfPings", Times(1000, std::string("\0\0\x08\6\0\0\0\0\0", 9) + "12345678")},
    {"UpstreamHttp2FloodOfEmptyData",
     std::string("\0\0\1\1\4\0\0\0\1\x88", 10) + Times(1000, std::string("\0\0\0\0\0\0\0\0\1", 9))},
};

class ViolationUpstreamHttp2 : public StrictUpstreamHttp2,
                               public ::testing::WithParamInterface<Violation> {};
TEST_P(ViolationUpstreamHttp2, EndsTheConnectionAndNeverLooksComplete) {
  Peer client = proxy.Connect();
  client.Send(
      "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");  // not to be tried again
  Http2Peer server = Accept();
  EXPECT_EQ(server.ReadRequest().stream, 1);
  server.peer().Send(GetParam().frames);
  while (server.Next().type != 0xff) {
  }
  server.peer().Close();
  std::string bytes = client.ReadSome();
  const StrictMessage response = TakeStrictly(bytes, StrictKind::kResponse);
  if (response.complete()) {
    EXPECT_EQ(response.head.start_line.substr(0, 13), "HTTP/1.1 502 ");
  }
  proxy.WaitForClosedUpstreams();
  ExpectNextAnswer(nullptr);
}
INSTANTIATE_TEST_SUITE_P(Strictness, ViolationUpstreamHttp2, ::testing::ValuesIn(kViolations),
                         RowName<Violation>);

// ---- repaired
// ---------------------------------------------------------------------------------------------------------

struct RepairedHead {
  const char* name;
  Fields fields;
  const char* data;
  std::string seen;  // start line and fields, "|" behind each
  Fields trailers = {};
  const char* seen_trailers = "";
};
void PrintTo(const RepairedHead& row, std::ostream* out) { *out << row.name; }

const RepairedHead kRepaired[] = {
    {"UpstreamHttp2WithoutLength", Ok200({{"x-a", "1"}}), "abc",
     "HTTP/1.1 200 OK|x-a: 1|transfer-encoding: chunked|"},
    {"UpstreamHttp2LengthWithZeros", Ok200({{"content-length", "003"}}), "abc",
     "HTTP/1.1 200 OK|content-length: 3|"},
    {"UpstreamHttp2ForbiddenTrailers",
     Ok200(),
     "abc",
     "HTTP/1.1 200 OK|transfer-encoding: chunked|",
     {{"x-t", "1"}, {"content-length", "3"}, {"set-cookie", "a"}},
     "x-t: 1|set-cookie: a|"},
    {"UpstreamHttp2UnknownReason",
     {{":status", "299"}, {"content-length", "3"}},
     "abc",
     "HTTP/1.1 299 Unknown|content-length: 3|"},
};

class RepairedUpstreamHttp2 : public StrictUpstreamHttp2,
                              public ::testing::WithParamInterface<RepairedHead> {};
TEST_P(RepairedUpstreamHttp2, HasOneReading) {
  const RepairedHead& row = GetParam();
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Http2Peer server = Accept();
  const auto request = server.ReadRequest();
  server.SendHeaders(request.stream, row.fields, false);
  server.SendData(request.stream, row.data, row.trailers.empty());
  if (!row.trailers.empty()) server.SendHeaders(request.stream, row.trailers, true);
  const StrictMessage response = ReadStrictResponse(client);
  EXPECT_EQ(response.head.start_line + "|" + FieldsText(response.head.fields), row.seen);
  EXPECT_EQ(response.body, row.data);
  EXPECT_EQ(FieldsText(response.trailers), row.seen_trailers);
  client.Send(Get("/next"));
  const auto next = server.ReadRequest();
  server.Reply(next.stream, "the next answer");
  EXPECT_EQ(ReadStrictResponse(client).body, "the next answer");
}
INSTANTIATE_TEST_SUITE_P(Strictness, RepairedUpstreamHttp2, ::testing::ValuesIn(kRepaired),
                         RowName<RepairedHead>);

}  // namespace
}  // namespace headgate::test
