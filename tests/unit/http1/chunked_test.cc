#include "dataplane/http1/chunked.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "dataplane/http1/body_reader.h"

namespace headgate::http1 {
namespace {

using Step = ChunkedDecoder::Step;

struct Decoded {
  Step step = Step::kMore;
  std::string body;
  std::string rest;
  std::string trailers;
};

Decoded Decode(std::string_view input, size_t piece_size, uint32_t max_trailers = 1000) {
  ChunkedDecoder decoder;
  decoder.Start(max_trailers);
  Decoded result;
  size_t at = 0;
  while (at < input.size()) {
    std::string_view part = input.substr(at, piece_size);
    const size_t given = part.size();
    while (true) {
      std::string_view piece;
      result.step = decoder.Next(part, piece);
      if (result.step != Step::kData) break;
      EXPECT_FALSE(piece.empty());
      result.body += piece;
    }
    at += given - part.size();
    if (result.step == Step::kEnd || result.step == Step::kError) break;
    EXPECT_TRUE(part.empty());
  }
  result.rest = input.substr(at);
  result.trailers = decoder.trailer_section();
  EXPECT_EQ(decoder.error().empty(), result.step != Step::kError);
  return result;
}

void ExpectBody(std::string_view input, std::string_view body, std::string_view rest = "") {
  for (size_t size = 1; size <= input.size(); ++size) {
    const Decoded decoded = Decode(input, size);
    EXPECT_EQ(decoded.step, Step::kEnd) << input << " in " << size;
    EXPECT_EQ(decoded.body, body) << size;
    EXPECT_EQ(decoded.rest, rest) << size;
  }
}

void ExpectError(std::string_view input) {
  for (size_t size = 1; size <= input.size(); ++size) {
    EXPECT_EQ(Decode(input, size).step, Step::kError) << input << " in " << size;
  }
}

TEST(ChunkedDecoderTest, JoinsChunks) {
  ExpectBody("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", "hello!");
  ExpectBody("0\r\n\r\n", "");
  ExpectBody("A\r\n0123456789\r\n00\r\n\r\nGET", "0123456789", "GET");
  ExpectBody("0000000000000001\r\nx\r\n0\r\n\r\n", "x");
}

TEST(ChunkedDecoderTest, DropsExtensions) {
  ExpectBody("1;a=b\r\nx\r\n0;c=\"d e\"\r\n\r\n", "x");
  ExpectBody("1;\r\nx\r\n0\r\n\r\n", "x");
}

TEST(ChunkedDecoderTest, SizesAreStrict) {
  for (const std::string_view input :
       {"g\r\n", "\r\n", ";a\r\n", " 1\r\nx", "1 \r\nx", "1\t;a\r\nx", "+1\r\nx", "-1\r\nx",
        "0x1\r\nx", "1_0\r\n", "00000000000000001\r\nx", "ffffffffffffffff\r\n",
        "8000000000000000\r\n", "10000000000000000\r\n", "1\nx", "1\rx", "1\r\rx"}) {
    ExpectError(input);
  }
}

TEST(ChunkedDecoderTest, ChunksEndWithCrLf) {
  ExpectError("1\r\nxy\r\n");
  ExpectError("1\r\nx\n0\r\n\r\n");
  ExpectError("1\r\nx\r0\r\n\r\n");
  ExpectError("1\r\nx0\r\n\r\n");
}

TEST(ChunkedDecoderTest, ExtensionsAreCheckedAndBounded) {
  ExpectError("1;a\nx");
  ExpectError("1;a\rx");
  ExpectError(std::string_view("1;\0\r\nx", 7));
  const std::string long_line =
      "1;" + std::string(ChunkedDecoder::kMaxExtensionLine + 1, 'a') + "\r\nx\r\n";
  EXPECT_EQ(Decode(long_line, 1).step, Step::kError);
  EXPECT_EQ(Decode(long_line, 4096).step, Step::kError);
  std::string many;
  for (int i = 0; i < 20; ++i) many += "1;" + std::string(1000, 'a') + "\r\nx\r\n";
  EXPECT_EQ(Decode(many, 1).step, Step::kError);
}

TEST(ChunkedDecoderTest, TrailersAreCollected) {
  const std::string_view input = "1\r\nx\r\n0\r\nA: 1\r\nB: 2\r\n\r\nrest";
  for (size_t size = 1; size <= input.size(); ++size) {
    const Decoded decoded = Decode(input, size);
    EXPECT_EQ(decoded.step, Step::kEnd) << size;
    EXPECT_EQ(decoded.trailers, "A: 1\r\nB: 2\r\n\r\n");
    EXPECT_EQ(decoded.rest, "rest");
  }
}

TEST(ChunkedDecoderTest, TrailerLinesEndWithCrLfAndAreBounded) {
  ExpectError("0\r\n\n");
  ExpectError("0\r\nA: 1\n\r\n");
  ExpectError("0\r\nA: 1\r\r\n");
  ExpectError("0\r\n\rA");
  EXPECT_EQ(Decode("0\r\n" + std::string(2000, 'a'), 7).step, Step::kError);
  EXPECT_EQ(Decode("0\r\n" + std::string(2000, 'a'), 5000).step, Step::kError);
}

TEST(ParseTrailersTest, DropsWhatMayNotStandThere) {
  http::HeaderMap trailers;
  ASSERT_TRUE(
      ParseTrailers("X-Sum: 1\r\nContent-Length: 5\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                    "Connection: close\r\nAuthorization: x\r\nX-Forwarded-For: y\r\n\r\n",
                    10, trailers));
  ASSERT_EQ(trailers.size(), 1u);
  EXPECT_EQ(trailers[0].name, "X-Sum");
  EXPECT_FALSE(ParseTrailers("bad line\r\n\r\n", 10, trailers));
  EXPECT_FALSE(ParseTrailers("A: 1\r\nB: 2\r\n\r\n", 1, trailers));
  EXPECT_TRUE(ParseTrailers("\r\n", 10, trailers));
  EXPECT_TRUE(trailers.empty());
}

TEST(WriteChunkHeadTest, WritesHex) {
  char out[kMaxChunkHead];
  const auto text = [&](uint64_t size) { return std::string(out, WriteChunkHead(size, out)); };
  EXPECT_EQ(text(1), "1\r\n");
  EXPECT_EQ(text(0x1f), "1f\r\n");
  EXPECT_EQ(text(131072), "20000\r\n");
  EXPECT_EQ(text(UINT64_MAX), "ffffffffffffffff\r\n");
}

TEST(BodyReaderTest, FixedBodiesEndWithTheirLastByte) {
  BodyReader reader;
  reader.Start(http::BodyLength::Fixed(5), 0);
  std::string_view input = "hel";
  std::string_view piece;
  EXPECT_EQ(reader.Next(input, piece), Step::kData);
  EXPECT_EQ(piece, "hel");
  EXPECT_EQ(reader.Next(input, piece), Step::kMore);
  input = "loGET";
  EXPECT_EQ(reader.Next(input, piece), Step::kData);
  EXPECT_EQ(piece, "lo");
  EXPECT_EQ(input, "GET");
  EXPECT_EQ(reader.Next(input, piece), Step::kEnd);
}

}  // namespace
}  // namespace headgate::http1
