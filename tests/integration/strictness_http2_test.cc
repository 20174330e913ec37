// What HTTP/2 clients may send and what becomes of it in front of HTTP/1.1: refused, or passed on
// with one reading. See docs/http-strictness.md.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/integration/strictness.h"
#include "tests/support/dataplane/http2_client.h"
#include "tests/support/dataplane/http2_peer.h"

namespace headgate::test {
namespace {

using Fields = Http2Peer::Fields;

constexpr uint8_t kDataFrame = 0, kHeadersFrame = 1, kPriorityFrame = 2, kResetFrame = 3,
                  kSettingsFrame = 4, kPingFrame = 6, kGoawayFrame = 7, kWindowUpdateFrame = 8,
                  kContinuationFrame = 9;
constexpr uint32_t kProtocolError = 1, kStreamClosed = 5, kFrameSizeError = 6,
                   kCompressionError = 9, kEnhanceYourCalm = 11;

const std::string kNul(1, '\0');

// The four pseudo-header fields of a sound request, with some of them replaced (an empty name: left
// out), and what follows.
Fields With(const Fields& changes, const Fields& more = {}) {
  Fields fields = {
      {":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a.example"}};
  for (const auto& [name, value] : changes) {
    for (auto& [old, old_value] : fields) {
      if (old == name) old_value = value;
    }
  }
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
Fields Plus(const Fields& more) { return With({}, more); }
Fields Without(std::string_view name, const Fields& more = {}) {
  Fields fields = With({}, more);
  std::erase_if(fields, [name](const auto& field) { return field.first == name; });
  return fields;
}
Fields Connect(std::string_view protocol, const Fields& more = {}) {
  Fields fields = With({{":method", "CONNECT"}}, {{":protocol", std::string(protocol)}});
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

class StrictHttp2 : public StrictnessTest {
 protected:
  StrictHttp2() {
    proxy.Apply({"name: \"settings\" settings { http2 { on_plain_connections: true } }"});
  }

  Http2Peer Client() { return Http2Peer::Client(proxy.Connect()); }

  // The other streams of a connection go on, and get their own answers.
  void ExpectOwnAnswer(Http2Peer& client, int32_t stream) {
    client.SendHeaders(stream, With({{":path", "/next"}}), true);
    Peer server = upstream.Accept();
    EXPECT_EQ(ReadStrictRequest(server).head.start_line, "GET /next HTTP/1.1");
    server.Send(Ok("the next answer"));
    const auto response = client.ReadRequest();
    EXPECT_EQ(response.stream, stream);
    EXPECT_EQ(response.body, "the next answer");
  }
  // The connection ends with this error.
  static void ExpectGoaway(Http2Peer& client, uint32_t error) {
    Http2Peer::Frame frame;
    do {
      frame = client.Next();
    } while (frame.type != kGoawayFrame && frame.type != 0xff);
    ASSERT_EQ(frame.type, kGoawayFrame);
    EXPECT_EQ(frame.payload.substr(4, 4), (std::string("\0\0\0", 3) + static_cast<char>(error)));
    while (client.Next().type != 0xff) {
    }
  }
};

// ---- refused with their head: the stream, never the connection
// ------------------------------------------------------

struct RefusedStream {
  const char* name;
  Fields fields;
  int status = 0;  // 0: RST_STREAM with PROTOCOL_ERROR
  bool end = true;
};
void PrintTo(const RefusedStream& row, std::ostream* out) { *out << row.name; }

Fields Many(size_t count) {
  Fields more;
  for (size_t i = 0; i < count; ++i) more.emplace_back("x-" + std::to_string(i), "1");
  return Plus(more);
}

const RefusedStream kRefused[] = {
    // What HTTP/1.1 would read in another way
    {"Http2CrLfInValue", Plus({{"x-a", "1\r\nx-injected: 1"}})},
    {"Http2LfInValue", Plus({{"x-a", "1\nx-injected: 1"}})},
    {"Http2CrInValue", Plus({{"x-a", "1\rx"}})},
    {"Http2NulInValue", Plus({{"x-a", "1" + kNul + "2"}})},
    {"Http2BlankBeforeValue", Plus({{"x-a", " 1"}})},
    {"Http2BlankAfterValue", Plus({{"x-a", "1\t"}})},
    {"Http2CrLfInName", Plus({{"x-a\r\nx-injected", "1"}})},
    {"Http2BlankInName", Plus({{"x a", "1"}})},
    {"Http2ColonInName", Plus({{"x:a", "1"}})},
    {"Http2NulInName", Plus({{"x" + kNul + "a", "1"}})},
    {"Http2HighByteInName", Plus({{"x\xc3\xa9", "1"}})},
    {"Http2EmptyName", Plus({{"", "1"}})},
    {"Http2UpperCaseName", Plus({{"X-A", "1"}})},
    {"Http2CrLfInPath", With({{":path", "/ HTTP/1.1\r\nx-injected: 1"}})},
    {"Http2BlankInPath", With({{":path", "/a b"}})},
    {"Http2NulInPath", With({{":path", "/a" + kNul}})},
    {"Http2FragmentInPath", With({{":path", "/a#b"}})},
    {"Http2CrLfInMethod", With({{":method", "GET / HTTP/1.1\r\nx-injected: 1\r\n\r\nGET"}})},
    {"Http2BlankInMethod", With({{":method", "GET /evil"}})},
    {"Http2ColonInMethod", With({{":method", "GET:"}})},
    {"Http2CrLfInAuthority", With({{":authority", "a.example\r\nx-injected: 1"}})},
    {"Http2BlankInAuthority", With({{":authority", "a.example b"}})},
    {"Http2NulInAuthority", With({{":authority", "a.example" + kNul}})},
    {"Http2CrLfInScheme", With({{":scheme", "http\r\nx-injected: 1"}})},
    {"Http2CrLfInProtocol", Connect("websocket\r\nx-injected: 1"), 0, false},
    // Pseudo-header fields
    {"Http2NoMethod", Without(":method")},
    {"Http2NoScheme", Without(":scheme")},
    {"Http2NoPath", Without(":path")},
    {"Http2EmptyMethod", With({{":method", ""}})},
    {"Http2EmptyPath", With({{":path", ""}})},
    {"Http2TwoMethods", Plus({{":method", "POST"}})},
    {"Http2TwoPaths", Plus({{":path", "/evil"}})},
    {"Http2TwoSchemes", Plus({{":scheme", "https"}})},
    {"Http2TwoAuthorities", Plus({{":authority", "b.example"}})},
    {"Http2PseudoBehindFields", Without(":path", {{"x-a", "1"}, {":path", "/"}})},
    {"Http2UnknownPseudo", Plus({{":x", "1"}})},
    {"Http2StatusInRequest", Plus({{":status", "200"}})},
    {"Http2ProtocolWithoutConnect", Plus({{":protocol", "websocket"}})},
    {"Http2OtherScheme", With({{":scheme", "ftp"}})},
    {"Http2RelativePath", With({{":path", "a"}})},
    {"Http2AbsolutePath", With({{":path", "http://a.example/"}})},
    {"Http2StarForGet", With({{":path", "*"}})},
    // The host
    {"Http2NoAuthority", Without(":authority")},
    {"Http2EmptyAuthority", With({{":authority", ""}})},
    {"Http2AuthorityWithUserinfo", With({{":authority", "user@a.example"}})},
    {"Http2AuthorityWithPath", With({{":authority", "a.example/x"}})},
    {"Http2AuthorityList", With({{":authority", "a.example,b.example"}})},
    {"Http2AuthorityWithBadPort", With({{":authority", "a.example:x"}})},
    {"Http2HostMismatch", Plus({{"host", "b.example"}})},
    {"Http2HostPortMismatch", Plus({{"host", "a.example:81"}})},
    {"Http2TwoHosts", Without(":authority", {{"host", "a.example"}, {"host", "a.example"}})},
    {"Http2MalformedHost", Without(":authority", {{"host", "a.example b"}})},
    // Fields of HTTP/1.1's connections
    {"Http2Connection", Plus({{"connection", "close"}})},
    {"Http2KeepAlive", Plus({{"keep-alive", "1"}})},
    {"Http2ProxyConnection", Plus({{"proxy-connection", "close"}})},
    {"Http2TransferEncoding", Plus({{"transfer-encoding", "chunked"}}), 0, false},
    {"Http2Upgrade", Plus({{"upgrade", "websocket"}})},
    {"Http2TeOtherThanTrailers", Plus({{"te", "gzip"}})},
    {"Http2TeList", Plus({{"te", "trailers, gzip"}})},
    // The length of the body
    {"Http2TwoLengths", Plus({{"content-length", "3"}, {"content-length", "4"}}), 0, false},
    {"Http2EqualLengths", Plus({{"content-length", "3"}, {"content-length", "3"}}), 0, false},
    {"Http2LengthList", Plus({{"content-length", "3, 3"}}), 0, false},
    {"Http2LengthWithSign", Plus({{"content-length", "+3"}}), 0, false},
    {"Http2LengthOverflow", Plus({{"content-length", "9223372036854775808"}}), 0, false},
    {"Http2EmptyLength", Plus({{"content-length", ""}}), 0, false},
    {"Http2LengthWithoutBody", Plus({{"content-length", "3"}})},
    // CONNECT
    {"Http2Connect", {{":method", "CONNECT"}, {":authority", "a.example:443"}}, 405},
    {"Http2ConnectWithPath", With({{":method", "CONNECT"}})},
    {"Http2ConnectToH2c", Connect("h2c"), 501, false},
    {"Http2ConnectToHttp", Connect("HTTP/2.0"), 501, false},
    {"Http2ConnectToTls", Connect("tls/1.0"), 501, false},
    {"Http2ConnectWithLength", Connect("websocket", {{"content-length", "3"}}), 0, false},
    // Limits
    {"Http2HeadTooLarge",
     Plus({{"x-a", std::string(8'000, 'a')},
           {"x-b", std::string(8'000, 'b')},
           {"x-c", std::string(8'000, 'c')},
           {"x-d", std::string(9'000, 'd')}}),
     431},
    {"Http2TooManyFields", Many(101), 431},
};

class RefusedHttp2Request : public StrictHttp2,
                            public ::testing::WithParamInterface<RefusedStream> {
 protected:
  // In as many frames as it takes.
  static void SendHead(Http2Peer& client, const RefusedStream& row) {
    std::string block = Http2Peer::Block(row.fields);
    const uint8_t end = row.end ? Http2Peer::kEndStream : 0;
    bool first = true;
    while (first || !block.empty()) {
      const std::string piece = block.substr(0, 16'000);
      block.erase(0, piece.size());
      const uint8_t last = block.empty() ? Http2Peer::kEndHeaders : 0;
      client.SendFrame(first ? kHeadersFrame : kContinuationFrame,
                       static_cast<uint8_t>(last | (first ? end : 0)), 1, piece);
      first = false;
    }
  }
};
TEST_P(RefusedHttp2Request, NeverReachesAnUpstreamAndHarmsNoOtherStream) {
  const RefusedStream& row = GetParam();
  Http2Peer client = Client();
  SendHead(client, row);
  if (row.status == 0) {
    EXPECT_EQ(client.ReadReset(1), kProtocolError);
  } else {
    const auto response = client.ReadRequest();
    EXPECT_EQ(response.fields.at(":status"), std::to_string(row.status));
    if (!row.end) client.ReadReset(1);
  }
  ExpectOwnAnswer(client, 3);
  EXPECT_FALSE(upstream.HasConnection());
  EXPECT_EQ(proxy.Count(CounterId::kHttp2RefusedRequests) +
                proxy.Count(CounterId::kDownstreamBadRequests),
            1u)
      << "each is counted once, as what the library refuses or as what we do";
}
INSTANTIATE_TEST_SUITE_P(Strictness, RefusedHttp2Request, ::testing::ValuesIn(kRefused),
                         RowName<RefusedStream>);

// ---- refused in their body: the upstream never sees a whole request
// --------------------------------------------------

struct RefusedBody {
  const char* name;
  Fields fields;     // of a POST
  const char* data;  // behind which `end`, or trailers
  Fields trailers = {};
};
void PrintTo(const RefusedBody& row, std::ostream* out) { *out << row.name; }

Fields Post(const Fields& more) { return With({{":method", "POST"}}, more); }

const RefusedBody kRefusedBodies[] = {
    {"Http2BodyShorterThanLength", Post({{"content-length", "5"}}), "abc"},
    {"Http2BodyLongerThanLength", Post({{"content-length", "2"}}), "abc"},
    {"Http2TrailersWithPseudo", Post({}), "abc", {{":path", "/"}}},
    {"Http2TrailersWithUpperCase", Post({}), "abc", {{"X-T", "1"}}},
    {"Http2TrailersWithCrLf", Post({}), "abc", {{"x-t", "1\r\n\r\nGET /evil HTTP/1.1"}}},
    {"Http2TrailersWithConnection", Post({}), "abc", {{"connection", "close"}}},
    {"Http2TrailersWithOtherLength", Post({}), "abc", {{"content-length", "9"}}},
    {"Http2TrailersBehindShortBody", Post({{"content-length", "5"}}), "abc", {{"x-t", "1"}}},
};

class RefusedHttp2Body : public StrictHttp2, public ::testing::WithParamInterface<RefusedBody> {};
TEST_P(RefusedHttp2Body, NeverLooksCompleteToTheUpstream) {
  const RefusedBody& row = GetParam();
  Http2Peer client = Client();
  client.SendHeaders(1, row.fields, false);
  client.SendData(1, row.data, row.trailers.empty());
  if (!row.trailers.empty()) client.SendHeaders(1, row.trailers, true);
  EXPECT_EQ(client.ReadReset(1), kProtocolError);
  while (upstream.HasConnection()) {
    std::string bytes = upstream.Accept().ReadToEnd();
    EXPECT_NE(TakeStrictly(bytes, StrictKind::kRequest).reading, StrictMessage::Reading::kComplete);
    EXPECT_EQ(bytes.find("evil"), std::string::npos);
  }
  ExpectOwnAnswer(client, 3);
}
INSTANTIATE_TEST_SUITE_P(Strictness, RefusedHttp2Body, ::testing::ValuesIn(kRefusedBodies),
                         RowName<RefusedBody>);

// ---- the connection ends
// ---------------------------------------------------------------------------------------------

struct Ending {
  const char* name;
  std::string frames;  // behind preface and SETTINGS
  uint32_t error;
};
void PrintTo(const Ending& row, std::ostream* out) { *out << row.name; }

std::string Head(uint32_t stream, bool end) {
  return Frame(kHeadersFrame, end ? 5 : 4, stream, Http2Peer::Block(With({{":path", "/none"}})));
}

const Ending kEndings[] = {
    {"Http2DataOnIdleStream", Frame(kDataFrame, 0, 1, "x"), kProtocolError},
    {"Http2DataOnStreamZero", Frame(kDataFrame, 0, 0, "x"), kProtocolError},
    {"Http2EvenStream", Head(2, true), kProtocolError},
    {"Http2StreamGoesBack", Head(5, true) + Head(3, true), kProtocolError},
    {"Http2DataBehindTheEnd", Head(1, true) + Frame(kDataFrame, 0, 1, "x"), kStreamClosed},
    {"Http2FrameInsideBlock", Frame(kHeadersFrame, 0, 1, "") + Frame(kPingFrame, 0, 0, "12345678"),
     kProtocolError},
    {"Http2ContinuationFromNowhere", Frame(kContinuationFrame, 4, 1, ""), kProtocolError},
    {"Http2FrameTooLarge", std::string("\x7f\xff\xff\0\0\0\0\0\1", 9), kFrameSizeError},
    {"Http2BrokenCompression", Frame(kHeadersFrame, 5, 1, "\xff\xff\xff\xff\xff"),
     kCompressionError},
    {"Http2PushFromClient", Frame(5, 4, 1, std::string("\0\0\0\2", 4)), kProtocolError},
    {"Http2PaddingTooLong",
     Head(1, false) + Frame(kDataFrame, 8, 1,
                            std::string("\xff"
                                        "abc",
                                        4)),
     kProtocolError},
};

class EndingHttp2 : public StrictHttp2, public ::testing::WithParamInterface<Ending> {};
TEST_P(EndingHttp2, TellsWhyAndCloses) {
  Http2Peer client = Client();
  client.peer().Send(GetParam().frames);
  ExpectGoaway(client, GetParam().error);
  Http2Peer next = Client();
  while (upstream.HasConnection()) upstream.Accept();  // of a request that came before
  ExpectOwnAnswer(next, 1);
}
INSTANTIATE_TEST_SUITE_P(Strictness, EndingHttp2, ::testing::ValuesIn(kEndings), RowName<Ending>);

// ---- too often
// -------------------------------------------------------------------------------------------------------

struct Flood {
  const char* name;
  std::string before;
  std::string frame;
  int times;
  CounterId counter;
};
void PrintTo(const Flood& row, std::ostream* out) { *out << row.name; }

// One field of 4,000 bytes into the dynamic table, then one byte for each repetition.
std::string Bomb() {
  std::string block =
      Http2Peer::Block(With({})) + std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'v');
  return Frame(kHeadersFrame, 5, 1, block + std::string(10'000, '\xbe'));
}

const Flood kFloods[] = {
    {"Http2FloodOfSettings", "", Frame(kSettingsFrame, 0, 0, ""), 1000,
     CounterId::kHttp2AbuseSettings},
    {"Http2FloodOfPings", "", Frame(kPingFrame, 0, 0, "12345678"), 1000,
     CounterId::kHttp2AbusePings},
    {"Http2FloodOfWindowUpdates", "", Frame(kWindowUpdateFrame, 0, 0, std::string("\0\0\0\1", 4)),
     5000, CounterId::kHttp2AbuseWindowUpdates},
    {"Http2FloodOfPriorities", "", Frame(kPriorityFrame, 0, 1, std::string("\0\0\0\0\x10", 5)),
     5000, CounterId::kHttp2AbusePriorities},
    {"Http2FloodOfEmptyData", Head(1, false), Frame(kDataFrame, 0, 1, ""), 1000,
     CounterId::kHttp2AbuseEmptyData},
    {"Http2FloodOfUnknownFrames", "", Frame(0x55, 0, 0, "x"), 1000,
     CounterId::kHttp2AbuseUnknownFrames},
    {"Http2FloodOfContinuations", Frame(kHeadersFrame, 0, 1, ""),
     Frame(kContinuationFrame, 0, 1, ""), 50'000, CounterId::kHttp2AbuseHeaders},
    {"Http2FloodOfFieldsFromOneByteEach", "", Bomb(), 1, CounterId::kHttp2AbuseHeaders},
};

class FloodHttp2 : public StrictHttp2, public ::testing::WithParamInterface<Flood> {};
TEST_P(FloodHttp2, IsCountedAndEndsTheConnection) {
  const Flood& row = GetParam();
  Http2Peer client = Client();
  std::string frames = row.before;
  for (int i = 0; i < row.times; ++i) frames += row.frame;
  client.peer().Send(frames);
  ExpectGoaway(client, kEnhanceYourCalm);
  EXPECT_EQ(proxy.Count(row.counter), 1u);
}
INSTANTIATE_TEST_SUITE_P(Strictness, FloodHttp2, ::testing::ValuesIn(kFloods), RowName<Flood>);

// Streams that are begun and given up, by the client ("rapid reset") or by errors that make us do
// it ("made you reset").
TEST_F(StrictHttp2, StreamsGivenUpByWhomeverEndTheConnection) {
  const std::string cancel = std::string("\0\0\0\x08", 4),
                    overflow = std::string("\x7f\xff\xff\xff", 4);
  for (const bool by_client : {true, false}) {
    Http2Peer client = Client();
    std::string frames;
    for (uint32_t id = 1; id < 2400; id += 2) {
      frames += Head(id, false);
      frames += by_client ? Frame(kResetFrame, 0, id, cancel)
                          : Frame(kWindowUpdateFrame, 0, id, overflow);
    }
    client.peer().Send(frames);
    ExpectGoaway(client, kEnhanceYourCalm);
  }
  EXPECT_EQ(proxy.Count(CounterId::kHttp2AbuseResets), 2u);
}

// ---- repaired
// --------------------------------------------------------------------------------------------------------

struct RepairedStream {
  const char* name;
  Fields fields;
  std::string seen;            // start line and fields but those that are ours, "|" behind each
  const char* body = nullptr;  // null: none
  Fields trailers = {};
  const char* seen_trailers = "";
};
void PrintTo(const RepairedStream& row, std::ostream* out) { *out << row.name; }

const char kPlain[] = "GET / HTTP/1.1|host: a.example|";

const RepairedStream kRepaired[] = {
    {"Http2HostOnly", Without(":authority", {{"host", "a.example"}}), kPlain},
    {"Http2HostAndAuthority", Plus({{"host", "A.example:80"}}), kPlain},
    {"Http2CookiesAreOne", Plus({{"cookie", "a=1"}, {"cookie", "b=2"}}),
     std::string(kPlain) + "cookie: a=1; b=2|"},
    {"Http2TeTrailers", Plus({{"te", "trailers"}}),
     std::string(kPlain) + "te: trailers|connection: TE|"},
    {"Http2ProxyField", Plus({{"proxy", "x"}}), kPlain},
    {"Http2UnderscoreNames", Plus({{"x_real_ip", "1.1.1.1"}}), kPlain},
    {"Http2Settings", Plus({{"http2-settings", "AAMAAABkAAQAAP__"}}), kPlain},
    {"Http2SpoofedForwardingFields",
     Plus({{"x-forwarded-for", "1.1.1.1"},
           {"x-real-ip", "1.1.1.1"},
           {"x-forwarded-proto", "https"}}),
     std::string(kPlain) + "x-original-forwarded-for: 1.1.1.1|"},
    {"Http2SchemeIsTheConnections", With({{":scheme", "https"}}), kPlain},
    {"Http2DotSegments", With({{":path", "/a/../b/%2e%2e/c?x=../y"}}),
     "GET /c?x=../y HTTP/1.1|host: a.example|"},
    {"Http2BodyWithLength", Post({{"content-length", "3"}}),
     "POST / HTTP/1.1|host: a.example|content-length: 3|", "abc"},
    {"Http2BodyWithoutLength", Post({}),
     "POST / HTTP/1.1|host: a.example|transfer-encoding: chunked|", "abc"},
    {"Http2LengthWithZeros", Post({{"content-length", "003"}}),
     "POST / HTTP/1.1|host: a.example|content-length: 3|", "abc"},
    {"Http2ForbiddenTrailers",
     Post({}),
     "POST / HTTP/1.1|host: a.example|transfer-encoding: chunked|",
     "abc",
     {{"x-t", "1"}, {"content-length", "3"}, {"host", "b.example"}, {"authorization", "x"}},
     "x-t: 1|"},
};

class RepairedHttp2Request : public StrictHttp2,
                             public ::testing::WithParamInterface<RepairedStream> {};
TEST_P(RepairedHttp2Request, HasOneReadingAndEachGetsItsAnswer) {
  const RepairedStream& row = GetParam();
  Http2Peer client = Client();
  client.SendHeaders(1, row.fields, row.body == nullptr);
  if (row.body != nullptr) client.SendData(1, row.body, row.trailers.empty());
  if (!row.trailers.empty()) client.SendHeaders(1, row.trailers, true);
  Peer server = upstream.Accept();
  const StrictMessage request = ReadStrictRequest(server);
  EXPECT_EQ(request.head.start_line + "|" + FieldsText(request.head.fields), row.seen);
  EXPECT_EQ(request.body, row.body == nullptr ? "" : row.body);
  EXPECT_EQ(FieldsText(request.trailers), row.seen_trailers);
  using Values = std::vector<std::string>;
  for (const char* name : {"x-real-ip", "x-forwarded-for"})
    EXPECT_EQ(request.Values(name), Values{"127.0.0.1"}) << name;
  for (const char* name : {"x-scheme", "x-forwarded-proto"})
    EXPECT_EQ(request.Values(name), Values{"http"}) << name;
  server.Send(Ok("its own answer"));
  const auto response = client.ReadRequest();
  EXPECT_EQ(response.stream, 1);
  EXPECT_EQ(response.body, "its own answer");
}
INSTANTIATE_TEST_SUITE_P(Strictness, RepairedHttp2Request, ::testing::ValuesIn(kRepaired),
                         RowName<RepairedStream>);

}  // namespace
}  // namespace headgate::test
