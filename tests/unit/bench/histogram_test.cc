#include "bench/compare/load/histogram.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace headgate::bench {
namespace {

TEST(LatencyHistogramTest, IsExactBelowSixtyFour) {
  LatencyHistogram histogram;
  for (uint64_t i = 0; i < 64; ++i) histogram.Record(i);
  EXPECT_EQ(histogram.Quantile(0.5), 31u);
  EXPECT_EQ(histogram.Quantile(1.0), 63u);
}

TEST(LatencyHistogramTest, NeverUnderstatesAndOverstatesByAtMostASixtyFourth) {
  for (uint64_t value = 1; value < (uint64_t{1} << 62); value = value * 3 + 1) {
    LatencyHistogram histogram;
    histogram.Record(value);
    EXPECT_GE(histogram.Quantile(0.5), value);
    EXPECT_LE(histogram.Quantile(0.5), value + value / 64);
  }
}

TEST(LatencyHistogramTest, FindsTheTail) {
  LatencyHistogram histogram;
  for (int i = 0; i < 990; ++i) histogram.Record(10);
  for (int i = 0; i < 10; ++i) histogram.Record(50);
  EXPECT_EQ(histogram.Quantile(0.98), 10u);
  EXPECT_EQ(histogram.Quantile(0.995), 50u);
  EXPECT_EQ(histogram.count(), 1000u);
}

TEST(LatencyHistogramTest, IsZeroWithoutSamples) {
  EXPECT_EQ(LatencyHistogram().Quantile(0.99), 0u);
}

}  // namespace
}  // namespace headgate::bench
