#include "dataplane/http1/request_parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "dataplane/http1/head_scanner.h"

namespace headgate::http1 {
namespace {

using base::Failure;
using http::BodyLength;
using http::FieldId;
using http::Method;
using http::Version;

class RequestParserTest : public ::testing::Test {
 protected:
  RequestParseResult Parse(std::string_view text) {
    arena_.Clear();
    return ParseRequestHead(arena_.Copy(text), limits_, arena_, request_);
  }
  // Parses "GET / HTTP/1.1" with Host and these lines; returns the status, 0 if fine.
  int WithLines(std::string_view lines, std::string_view request_line = "GET / HTTP/1.1") {
    return Parse(std::string(request_line) + "\r\nHost: a\r\n" + std::string(lines) + "\r\n")
        .status;
  }
  int WithHead(std::string_view text) { return Parse(text).status; }

  codec::RequestLimits limits_;
  base::BlockPool pool_;
  base::Arena arena_{pool_};
  http::RequestHead request_;
};

TEST_F(RequestParserTest, TakesARequestApart) {
  const RequestParseResult result = Parse(
      "POST /a/b?c=d HTTP/1.1\r\nHost: Example.com:81\r\nX-One:1\r\nx-two: \t two words \t\r\n"
      "Empty:\r\nContent-Length: 5\r\n\r\n");
  ASSERT_TRUE(result.ok()) << result.detail;
  EXPECT_TRUE(result.keep_alive);
  EXPECT_EQ(request_.method, Method::kPost);
  EXPECT_EQ(request_.method_text, "POST");
  EXPECT_EQ(request_.target, "/a/b?c=d");
  EXPECT_EQ(request_.path(), "/a/b");
  EXPECT_EQ(request_.query(), "c=d");
  EXPECT_EQ(request_.authority, "Example.com:81");
  EXPECT_EQ(request_.version, Version::kHttp11);
  EXPECT_EQ(request_.body, BodyLength::Fixed(5));
  ASSERT_EQ(request_.fields.size(), 5u);
  EXPECT_EQ(request_.fields[1].name, "X-One");
  EXPECT_EQ(request_.fields[1].value, "1");
  EXPECT_EQ(request_.fields[2].value, "two words");
  EXPECT_EQ(request_.fields[3].value, "");
  EXPECT_EQ(request_.fields[4].id, FieldId::kContentLength);
  EXPECT_FALSE(request_.expect_continue);
}

TEST_F(RequestParserTest, OneEmptyLineBeforeTheRequestIsTolerated) {
  EXPECT_EQ(WithHead("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  EXPECT_EQ(WithHead("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("\r\n\r\n"), 400);
}

TEST_F(RequestParserTest, RequestLineHasTwoSingleSpaces) {
  EXPECT_EQ(WithLines("", "GET  / HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET /  HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET / HTTP/1.1 "), 400);
  EXPECT_EQ(WithLines("", " GET / HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET\t/ HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET /\tHTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET /"), 400);
  EXPECT_EQ(WithLines("", "GET"), 400);
  EXPECT_EQ(WithLines("", ""), 400);
  EXPECT_EQ(WithLines("", "GET / a HTTP/1.1"), 400);
}

TEST_F(RequestParserTest, MethodIsAToken) {
  EXPECT_EQ(WithLines("", "BREW / HTTP/1.1"), 0);
  EXPECT_EQ(request_.method, Method::kOther);
  EXPECT_EQ(request_.method_text, "BREW");
  EXPECT_EQ(WithLines("", "G(T / HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "G\x01T / HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "\x16\x03\x01"), 400);
}

TEST_F(RequestParserTest, OnlyVersions10And11) {
  EXPECT_EQ(WithLines("", "GET / HTTP/1.0"), 0);
  EXPECT_EQ(WithLines("", "GET / HTTP/1.2"), 505);
  EXPECT_EQ(WithLines("", "GET / HTTP/2.0"), 505);
  EXPECT_EQ(WithLines("", "PRI * HTTP/2.0"), 505);
  EXPECT_EQ(WithLines("", "GET / HTTP/0.9"), 505);
  EXPECT_EQ(WithLines("", "GET / http/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET / HTTP/1.11"), 400);
  EXPECT_EQ(WithLines("", "GET / HTTP/11"), 400);
  EXPECT_EQ(WithLines("", "GET / HTTP/1"), 400);
  EXPECT_EQ(WithLines("", "GET / HTTPS/1.1"), 400);
}

TEST_F(RequestParserTest, LinesEndWithCrLf) {
  EXPECT_EQ(WithHead("GET / HTTP/1.1\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\rHost: a\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: a\r\n\r"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\n\n"), 400);
}

TEST_F(RequestParserTest, FoldedLinesAreRefused) {
  EXPECT_EQ(WithLines("X: a\r\n b\r\n"), 400);
  EXPECT_EQ(WithLines("X: a\r\n\tb\r\n"), 400);
  EXPECT_EQ(WithLines(" X: a\r\n"), 400);
  EXPECT_EQ(WithLines("X: a\r\n \r\n"), 400);
}

TEST_F(RequestParserTest, FieldNamesAreTokens) {
  EXPECT_EQ(WithLines("X : a\r\n"), 400);
  EXPECT_EQ(WithLines("X\t: a\r\n"), 400);
  EXPECT_EQ(WithLines("Content-Length : 5\r\n"), 400);
  EXPECT_EQ(WithLines(": a\r\n"), 400);
  EXPECT_EQ(WithLines("X\r\n"), 400);
  EXPECT_EQ(WithLines("X\n"), 400);
  EXPECT_EQ(WithLines("A B: c\r\n"), 400);
  constexpr std::string_view kToken =
      "!#$%&'*+-.^`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  for (int c = 0; c < 256; ++c) {
    if (c == ':') continue;
    const std::string line = std::string("X") + static_cast<char>(c) + "y: v\r\n";
    const bool token = kToken.find(static_cast<char>(c)) != std::string_view::npos;
    EXPECT_EQ(WithLines(line), token ? 0 : 400) << c;
    // In every place of a long name too, and before every length of what follows.
    for (size_t position : {0, 14, 15, 16, 17, 31, 32, 39}) {
      std::string name = "X-Trace-0123456789-ABCDEFGHIJ-abcdefghij";
      name[position] = static_cast<char>(c);
      limits_.underscores = http::Underscores::kKept;
      EXPECT_EQ(WithLines(name + ": " + std::string(position, 'v') + "\r\n"), token ? 0 : 400)
          << name;
      EXPECT_EQ(request_.fields.Get(name).size(), token ? position : 0);
      limits_.underscores = http::Underscores::kDropped;
      EXPECT_EQ(WithLines(name + ": v\r\n"), token ? 0 : 400) << name;
      EXPECT_EQ(request_.fields.Get(name).empty(), !token || c == '_') << name;
    }
  }
}

TEST_F(RequestParserTest, ValuesHoldNoControlBytes) {
  for (int c = 0; c < 256; ++c) {
    for (size_t position : {size_t{1}, size_t{17}, size_t{30}}) {
      std::string value(40, 'v');
      value[position] = static_cast<char>(c);
      const bool fine = c == '\t' || (c >= 0x20 && c != 0x7f);
      EXPECT_EQ(WithLines("X: " + value + "\r\n"), fine ? 0 : 400) << c << " at " << position;
      if (fine) {
        EXPECT_EQ(request_.fields.Get("x"), value);
      }
    }
  }
}

TEST_F(RequestParserTest, TargetsHoldNoControlBytesSpacesOrFragments) {
  for (int c = 0; c < 256; ++c) {
    for (size_t position : {size_t{1}, size_t{20}}) {
      std::string target(30, 'p');
      target[0] = '/';
      target[position] = static_cast<char>(c);
      const bool fine = c > 0x20 && c != 0x7f && c != '#';
      EXPECT_EQ(WithLines("", "GET " + target + " HTTP/1.1"), fine ? 0 : 400) << c;
      if (fine) {
        EXPECT_EQ(request_.target, target);
      }
    }
  }
}

TEST_F(RequestParserTest, Http11NeedsExactlyOneValidHost) {
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost:\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"), 400);
}

TEST_F(RequestParserTest, Http10MayDoWithoutHost) {
  EXPECT_EQ(WithHead("GET / HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(request_.authority, "");
  EXPECT_EQ(WithHead("GET / HTTP/1.0\r\nHost:\r\n\r\n"), 0);
  EXPECT_EQ(request_.authority, "");
  EXPECT_EQ(WithHead("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), 0);
  EXPECT_EQ(request_.authority, "a");
  EXPECT_EQ(WithHead("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400);
  EXPECT_EQ(WithHead("GET / HTTP/1.0\r\nHost: a b\r\n\r\n"), 400);
}

TEST_F(RequestParserTest, AbsoluteFormIsSplit) {
  EXPECT_EQ(WithLines("", "GET http://a/b?c HTTP/1.1"), 0);
  EXPECT_EQ(request_.target, "/b?c");
  EXPECT_EQ(request_.authority, "a");
  EXPECT_EQ(WithLines("", "GET HTTPS://A HTTP/1.1"), 0);
  EXPECT_EQ(request_.target, "/");
  EXPECT_EQ(request_.authority, "A");
  EXPECT_EQ(WithLines("", "GET http://a?q HTTP/1.1"), 0);
  EXPECT_EQ(request_.target, "/?q");
  EXPECT_EQ(WithLines("", "GET http://a:80/ HTTP/1.1"), 0);
  EXPECT_EQ(WithLines("", "OPTIONS http://a HTTP/1.1"), 0);
  EXPECT_EQ(request_.target, "*");
  EXPECT_EQ(WithHead("GET http://a/ HTTP/1.0\r\n\r\n"), 0);
  EXPECT_EQ(request_.authority, "a");
}

TEST_F(RequestParserTest, AbsoluteFormMustAgreeWithHost) {
  EXPECT_EQ(WithLines("", "GET http://b/ HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET http://a:81/ HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET https://a:80/ HTTP/1.1"), 400);
  EXPECT_EQ(WithHead("GET http://a/ HTTP/1.1\r\n\r\n"), 400);  // RFC 9112 section 3.2
}

TEST_F(RequestParserTest, OtherTargetsAreRefused) {
  EXPECT_EQ(WithLines("", "GET ftp://a/ HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET http:///b HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET http://u@a/ HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET http:a HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET a HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET ?a HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "GET * HTTP/1.1"), 400);
  EXPECT_EQ(WithLines("", "OPTIONS * HTTP/1.1"), 0);
  EXPECT_EQ(WithLines("", "CONNECT a:80 HTTP/1.1"), 405);
  EXPECT_EQ(WithLines("", "CONNECT / HTTP/1.1"), 405);
}

TEST_F(RequestParserTest, LengthAmbiguitiesAreRefused) {
  EXPECT_EQ(WithLines("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(WithLines("Content-Length: 5\r\nContent-Length: 5\r\n"), 400);
  EXPECT_EQ(WithLines("Content-Length: 5\r\nContent-Length: 6\r\n"), 400);
  for (const std::string_view length :
       {"", "-1", "+5", "5,5", "5, 5", "5 5", "0x5", "5.0", "five", "5\x80", "18446744073709551616",
        "9223372036854775808", "99999999999999999999", "00000000000000000005"}) {
    EXPECT_EQ(WithLines("Content-Length: " + std::string(length) + "\r\n"), 400) << length;
  }
}

TEST_F(RequestParserTest, ValidLengths) {
  EXPECT_EQ(WithLines("Content-Length: 0\r\n"), 0);
  EXPECT_EQ(request_.body, BodyLength::Fixed(0));
  EXPECT_EQ(WithLines("Content-Length: 9223372036854775807\r\n"), 0);
  EXPECT_EQ(request_.body, BodyLength::Fixed(INT64_MAX));
  EXPECT_EQ(WithLines("Content-Length:\t 7 \r\n"), 0);
  EXPECT_EQ(request_.body, BodyLength::Fixed(7));
  EXPECT_EQ(WithLines(""), 0);
  EXPECT_EQ(request_.body, BodyLength::None());
}

TEST_F(RequestParserTest, OnlyChunkedIsUnderstood) {
  EXPECT_EQ(WithLines("Transfer-Encoding: chunked\r\n"), 0);
  EXPECT_EQ(request_.body, BodyLength::Chunked());
  EXPECT_EQ(WithLines("transfer-encoding: Chunked\r\n"), 0);
  EXPECT_EQ(WithLines("Transfer-Encoding: gzip, chunked\r\n"), 501);
  EXPECT_EQ(WithLines("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"), 501);
  EXPECT_EQ(WithLines("Transfer-Encoding: identity\r\n"), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding: chunked, gzip\r\n"), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding: chunked, chunked\r\n"), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding: chunked;q=1\r\n"), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding: xchunked\r\n"), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding: \"chunked\"\r\n"), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding:\r\n"), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding: chunked\x0b\r\n"), 400);
  EXPECT_EQ(WithLines("Transfer-Encoding: chunked\r\n", "GET / HTTP/1.0"), 400);
}

TEST_F(RequestParserTest, KeepAliveFollowsVersionAndConnection) {
  const auto keep = [this](std::string_view line, std::string_view request_line) {
    const RequestParseResult result =
        Parse(std::string(request_line) + "\r\nHost: a\r\n" + std::string(line) + "\r\n");
    EXPECT_TRUE(result.ok());
    return result.keep_alive;
  };
  EXPECT_TRUE(keep("", "GET / HTTP/1.1"));
  EXPECT_FALSE(keep("Connection: close\r\n", "GET / HTTP/1.1"));
  EXPECT_FALSE(keep("Connection: x, CLOSE\r\n", "GET / HTTP/1.1"));
  EXPECT_FALSE(keep("Connection: keep-alive, close\r\n", "GET / HTTP/1.1"));
  EXPECT_FALSE(keep("", "GET / HTTP/1.0"));
  EXPECT_TRUE(keep("Connection: Keep-Alive\r\n", "GET / HTTP/1.0"));
}

TEST_F(RequestParserTest, NominatedFieldsAreMarkedUnlessEverybodyNeedsThem) {
  ASSERT_EQ(WithLines("Connection: x-mine, Host, content-length, x-forwarded-for, te\r\n"
                      "X-Mine: 1\r\nX-Other: 2\r\nX-Forwarded-For: 3\r\nTE: trailers\r\n"
                      "Content-Length: 0\r\n"),
            0);
  EXPECT_TRUE(request_.fields.Find("x-mine")->hop_by_hop);
  EXPECT_TRUE(request_.fields.Find("te")->hop_by_hop);
  for (const char* name : {"host", "x-other", "x-forwarded-for", "content-length"}) {
    EXPECT_FALSE(request_.fields.Find(name)->hop_by_hop) << name;
  }
}

TEST_F(RequestParserTest, UnreasonableConnectionFieldsAreRefused) {
  std::string options;
  for (int i = 0; i < 33; ++i) options += "a, ";
  EXPECT_EQ(WithLines("Connection: " + options + "\r\n"), 400);
  EXPECT_EQ(WithLines("Connection: a b\r\n"), 400);
}

TEST_F(RequestParserTest, UpgradeNeedsBothFieldsAndHttp11) {
  EXPECT_EQ(WithLines("Connection: Upgrade\r\nUpgrade: websocket\r\n"), 0);
  EXPECT_EQ(request_.upgrade, "websocket");
  EXPECT_EQ(WithLines("Upgrade: websocket\r\n"), 0);
  EXPECT_EQ(request_.upgrade, "");
  EXPECT_EQ(WithLines("Connection: upgrade\r\n"), 0);
  EXPECT_EQ(request_.upgrade, "");
  EXPECT_EQ(WithLines("Connection: Upgrade\r\nUpgrade: websocket\r\n", "GET / HTTP/1.0"), 0);
  EXPECT_EQ(request_.upgrade, "");
}

TEST_F(RequestParserTest, ExpectContinueNeedsABodyAndHttp11) {
  EXPECT_EQ(WithLines("Expect: 100-Continue\r\nContent-Length: 3\r\n"), 0);
  EXPECT_TRUE(request_.expect_continue);
  EXPECT_EQ(WithLines("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"), 0);
  EXPECT_TRUE(request_.expect_continue);
  EXPECT_EQ(WithLines("Expect: 100-continue\r\n"), 0);
  EXPECT_FALSE(request_.expect_continue);
  EXPECT_EQ(WithLines("Expect: 100-continue\r\nContent-Length: 0\r\n"), 0);
  EXPECT_FALSE(request_.expect_continue);
  EXPECT_EQ(WithLines("Expect: other\r\nContent-Length: 3\r\n"), 0);
  EXPECT_FALSE(request_.expect_continue);
  EXPECT_EQ(WithLines("Expect: 100-continue\r\nContent-Length: 3\r\n", "POST / HTTP/1.0"), 0);
  EXPECT_FALSE(request_.expect_continue);
}

TEST_F(RequestParserTest, UnderscoresAreDroppedUnlessWanted) {
  EXPECT_EQ(WithLines("X_Real_IP: 1\r\nX-Ok: 2\r\n"), 0);
  EXPECT_EQ(request_.fields.size(), 2u);
  EXPECT_EQ(request_.fields.Find("x_real_ip"), nullptr);
  // Also where a lenient reader would take it for framing.
  EXPECT_EQ(WithLines("Content_Length: 5\r\n"), 0);
  EXPECT_EQ(request_.body, BodyLength::None());
  limits_.underscores = http::Underscores::kKeptUnlessKnown;
  EXPECT_EQ(WithLines("X_Real_IP: 1\r\nX_Api_Key: 2\r\nCONTENT_length: 5\r\nX-Real_Ip: 3\r\n"), 0);
  EXPECT_EQ(request_.fields.size(), 2u);
  EXPECT_EQ(request_.fields.Get("x_api_key"), "2");
  EXPECT_EQ(request_.body, BodyLength::None());
}

TEST_F(RequestParserTest, LimitsHaveTheirStatus) {
  limits_.max_fields = 3;
  EXPECT_EQ(WithLines("A: 1\r\nB: 2\r\n"), 0);
  RequestParseResult result = Parse("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n");
  EXPECT_EQ(result.status, 431);
  EXPECT_EQ(result.kind, Failure::Kind::kHeadTooLarge);
  limits_.max_line_bytes = 20;
  EXPECT_EQ(WithLines("", "GET /12345 HTTP/1.1"), 0);
  result = Parse("GET /1234567 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(result.status, 414);
  EXPECT_EQ(result.kind, Failure::Kind::kTargetTooLong);
  limits_.max_head_bytes = 30;
  EXPECT_EQ(WithLines("X: 123456789\r\n"), 431);
  EXPECT_EQ(WithLines("Content-Length: x\r\n", "A / HTTP/1.1"), 431);
}

TEST_F(RequestParserTest, EveryPrefixIsRefusedOrIncompleteAndNeverReadBeyond) {
  const std::string head =
      "GET http://a/b?c HTTP/1.1\r\nHost: a\r\nConnection: x, y\r\nX: 1\r\nContent-Length: "
      "3\r\n\r\n";
  for (size_t size = 0; size < head.size(); ++size) {
    // Exactly sized memory, so that the sanitizer sees a read beyond.
    const std::vector<char> exact(head.begin(), head.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_FALSE(ParseRequestHead({exact.data(), exact.size()}, limits_, arena_, request_).ok())
        << size;
    HeadScanner scanner;
    EXPECT_EQ(scanner.Scan({exact.data(), exact.size()}), HeadScanner::kIncomplete) << size;
  }
  EXPECT_TRUE(Parse(head).ok());
}

TEST(HeadScannerTest, FindsTheEndHoweverTheBytesArrive) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\r\n x\nY\r\n\r\n";
  const std::string data = head + "body\r\n\r\n";
  for (size_t step = 1; step <= data.size(); ++step) {
    HeadScanner scanner;
    size_t found = HeadScanner::kIncomplete;
    for (size_t size = std::min(step, data.size());; size = std::min(size + step, data.size())) {
      const std::vector<char> exact(data.begin(), data.begin() + static_cast<ptrdiff_t>(size));
      found = scanner.Scan({exact.data(), exact.size()});
      if (found != HeadScanner::kIncomplete || size == data.size()) break;
    }
    EXPECT_EQ(found, head.size()) << step;
  }
}

TEST(HeadScannerTest, FindsTheEndWhereverItIs) {
  for (size_t before = 0; before < 100; ++before) {
    for (size_t after = 0; after < 40; ++after) {
      const std::string head = std::string(before, 'x') + "\nx\r\nx\n\rx\r\n\r\n";
      HeadScanner scanner;
      EXPECT_EQ(scanner.Scan(head + std::string(after, '\n')), head.size())
          << before << " " << after;
    }
  }
}

TEST(HeadScannerTest, BareLineFeedsEndAHeadToo) {
  for (const std::string_view head : {"GET / HTTP/1.1\n\n", "GET / HTTP/1.1\nHost: a\n\r\n",
                                      "GET / HTTP/1.1\r\nHost: a\r\n\n", "a\n\n"}) {
    HeadScanner scanner;
    EXPECT_EQ(scanner.Scan(std::string(head) + "some more bytes so that blocks are full"),
              head.size())
        << head;
  }
}

TEST(HeadScannerTest, LooksAtEachByteOnce) {
  // A megabyte in single bytes would take minutes if each call began anew.
  std::string data;
  HeadScanner scanner;
  for (int i = 0; i < 1'000'000; ++i) {
    data += i % 40 == 39 ? '\n' : 'x';
    ASSERT_EQ(scanner.Scan(data), HeadScanner::kIncomplete);
  }
}

}  // namespace
}  // namespace headgate::http1
