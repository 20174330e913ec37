#include "dataplane/encoding/encoder.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/decoder.h"

namespace headgate::encoding {
namespace {

using Op = Encoder::Op;
using test::Decoder;

std::string Text(size_t size) {
  std::string text;
  for (size_t i = 0; text.size() < size; ++i)
    text += "line " + std::to_string(i * i % 977) + " of the page\n";
  text.resize(size);
  return text;
}

std::string Encode(Encoder& encoder, std::string_view input, Op op, size_t room = 64) {
  std::string all;
  std::string out(room, '\0');
  for (;;) {
    const Encoder::Result result = encoder.Encode(input, op, out);
    EXPECT_FALSE(result.failed);
    all.append(out, 0, result.produced);
    if (result.done || result.failed) return all;
  }
}

class EncoderTest : public testing::TestWithParam<Coding> {
 protected:
  std::unique_ptr<Encoder> encoder = MakeEncoder(GetParam());
};

TEST_P(EncoderTest, EncodesOneBodyAfterTheOtherAtEveryLevel) {
  const std::string text = Text(300'000);
  for (int level = 1; level <= MaxLevel(GetParam()); ++level) {
    ASSERT_TRUE(encoder->Start(level));
    std::string encoded;
    for (size_t at = 0; at < text.size(); at += 7000) {
      encoded += Encode(*encoder, std::string_view(text).substr(at, 7000), Op::kContinue, 1000);
    }
    encoded += Encode(*encoder, {}, Op::kFinish);
    encoder->Stop();
    EXPECT_LT(encoded.size(), text.size() / 4);
    Decoder decoder(GetParam());
    EXPECT_TRUE(decoder.Decode(encoded) == text) << level;
    EXPECT_TRUE(decoder.ended());
  }
}

TEST_P(EncoderTest, AFlushBringsOutEverythingSoFar) {
  ASSERT_TRUE(encoder->Start(1));
  Decoder decoder(GetParam());
  for (int i = 0; i < 200; ++i) {
    const std::string piece = "data: event " + std::to_string(i) + "\n\n";
    EXPECT_EQ(decoder.Decode(Encode(*encoder, piece, Op::kFlush)), piece);
  }
  EXPECT_FALSE(decoder.ended());
  EXPECT_EQ(decoder.Decode(Encode(*encoder, {}, Op::kFinish)), "");
  EXPECT_TRUE(decoder.ended());
}

TEST_P(EncoderTest, AnEmptyBodyIsAValidOne) {
  ASSERT_TRUE(encoder->Start(1));
  Decoder decoder(GetParam());
  EXPECT_EQ(decoder.Decode(Encode(*encoder, {}, Op::kFinish)), "");
  EXPECT_TRUE(decoder.ended());
}

TEST_P(EncoderTest, ABodyGivenUpLeavesNothingBehind) {
  ASSERT_TRUE(encoder->Start(1));
  Encode(*encoder, Text(100'000), Op::kContinue);
  encoder->Stop();
  ASSERT_TRUE(encoder->Start(1));
  Decoder decoder(GetParam());
  EXPECT_EQ(decoder.Decode(Encode(*encoder, "second", Op::kFinish)), "second");
}

INSTANTIATE_TEST_SUITE_P(All, EncoderTest,
                         testing::Values(Coding::kGzip, Coding::kBrotli, Coding::kZstd),
                         [](const auto& test) { return std::string(CodingName(test.param)); });

}  // namespace
}  // namespace headgate::encoding
