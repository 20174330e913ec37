#include "dataplane/files/byte_ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace headgate::files {
namespace {

using Kind = ByteRanges::Kind;
using testing::ElementsAre;

std::vector<ByteRange> Ranges(std::string_view field, uint64_t size) {
  const ByteRanges parsed = ParseByteRanges(field, size);
  EXPECT_EQ(parsed.kind, Kind::kRanges) << field;
  return {parsed.ranges.begin(), parsed.ranges.begin() + static_cast<ptrdiff_t>(parsed.count)};
}

TEST(ByteRanges, ReadsTheThreeForms) {
  EXPECT_THAT(Ranges("bytes=0-0", 10), ElementsAre(ByteRange{0, 1}));
  EXPECT_THAT(Ranges("bytes=2-5", 10), ElementsAre(ByteRange{2, 4}));
  EXPECT_THAT(Ranges("bytes=2-", 10), ElementsAre(ByteRange{2, 8}));
  EXPECT_THAT(Ranges("bytes=-3", 10), ElementsAre(ByteRange{7, 3}));
  EXPECT_THAT(Ranges("BYTES=2-5", 10), ElementsAre(ByteRange{2, 4}));
}

TEST(ByteRanges, EndsWithTheRepresentation) {
  EXPECT_THAT(Ranges("bytes=5-100", 10), ElementsAre(ByteRange{5, 5}));
  EXPECT_THAT(Ranges("bytes=-100", 10), ElementsAre(ByteRange{0, 10}));
  EXPECT_THAT(Ranges("bytes=5-99999999999999999999999", 10), ElementsAre(ByteRange{5, 5}));
  EXPECT_THAT(Ranges("bytes=-99999999999999999999999", 10), ElementsAre(ByteRange{0, 10}));
}

TEST(ByteRanges, KeepsSeveralInTheirOrderAndDropsWhatLiesOutside) {
  EXPECT_THAT(Ranges("bytes=8-9, 0-1 ,\t4-4", 10),
              ElementsAre(ByteRange{8, 2}, ByteRange{0, 2}, ByteRange{4, 1}));
  EXPECT_THAT(Ranges("bytes=10-20, ,0-1,", 10), ElementsAre(ByteRange{0, 2}));
}

TEST(ByteRanges, WithoutOneInsideItIsUnsatisfiable) {
  for (const char* field : {"bytes=10-", "bytes=10-12", "bytes=-0", "bytes=10-,11-12",
                            "bytes=99999999999999999999999-"}) {
    EXPECT_EQ(ParseByteRanges(field, 10).kind, Kind::kUnsatisfiable) << field;
  }
  EXPECT_EQ(ParseByteRanges("bytes=0-", 0).kind, Kind::kUnsatisfiable);
  EXPECT_EQ(ParseByteRanges("bytes=-1", 0).kind, Kind::kUnsatisfiable);
}

TEST(ByteRanges, WhatIsMalformedIsIgnored) {
  for (const char* field : {"", "bytes", "bytes=", "bytes=,", "bytes 0-1", "items=0-1", "bytes=1",
                            "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=0-1,5-2", "bytes=0-1;2-3",
                            "bytes=+1-2", "bytes=1--2", "bytes=0x1-2"}) {
    EXPECT_EQ(ParseByteRanges(field, 10).kind, Kind::kIgnore) << field;
  }
}

TEST(ByteRanges, TooManyOrMoreThanThereIsAreIgnored) {
  std::string field = "bytes=0-0";
  for (size_t i = 1; i < ByteRanges::kMost; ++i) field += ",0-0";
  EXPECT_EQ(ParseByteRanges(field, 100).kind, Kind::kRanges);
  EXPECT_EQ(ParseByteRanges(field + ",0-0", 100).kind, Kind::kIgnore);
  EXPECT_EQ(ParseByteRanges("bytes=0-,0-", 100).kind, Kind::kIgnore);
  EXPECT_EQ(ParseByteRanges("bytes=0-49,50-99", 100).kind, Kind::kRanges);
}

}  // namespace
}  // namespace headgate::files
