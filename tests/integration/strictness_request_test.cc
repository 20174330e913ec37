// What clients may send and what becomes of it: refused, or repaired and then with one reading. See
// docs/http-strictness.md.

#include <algorithm>
#include <string>
#include <vector>

#include "tests/integration/strictness.h"

namespace headgate::test {
namespace {

// ---- refused with their head
// --------------------------------------------------------------------------------------

struct Refused {
  const char* name;
  std::string bytes;
  int status = 400;
};
void PrintTo(const Refused& row, std::ostream* out) { *out << row.name; }

// "GET / HTTP/1.1", Host, and these lines.
std::string Lines(std::string_view lines) {
  return "GET / HTTP/1.1\r\nHost: a.example\r\n" + std::string(lines) + "\r\n";
}
std::string Body(std::string_view lines, std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: a.example\r\n" + std::string(lines) + "\r\n" + std::string(body);
}
std::string Line(std::string_view line) {
  return std::string(line) + "\r\nHost: a.example\r\n\r\n";
}
std::string Host(std::string_view lines) {
  return "GET / HTTP/1.1\r\n" + std::string(lines) + "\r\n";
}
std::string Path(std::string_view path) { return Line("GET " + std::string(path) + " HTTP/1.1"); }

const Refused kRefused[] = {
    // Length of the body
    {"LengthAndCoding", Body("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
    {"CodingAndLength", Body("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")},
    {"TwoLengths", Body("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")},
    {"EqualLengths", Body("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")},
    {"LengthList", Body("Content-Length: 3, 3\r\n", "abc")},
    {"LengthWithSign", Body("Content-Length: +3\r\n", "abc")},
    {"NegativeLength", Body("Content-Length: -1\r\n", "")},
    {"HexLength", Body("Content-Length: 0x3\r\n", "abc")},
    {"LengthWithBlank", Body("Content-Length: 3 4\r\n", "abc")},
    {"EmptyLength", Body("Content-Length: \r\n", "")},
    {"LengthOverflow", Body("Content-Length: 9223372036854775808\r\n", "")},
    {"LengthOverflow64", Body("Content-Length: 18446744073709551617\r\n", "")},
    {"ChunkedTwice", Body("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
    {"ChunkedTwiceInTwoFields",
     Body("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
    {"ChunkedNotLast", Body("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n")},
    {"CodingWithoutChunked", Body("Transfer-Encoding: identity\r\n", "")},
    {"EmptyCoding", Body("Transfer-Encoding: \r\n", "")},
    {"MisspeltChunked", Body("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n")},
    {"QuotedChunked", Body("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n")},
    {"ChunkedWithParameter", Body("Transfer-Encoding: chunked;q=1\r\n", "0\r\n\r\n")},
    {"ChunkedBehindControlByte", Body("Transfer-Encoding: \x0b"
                                      "chunked\r\n",
                                      "0\r\n\r\n")},
    {"UnknownCoding", Body("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
    {"CodingInHttp10",
     "POST / HTTP/1.0\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    // Field lines
    {"FoldedLine", Lines("X-A: 1\r\n b\r\n")},
    {"FoldedCoding", Body("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n")},
    {"IndentedFirstLine", "GET / HTTP/1.1\r\n Host: a.example\r\n\r\n"},
    {"BareCr", Lines("X-A: 1\rX-B: 2\r\n")},
    {"BareLf", Lines("X-A: 1\nX-B: 2\r\n")},
    {"BareLfEverywhere", "GET / HTTP/1.1\nHost: a.example\n\n"},
    {"BareLfAtTheEnd", "GET / HTTP/1.1\r\nHost: a.example\r\n\n"},
    {"NulInValue", Lines(std::string("X-A: 1\0\r\n", 9))},
    {"ControlByteInValue", Lines("X-A: \x01\r\n")},
    {"BlankBeforeColon", Body("Content-Length : 3\r\n", "abc")},
    {"TabBeforeColon", Body("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n")},
    {"BlankInName", Lines("X A: 1\r\n")},
    {"NulInName", Lines(std::string("X\0A: 1\r\n", 8))},
    {"EmptyName", Lines(": 1\r\n")},
    {"NoColon", Lines("X-A\r\n")},
    {"NameIsNoToken", Lines("X-A(: 1\r\n")},
    {"HighByteInName", Lines("X-\xc3\xa9: 1\r\n")},
    {"HeadTooLarge", Lines("X-A: " + std::string(40'000, 'a') + "\r\n"), 431},
    {"TooManyFields", Lines([] {
       std::string lines;
       for (int i = 0; i < 200; ++i) lines += "X-A: 1\r\n";
       return lines;
     }()),
     431},
    // Request line
    {"TwoBlanks", Line("GET  / HTTP/1.1")},
    {"TabInRequestLine", Line("GET\t/ HTTP/1.1")},
    {"BlankInTarget", Line("GET /a b HTTP/1.1")},
    {"BlankBehindVersion", Line("GET / HTTP/1.1 ")},
    {"NoVersion", Line("GET /")},
    {"LowerCaseVersion", Line("GET / http/1.1")},
    {"OddVersion", Line("GET / HTTP/1.10")},
    {"OtherVersion", Line("GET / HTTP/1.2"), 505},
    {"Http2Version", Line("GET / HTTP/2.0"), 505},
    {"MethodIsNoToken", Line("G(T / HTTP/1.1")},
    {"LeadingBlank", Line(" GET / HTTP/1.1")},
    {"ControlByteInTarget", Line("GET /\x01 HTTP/1.1")},
    {"NulInTarget", Line(std::string("GET /\0 HTTP/1.1", 15))},
    {"BareCrInRequestLine", Line("GET / HTTP/1.1\rX: y")},
    {"Fragment", Line("GET /a#b HTTP/1.1")},
    {"TargetTooLong", Line("GET /" + std::string(40'000, 'a') + " HTTP/1.1"), 414},
    // Host and target
    {"NoHost", Host("")},
    {"TwoHosts", Host("Host: a.example\r\nHost: b.example\r\n")},
    {"EqualHosts", Host("Host: a.example\r\nHost: a.example\r\n")},
    {"EmptyHost", Host("Host: \r\n")},
    {"HostWithUserinfo", Host("Host: x@a.example\r\n")},
    {"HostWithPath", Host("Host: a.example/b\r\n")},
    {"HostList", Host("Host: a.example, b.example\r\n")},
    {"HostWithBlank", Host("Host: a.example b\r\n")},
    {"HostWithBadPort", Host("Host: a.example:80x\r\n")},
    {"HostWithLargePort", Host("Host: a.example:65536\r\n")},
    {"HostWithOpenBracket", Host("Host: [::1\r\n")},
    {"HostWithEmptyLabel", Host("Host: a..example\r\n")},
    {"AuthorityMismatch", "GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n"},
    {"AuthorityPortMismatch", "GET http://a.example:81/ HTTP/1.1\r\nHost: a.example\r\n\r\n"},
    {"AuthorityWithUserinfo", "GET http://x@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"},
    {"AuthorityEmpty", "GET http:///a HTTP/1.1\r\nHost: a.example\r\n\r\n"},
    {"OtherScheme", "GET ftp://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"},
    {"AuthorityForm", "GET a.example:80 HTTP/1.1\r\nHost: a.example\r\n\r\n"},
    {"StarForGet", "GET * HTTP/1.1\r\nHost: a.example\r\n\r\n"},
    {"RelativePath", "GET a/b HTTP/1.1\r\nHost: a.example\r\n\r\n"},
    {"Connect", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", 405},
    // Connection
    {"ConnectionIsNoTokenList", Lines("Connection: keep alive\r\n")},
    {"EndlessConnection", Lines("Connection: " +
                                [] {
                                  std::string options;
                                  for (int i = 0; i < 40; ++i)
                                    options += "x" + std::to_string(i) + ",";
                                  return options;
                                }() +
                                "y\r\n")},
    {"MalformedUpgrade", Lines("Connection: upgrade\r\nUpgrade: web socket\r\n")},
};

// A request that can be read in two ways ends the connection, so that nobody can have another idea
// of what follows.
using RefusedRequest = StrictnessTable<Refused>;
TEST_P(RefusedRequest, IsAnsweredOnceAndGoesNowhere) {
  Peer client = proxy.Connect();
  client.Send(GetParam().bytes + Get("/smuggled"));
  const StrictMessage response = ReadStrictResponse(client);
  EXPECT_TRUE(response.complete());
  EXPECT_EQ(response.head.start_line.substr(0, 13),
            "HTTP/1.1 " + std::to_string(GetParam().status) + " ");
  EXPECT_EQ(response.Values("connection"), std::vector<std::string>{"close"});
  EXPECT_TRUE(client.Ended());
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamRequests), 0u);
}
INSTANTIATE_TEST_SUITE_P(Strictness, RefusedRequest, ::testing::ValuesIn(kRefused),
                         RowName<Refused>);

// ---- refused for their path
// ---------------------------------------------------------------------------------------

const Refused kRefusedPath[] = {
    {"PathAboveRoot", Path("/a/../../b")},
    {"EncodedPathAboveRoot", Path("/%2e%2e/b")},
    {"Backslash", Path("/a\\..\\b")},
    {"EncodedBackslash", Path("/a%5c..%5cb")},
    {"DotsWithParameters", Path("/a/..;x=1/b")},
    {"EncodedDotsWithParameters", Path("/a/%2e%2e%3bx/b")},
    {"DoubleEncodedDots", Path("/a/%252e%252e/b")},
    {"DoubleEncodedSlash", Path("/a/..%252fb")},
    {"EncodedNul", Path("/a%00b")},
    {"EncodedControlByte", Path("/a%0d%0ab")},
    {"BadPercent", Path("/a%2")},
    {"OverlongUtf8", Path("/a/%c0%ae%c0%ae/b")},
};

// Where such a request ends is clear, so the connection goes on.
using RefusedPath = StrictnessTable<Refused>;
TEST_P(RefusedPath, IsAnsweredAndGoesNowhere) {
  Peer client = proxy.Connect();
  client.Send(GetParam().bytes);
  const StrictMessage response = ReadStrictResponse(client);
  EXPECT_EQ(response.head.start_line.substr(0, 13), "HTTP/1.1 400 ");
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamRequests), 0u);
  Peer server;
  ExpectOwnAnswer(client, server, true);
}
INSTANTIATE_TEST_SUITE_P(Strictness, RefusedPath, ::testing::ValuesIn(kRefusedPath),
                         RowName<Refused>);

// ---- refused for their body
// ---------------------------------------------------------------------------------------

const Refused kRefusedBody[] = {
    {"ChunkSizeOverflow", "10000000000000000\r\nabc"},
    {"ChunkSizeWithSign", "+3\r\nabc\r\n0\r\n\r\n"},
    {"ChunkSizeWithPrefix", "0x3\r\nabc\r\n0\r\n\r\n"},
    {"ChunkSizeWithBlank", "3 \r\nabc\r\n0\r\n\r\n"},
    {"ChunkSizeEmpty", "\r\nabc\r\n0\r\n\r\n"},
    {"ChunkSizeBareLf", "3\nabc\r\n0\r\n\r\n"},
    {"ChunkLongerThanItsSize", "3\r\nabcd\r\n0\r\n\r\n"},
    {"ChunkEndsWithBareLf", "3\r\nabc\n0\r\n\r\n"},
    {"ChunkEndsWithBareCr", "3\r\nabc\r0\r\n\r\n"},
    {"ExtensionWithBareLf", "3;a=b\nabc\r\n0\r\n\r\n"},
    {"ExtensionWithBareCr", "3;a=b\rc\r\nabc\r\n0\r\n\r\n"},
    {"ExtensionTooLong", "3;" + std::string(2000, 'a') + "\r\nabc\r\n0\r\n\r\n"},
    {"TrailerWithBareLf", "0\r\nX-A: 1\n\r\n"},
    {"TrailerFolded", "0\r\nX-A: 1\r\n 2\r\n\r\n"},
    {"TrailerWithoutColon", "0\r\nX-A\r\n\r\n"},
    {"TrailersTooLarge", "0\r\nX-A: " + std::string(10'000, 'a') + "\r\n\r\n"},
};

// The head may be with the upstream already: then it never sees the end of that request.
using RefusedBody = StrictnessTable<Refused>;
TEST_P(RefusedBody, IsNeverComplete) {
  Peer client = proxy.Connect();
  client.Send(Body("Transfer-Encoding: chunked\r\n", ""));
  Peer server = upstream.Accept();
  client.Send(GetParam().bytes + Get("/smuggled"));
  const StrictMessage response = ReadStrictResponse(client);
  EXPECT_EQ(response.head.start_line.substr(0, 13), "HTTP/1.1 400 ");
  EXPECT_EQ(response.Values("connection"), std::vector<std::string>{"close"});
  EXPECT_TRUE(client.Ended());
  std::string stream = server.ReadToEnd();
  EXPECT_EQ(TakeStrictly(stream, StrictKind::kRequest).reading, StrictMessage::Reading::kIncomplete)
      << stream;
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamRequests), 1u);
}
TEST_P(RefusedBody, GoesNowhereWhenItIsHeld) {
  proxy.Route("a.example", {upstream.address()}, "policy { buffering { request: true } }");
  Peer client = proxy.Connect();
  client.Send(Body("Transfer-Encoding: chunked\r\n", GetParam().bytes) + Get("/smuggled"));
  EXPECT_EQ(ReadStrictResponse(client).head.start_line.substr(0, 13), "HTTP/1.1 400 ");
  EXPECT_TRUE(client.Ended());
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamRequests), 0u);
}
INSTANTIATE_TEST_SUITE_P(Strictness, RefusedBody, ::testing::ValuesIn(kRefusedBody),
                         RowName<Refused>);

// ---- repaired
// -----------------------------------------------------------------------------------------------------

struct Repaired {
  const char* name;
  std::string bytes;
  // What the upstream gets: the start line and the fields that are not ours, names in lower case.
  std::string seen;
  std::string body = "";
  std::string trailers = "";
  bool last = false;  // the client connection ends with it
};
void PrintTo(const Repaired& row, std::ostream* out) { *out << row.name; }

const std::string kPlain = "GET / HTTP/1.1|host: a.example|";

const Repaired kRepaired[] = {
    {"EmptyLineBefore", "\r\n" + Lines(""), kPlain},
    {"AbsoluteForm", "GET http://a.example/b?c HTTP/1.1\r\nHost: a.example\r\n\r\n",
     "GET /b?c HTTP/1.1|host: a.example|"},
    {"AbsoluteFormWithoutPath", "GET http://a.example?c HTTP/1.1\r\nHost: a.example\r\n\r\n",
     "GET /?c HTTP/1.1|host: a.example|"},
    {"BlanksAroundValues", Lines("X-A: \t a b \t\r\nX-B:c\r\n"), kPlain + "x-a: a b|x-b: c|"},
    {"LengthWithZeros", Body("Content-Length: 003\r\n", "abc"),
     "POST / HTTP/1.1|host: a.example|content-length: 3|", "abc"},
    {"ChunkedInOtherCase", Body("Transfer-Encoding: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\n"),
     "POST / HTTP/1.1|host: a.example|transfer-encoding: chunked|", "abc"},
    {"ChunkExtensions",
     Body("Transfer-Encoding: chunked\r\n", "0003;a=\"b\"\r\nabc\r\n00;c\r\n\r\n"),
     "POST / HTTP/1.1|host: a.example|transfer-encoding: chunked|", "abc"},
    {"ForbiddenTrailers",
     Body("Transfer-Encoding: chunked\r\n",
          "0\r\nX-Sum: 1\r\nContent-Length: 9\r\nHost: b.example\r\nAuthorization: "
          "x\r\nX-Forwarded-For: 1.1.1.1\r\n\r\n"),
     "POST / HTTP/1.1|host: a.example|transfer-encoding: chunked|", "", "x-sum: 1|"},
    {"NominatedFields", Lines("Connection: x-a, keep-alive\r\nX-A: 1\r\nX-B: 2\r\n"),
     kPlain + "x-b: 2|"},
    {"NominatedFramingAndOwnFields",
     Body("Connection: content-length, host, x-forwarded-for, x-real-ip, x-request-id, "
          "authorization\r\n"
          "Content-Length: 3\r\nAuthorization: x\r\n",
          "abc"),
     "POST / HTTP/1.1|host: a.example|authorization: x|content-length: 3|", "abc"},
    {"HopByHopFields",
     Lines("Keep-Alive: x\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nUpgrade: foo\r\n"),
     kPlain},
    {"TeTrailers", Lines("TE: gzip, trailers\r\nConnection: TE\r\n"),
     kPlain + "te: trailers|connection: TE|"},
    {"ProxyField", Lines("Proxy: http://evil.example\r\n"), kPlain},
    {"SpoofedForwardingFields",
     Lines("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Port: "
           "1\r\nX-Real-IP: 1.1.1.1\r\n"
           "X-Scheme: https\r\nX-Forwarded-Scheme: https\r\nX-Forwarded-Host: b.example\r\n"),
     kPlain + "x-original-forwarded-for: 1.1.1.1|x-original-forwarded-host: b.example|"},
    {"UnderscoreNames",
     Body("X_Real_IP: 1.1.1.1\r\nContent_Length: 9\r\nContent-Length: 3\r\n", "abc"),
     "POST / HTTP/1.1|host: a.example|content-length: 3|", "abc"},
    {"ExpectContinue", Body("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"),
     "POST / HTTP/1.1|host: a.example|content-length: 3|", "abc"},
    {"UnknownExpectation", Lines("Expect: tea\r\n"), kPlain},
    {"Http10", "GET / HTTP/1.0\r\nHost: a.example\r\n\r\n", kPlain, "", "", true},
    {"Http10WithUpgrade",
     "GET / HTTP/1.0\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
     kPlain, "", "", true},
    {"H2cUpgrade",
     Lines("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: "
           "AAMAAABkAAQAAP__\r\n"),
     kPlain},
    {"TlsUpgrade", Lines("Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n"), kPlain},
    {"UpgradeToSeveral", Lines("Connection: Upgrade\r\nUpgrade: websocket, foo\r\n"), kPlain},
    {"UpgradeWithBody",
     Body("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n", "abc"),
     "POST / HTTP/1.1|host: a.example|content-length: 3|", "abc"},
    {"DotSegments", Line("GET /a/./b/../%2e%2e/c?x=../y HTTP/1.1"),
     "GET /c?x=../y HTTP/1.1|host: a.example|"},
    {"SlashesAreKept", Line("GET //a//b%2Fc%2f HTTP/1.1"),
     "GET //a//b%2Fc%2f HTTP/1.1|host: a.example|"},
    {"RawHighBytesAreKept", Line("GET /\xc3\xa9?{} HTTP/1.1"),
     "GET /\xc3\xa9?{} HTTP/1.1|host: a.example|"},
};

using RepairedRequest = StrictnessTable<Repaired>;
TEST_P(RepairedRequest, HasOneReadingAndEachGetsItsAnswer) {
  const Repaired& row = GetParam();
  Peer client = proxy.Connect();
  client.Send(row.bytes);
  Peer server = upstream.Accept();
  const StrictMessage request = ReadStrictRequest(server);
  EXPECT_EQ(request.head.start_line + "|" + FieldsText(request.head.fields), row.seen);
  EXPECT_EQ(request.body, row.body);
  EXPECT_EQ(FieldsText(request.trailers), row.trailers);
  using Values = std::vector<std::string>;
  for (const char* name : {"x-real-ip", "x-forwarded-for"})
    EXPECT_EQ(request.Values(name), Values{"127.0.0.1"}) << name;
  for (const char* name : {"x-scheme", "x-forwarded-proto", "x-forwarded-scheme"}) {
    EXPECT_EQ(request.Values(name), Values{"http"}) << name;
  }
  EXPECT_EQ(request.Values("x-forwarded-host"), Values{"a.example"});
  EXPECT_EQ(request.Values("x-forwarded-port"), Values{std::to_string(proxy.http_port())});
  EXPECT_EQ(request.Values("x-request-id").size(), 1u);

  server.Send(Ok("its own answer"));
  EXPECT_EQ(ReadStrictResponse(client).body, "its own answer");
  if (row.last) {
    EXPECT_TRUE(client.Ended());
    client = proxy.Connect();
  }
  ExpectOwnAnswer(client, server, false);
}
INSTANTIATE_TEST_SUITE_P(Strictness, RepairedRequest, ::testing::ValuesIn(kRepaired),
                         RowName<Repaired>);

// ---- what takes more than one message
// -----------------------------------------------------------------------------

TEST_F(StrictnessTest, SlowHeadIs408) {
  proxy.Apply({"name: \"settings\" settings { timeouts { client_header { nanos: 100000000 } } }"});
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.1\r\nHost: a.exam");
  EXPECT_EQ(ReadStrictResponse(client).head.start_line.substr(0, 13), "HTTP/1.1 408 ");
  EXPECT_TRUE(client.Ended());
}

TEST_F(StrictnessTest, UnfinishedBodyNeverLooksComplete) {
  for (const char* framing : {"Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"}) {
    Peer client = proxy.Connect();
    client.Send(Body(framing, framing[0] == 'C' ? "abc" : "3\r\nabc\r\n"));
    Peer server = upstream.Accept();
    server.ReadHead();
    client.ShutdownWrite();
    client.ReadToEnd();
    std::string rest = server.ReadToEnd();
    EXPECT_EQ(rest.find("\r\n0\r\n"), std::string::npos);
    EXPECT_LE(rest.size(), 8u);
  }
}

TEST_F(StrictnessTest, RequestBehindAnEarlyAnswerIsTheNextOne) {
  Peer client = proxy.Connect();
  client.Send(Body("Content-Length: 30\r\n", "0123456789"));
  Peer server = upstream.Accept();
  server.ReadHead();
  server.Send(Ok("early"));
  EXPECT_EQ(ReadStrictResponse(client).body, "early");
  server.ReadToEnd();                   // of no further use: it waits for the rest of the body
  client.Send("GET /smuggled HTTP/1");  // the twenty bytes that were to come
  ExpectOwnAnswer(client, server, true);
}

TEST_F(StrictnessTest, PipelinedRequestsGetTheirAnswersInOrder) {
  Peer client = proxy.Connect();
  client.Send(Body("Content-Length: 3\r\n", "abc") +
              Body("Transfer-Encoding: chunked\r\n", "1\r\nd\r\n0\r\n\r\n") + Get("/3"));
  Peer server = upstream.Accept();
  for (const char* body : {"abc", "d", ""}) {
    EXPECT_EQ(ReadStrictRequest(server).body, body);
    server.Send(Ok("answer to " + std::string(body)));
    EXPECT_EQ(ReadStrictResponse(client).body, "answer to " + std::string(body));
  }
}

}  // namespace
}  // namespace headgate::test
