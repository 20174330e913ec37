// What upstreams may send and what becomes of it. See docs/http-strictness.md.

#include <string>
#include <vector>

#include "tests/integration/strictness.h"

namespace headgate::test {
namespace {

struct Row {
  const char* name;
  std::string bytes;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string Lines(std::string_view lines) {
  return "HTTP/1.1 200 OK\r\n" + std::string(lines) + "\r\n";
}
std::string Lines(std::string_view lines, std::string_view body) {
  return Lines(lines) + std::string(body);
}
std::string Status(std::string_view line) {
  return std::string(line) + "\r\nContent-Length: 0\r\n\r\n";
}

// ---- refused
// ------------------------------------------------------------------------------------------------------

const Row kRefused[] = {
    // Length of the body
    {"ResponseLengthAndCoding",
     Lines("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")},
    {"ResponseTwoLengths", Lines("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")},
    {"ResponseEqualLengths", Lines("Content-Length: 3\r\nContent-Length: 3\r\n", "abc")},
    {"ResponseLengthList", Lines("Content-Length: 3, 3\r\n", "abc")},
    {"ResponseLengthWithSign", Lines("Content-Length: +3\r\n", "abc")},
    {"ResponseNegativeLength", Lines("Content-Length: -3\r\n")},
    {"ResponseLengthOverflow", Lines("Content-Length: 9223372036854775808\r\n")},
    {"ResponseChunkedTwice", Lines("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")},
    {"ResponseChunkedNotLast", Lines("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n")},
    {"ResponseCodingWithoutChunked", Lines("Transfer-Encoding: gzip\r\n", "abc")},
    {"ResponseUnknownCoding", Lines("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")},
    {"ResponseCodingInHttp10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    // Status line
    {"StatusOfAnotherProtocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"},
    {"StatusVersion2", Status("HTTP/2.0 200 OK")},
    {"StatusVersionInLowerCase", Status("http/1.1 200 OK")},
    {"StatusWithTwoDigits", Status("HTTP/1.1 20 OK")},
    {"StatusWithFourDigits", Status("HTTP/1.1 2000 OK")},
    {"StatusBelow100", Status("HTTP/1.1 099 OK")},
    {"StatusAbove599", Status("HTTP/1.1 600 OK")},
    {"StatusIsNoNumber", Status("HTTP/1.1 abc OK")},
    {"StatusLineWithTwoBlanks", Status("HTTP/1.1  200 OK")},
    {"ControlByteInReason", Status("HTTP/1.1 200 O\x01K")},
    {"EmptyLineBeforeStatus", "\r\n" + Status("HTTP/1.1 200 OK")},
    // Field lines
    {"ResponseFoldedLine", Lines("Content-Length: 0\r\nX-A: 1\r\n b\r\n")},
    {"ResponseBareCr", Lines("Content-Length: 0\r\nX-A: 1\rSet-Cookie: x\r\n")},
    {"ResponseBareLf", Lines("Content-Length: 0\r\nX-A: 1\nX-B: 2\r\n")},
    {"ResponseBareLfEverywhere", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"},
    {"ResponseNulInValue", Lines("Content-Length: 0\r\n" + std::string("X-A: 1\0\r\n", 9))},
    {"ResponseBlankBeforeColon", Lines("Content-Length : 3\r\n", "abc")},
    {"ResponseEmptyName", Lines("Content-Length: 0\r\n: 1\r\n")},
    {"ResponseNoColon", Lines("Content-Length: 0\r\nX-A\r\n")},
    {"ResponseNameIsNoToken", Lines("Content-Length: 0\r\nX(A: 1\r\n")},
    {"ResponseHeadTooLarge", Lines("X-A: " + std::string(100'000, 'a') + "\r\n")},
    {"ResponseTooManyFields", Lines([] {
       std::string lines = "Content-Length: 0\r\n";
       for (int i = 0; i < 2000; ++i) lines += "X-A: 1\r\n";
       return lines;
     }())},
    {"ResponseConnectionIsNoTokenList", Lines("Content-Length: 0\r\nConnection: keep alive\r\n")},
    // Informational responses
    {"SwitchWithoutBeingAsked",
     "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"},
    {"EndlessInformation",
     [] {
       std::string flood;
       for (int i = 0; i < 100; ++i) flood += "HTTP/1.1 100 Continue\r\n\r\n";
       return flood;
     }()},
    {"MalformedInformation",
     "HTTP/1.1 103 Early Hints\r\nLink : x\r\n\r\n" + Lines("Content-Length: 0\r\n")},
};

// A response that can be read in two ways is no response, and its connection is of no further use.
using RefusedResponse = StrictnessTable<Row>;
TEST_P(RefusedResponse, Is502AndTheNextRequestGetsItsOwnAnswer) {
  Peer client = proxy.Connect();
  client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");
  Peer server = upstream.Accept();
  ReadStrictRequest(server);
  server.Send(GetParam().bytes);
  const StrictMessage response = ReadStrictResponse(client);
  EXPECT_EQ(response.head.start_line.substr(0, 13), "HTTP/1.1 502 ");
  server.ReadToEnd();
  EXPECT_EQ(proxy.Count(CounterId::kUpstreamProtocolErrors), 1u);
  ExpectOwnAnswer(client, server, true);
}
INSTANTIATE_TEST_SUITE_P(Strictness, RefusedResponse, ::testing::ValuesIn(kRefused), RowName<Row>);

// ---- broken in the middle
// -----------------------------------------------------------------------------------------

const std::string kChunked = Lines("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n");

const Row kBroken[] = {
    {"ShorterThanItsLength", Lines("Content-Length: 10\r\n", "abc")},
    {"ChunkedWithoutEnd", kChunked},
    {"ChunkedInMidChunk", kChunked + "5\r\nab"},
    {"ChunkedInMidTrailers", kChunked + "0\r\nX-A: 1\r\n"},
    {"ResponseChunkSizeOverflow", kChunked + "fffffffffffffffff\r\nabc"},
    {"ResponseChunkSizeIsNoNumber", kChunked + "xyz\r\n"},
    {"ResponseChunkLongerThanItsSize", kChunked + "3\r\nabcd\r\n0\r\n\r\n"},
    {"ResponseChunkSizeBareLf", kChunked + "3\nabc\r\n0\r\n\r\n"},
    {"ResponseExtensionWithBareCr", kChunked + "3;a\rb\r\nabc\r\n0\r\n\r\n"},
    {"ResponseTrailerFolded", kChunked + "0\r\nX-A: 1\r\n b\r\n\r\n"},
    {"ResponseTrailersTooLarge", kChunked + "0\r\nX-A: " + std::string(100'000, 'a') + "\r\n\r\n"},
};

// What is cut off is shown as cut off, whatever HTTP the client speaks.
using BrokenResponse = StrictnessTable<Row>;
TEST_P(BrokenResponse, NeverLooksComplete) {
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Peer server = upstream.Accept();
  ReadStrictRequest(server);
  server.Send(GetParam().bytes);
  server.ShutdownWrite();
  std::string stream = client.ReadToEnd();
  EXPECT_EQ(TakeStrictly(stream, StrictKind::kResponse).reading,
            StrictMessage::Reading::kIncomplete)
      << stream;
  server.ReadToEnd();
}
TEST_P(BrokenResponse, IsAResetToAClientThatCannotSeeTheLength) {
  if (std::string_view(GetParam().name) == "ShorterThanItsLength") return;  // that client sees it
  Peer client = proxy.Connect();
  client.Send("GET / HTTP/1.0\r\nHost: a.example\r\n\r\n");
  Peer server = upstream.Accept();
  ReadStrictRequest(server);
  server.Send(GetParam().bytes);
  server.ShutdownWrite();
  bool reset = false;
  client.ReadToEnd(&reset);
  EXPECT_TRUE(reset);
}
INSTANTIATE_TEST_SUITE_P(Strictness, BrokenResponse, ::testing::ValuesIn(kBroken), RowName<Row>);

// ---- repaired
// -----------------------------------------------------------------------------------------------------

struct Repaired {
  const char* name;
  std::string bytes;
  // What the client gets: status line and fields but Date, names in lower case.
  std::string seen;
  std::string body = "";
  std::string trailers = "";
  bool reused = false;  // the upstream's connection serves the next request
  const char* method = "GET";
};
void PrintTo(const Repaired& row, std::ostream* out) { *out << row.name; }

const Repaired kRepaired[] = {
    {"NoReason", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
     "HTTP/1.1 404 Not Found|content-length: 0|", "", "", true},
    {"Http10Response", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
     "HTTP/1.1 200 OK|content-length: 3|", "abc"},
    {"ResponseLengthWithZeros", Lines("Content-Length: 003\r\n", "abc"),
     "HTTP/1.1 200 OK|content-length: 3|", "abc", "", true},
    {"ResponseBlanksAroundValues", Lines("Content-Length: 0\r\nX-A:\t a b\t\r\n"),
     "HTTP/1.1 200 OK|x-a: a b|content-length: 0|", "", "", true},
    {"ResponseNominatedFields",
     Lines("Content-Length: 0\r\nConnection: x-a\r\nX-A: 1\r\nX-B: 2\r\n"),
     "HTTP/1.1 200 OK|x-b: 2|content-length: 0|", "", "", true},
    {"ResponseNominatedFraming",
     Lines("Connection: content-length, set-cookie2, date\r\nContent-Length: 3\r\n", "abc"),
     "HTTP/1.1 200 OK|content-length: 3|", "abc", "", true},
    {"ResponseHopByHopFields",
     Lines("Content-Length: 0\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\nUpgrade: "
           "h2c\r\nTE: x\r\n"),
     "HTTP/1.1 200 OK|content-length: 0|", "", "", true},
    {"ResponseChunkExtensions",
     Lines("Transfer-Encoding: chunked\r\n", "3;a=b\r\nabc\r\n0;c\r\n\r\n"),
     "HTTP/1.1 200 OK|transfer-encoding: chunked|", "abc", "", true},
    {"ResponseForbiddenTrailers",
     Lines("Transfer-Encoding: chunked\r\n",
           "0\r\nX-Sum: 1\r\nContent-Length: 4\r\nTransfer-Encoding: x\r\n\r\n"),
     "HTTP/1.1 200 OK|transfer-encoding: chunked|", "", "x-sum: 1|", true},
    {"ExcessBytes",
     Lines("Content-Length: 3\r\n", "abcHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"),
     "HTTP/1.1 200 OK|content-length: 3|", "abc"},
    {"ExcessBytesAfterLastChunk",
     Lines("Transfer-Encoding: chunked\r\n", "0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
     "HTTP/1.1 200 OK|transfer-encoding: chunked|"},
    {"BodyOn204", "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
     "HTTP/1.1 204 No Content|"},
    {"BodyOn304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\nabc",
     "HTTP/1.1 304 Not Modified|content-length: 3|"},
    {"BodyOnHead", Lines("Content-Length: 3\r\n", "abc"), "HTTP/1.1 200 OK|content-length: 3|", "",
     "", false, "HEAD"},
    {"Information",
     "HTTP/1.1 102 Processing\r\nContent-Length: 3\r\n\r\n" + Lines("Content-Length: 3\r\n", "abc"),
     "HTTP/1.1 102 Processing|HTTP/1.1 200 OK|content-length: 3|", "abc", "", true},
    {"ContinueThatNobodyWaitsFor", "HTTP/1.1 100 Continue\r\n\r\n" + Lines("Content-Length: 0\r\n"),
     "HTTP/1.1 200 OK|content-length: 0|", "", "", true},
};

using RepairedResponse = StrictnessTable<Repaired>;
TEST_P(RepairedResponse, HasOneReadingAndTheNextRequestGetsItsOwnAnswer) {
  const Repaired& row = GetParam();
  Peer client = proxy.Connect();
  client.Send(std::string(row.method) + " / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  Peer server = upstream.Accept();
  ReadStrictRequest(server);
  server.Send(row.bytes);
  std::string seen, stream;
  StrictMessage response;
  const auto kind =
      row.method == std::string_view("HEAD") ? StrictKind::kResponseToHead : StrictKind::kResponse;
  do {
    do {
      response = TakeStrictly(stream, kind);
      if (response.reading == StrictMessage::Reading::kIncomplete) {
        const std::string more = client.ReadSome();
        ASSERT_NE(more, "");
        stream += more;
      }
    } while (response.reading == StrictMessage::Reading::kIncomplete);
    ASSERT_TRUE(response.complete()) << stream;
    seen += response.head.start_line + "|" + FieldsText(response.head.fields);
  } while (response.head.start_line.starts_with("HTTP/1.1 1"));
  EXPECT_EQ(stream, "");
  EXPECT_EQ(seen, row.seen);
  EXPECT_EQ(response.body, row.body);
  EXPECT_EQ(FieldsText(response.trailers), row.trailers);
  if (!row.reused) server.ReadToEnd();
  ExpectOwnAnswer(client, server, !row.reused);
}
INSTANTIATE_TEST_SUITE_P(Strictness, RepairedResponse, ::testing::ValuesIn(kRepaired),
                         RowName<Repaired>);

// ---- what takes more than one message
// -----------------------------------------------------------------------------

class StrictnessResponseTest : public StrictnessTest {
 protected:
  // One exchange, after which `server` is idle in the pool.
  void Warm(Peer& client, Peer& server) {
    client = proxy.Connect();
    client.Send(Get("/"));
    server = upstream.Accept();
    ReadStrictRequest(server);
    server.Send(Ok("first"));
    EXPECT_EQ(ReadStrictResponse(client).body, "first");
  }
};

TEST_F(StrictnessResponseTest, UnsolicitedBytesOnAnIdleConnection) {
  Peer client, server;
  Warm(client, server);
  server.Send(Ok("poison"));
  server.ReadToEnd();  // closed at once
  ExpectOwnAnswer(client, server, true);
}

TEST_F(StrictnessResponseTest, UntilCloseThatIsResetIsBroken) {
  for (const char* version : {"1.1", "1.0"}) {
    Peer client = proxy.Connect();
    client.Send("GET / HTTP/" + std::string(version) + "\r\nHost: a.example\r\n\r\n");
    Peer server = upstream.Accept();
    ReadStrictRequest(server);
    server.Send("HTTP/1.1 200 OK\r\n\r\nabc");
    std::string stream = client.ReadHead();
    stream += client.ReadSome();
    server.Abort();
    bool reset = false;
    stream += client.ReadToEnd(&reset);
    EXPECT_TRUE(reset || TakeStrictly(stream, StrictKind::kResponse).reading ==
                             StrictMessage::Reading::kIncomplete);
  }
}

TEST_F(StrictnessResponseTest, NoAnswerToWhatMayHaveBeenDoneIs502) {
  Peer client, server;
  Warm(client, server);
  client.Send("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n");
  ReadStrictRequest(server);
  server.Close();
  EXPECT_EQ(ReadStrictResponse(client).head.start_line.substr(0, 13), "HTTP/1.1 502 ");
  ExpectOwnAnswer(client, server, true);
}

TEST_F(StrictnessResponseTest, HalfAHeadIs502) {
  Peer client = proxy.Connect();
  client.Send(Get("/"));
  Peer server = upstream.Accept();
  ReadStrictRequest(server);
  server.Send("HTTP/1.1 200 OK\r\nContent-Le");
  server.Close();
  EXPECT_EQ(ReadStrictResponse(client).head.start_line.substr(0, 13), "HTTP/1.1 502 ");
  ExpectOwnAnswer(client, server, true);
}

TEST_F(StrictnessResponseTest, EarlyAnswerEndsTheUpstreamConnection) {
  Peer client = proxy.Connect();
  client.Send(
      "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  Peer server = upstream.Accept();
  server.ReadHead();
  server.Send(Ok("early"));
  EXPECT_EQ(ReadStrictResponse(client).body, "early");
  server.ReadToEnd();
  client.Send("3\r\ndef\r\n0\r\n\r\n");
  ExpectOwnAnswer(client, server, true);
}

}  // namespace
}  // namespace headgate::test
