#include "dataplane/encoding/coding.h"

#include <gtest/gtest.h>

#include <vector>

namespace headgate::encoding {
namespace {

constexpr Coding kAll[] = {Coding::kZstd, Coding::kBrotli, Coding::kGzip};

Coding Choose(const std::vector<std::string_view>& values, std::span<const Coding> offered = kAll) {
  http::HeaderMap fields;
  fields.Add("Host", "a.example");
  for (std::string_view value : values) fields.Add("accept-encoding", value);
  return AcceptedCodings::Parse(fields).Choose(offered);
}

TEST(AcceptedCodingsTest, NoFieldMeansAsItIs) {
  EXPECT_EQ(Choose({}), Coding::kIdentity);
  EXPECT_EQ(Choose({""}), Coding::kIdentity);
}

TEST(AcceptedCodingsTest, AmongEqualsTheFirstOfferedWins) {
  EXPECT_EQ(Choose({"gzip, deflate, br, zstd"}), Coding::kZstd);
  EXPECT_EQ(Choose({"gzip, deflate, br"}), Coding::kBrotli);
  EXPECT_EQ(Choose({"gzip", "br"}), Coding::kBrotli);
  EXPECT_EQ(Choose({"gzip, deflate"}), Coding::kGzip);
  EXPECT_EQ(Choose({"X-GZip"}), Coding::kGzip);
  EXPECT_EQ(Choose({"deflate"}), Coding::kIdentity);
}

TEST(AcceptedCodingsTest, WeightsDecide) {
  EXPECT_EQ(Choose({"gzip;q=1.0, br;q=0.9, zstd;q=0.999"}), Coding::kGzip);
  EXPECT_EQ(Choose({"gzip ; q=0.5 , br ; Q=0.501"}), Coding::kBrotli);
  EXPECT_EQ(Choose({"br;q=0, gzip;q=0.001"}), Coding::kGzip);
  EXPECT_EQ(Choose({"zstd;q=0, br;q=0.000, gzip;q=0."}), Coding::kIdentity);
}

TEST(AcceptedCodingsTest, IdentityMayBePreferred) {
  EXPECT_EQ(Choose({"identity, gzip;q=0.5"}), Coding::kIdentity);
  EXPECT_EQ(Choose({"identity;q=0.5, gzip;q=0.5"}), Coding::kGzip);
  EXPECT_EQ(Choose({"identity;q=0, gzip"}), Coding::kGzip);
}

TEST(AcceptedCodingsTest, TheStarStandsForWhatIsNotNamed) {
  EXPECT_EQ(Choose({"*"}), Coding::kZstd);
  EXPECT_EQ(Choose({"*;q=0"}), Coding::kIdentity);
  EXPECT_EQ(Choose({"zstd;q=0, *"}), Coding::kBrotli);
  EXPECT_EQ(Choose({"gzip, *;q=0"}), Coding::kGzip);
}

TEST(AcceptedCodingsTest, OnlyWhatIsOffered) {
  const Coding gzip[] = {Coding::kGzip};
  EXPECT_EQ(Choose({"br, zstd, gzip;q=0.1"}, gzip), Coding::kGzip);
  EXPECT_EQ(Choose({"br"}, gzip), Coding::kIdentity);
  EXPECT_EQ(Choose({"*"}, {}), Coding::kIdentity);
}

TEST(AcceptedCodingsTest, WhatCannotBeReadIsNotAccepted) {
  for (const char* value : {"gzip;q=2", "gzip;q=-1", "gzip;q=0.1234", "gzip;q=1.001", "gzip;q=x",
                            "gzip;q=00", ";;,,;q=1", "gz ip", "gzip;q=,"}) {
    const Coding got = Choose({value});
    EXPECT_TRUE(got == Coding::kIdentity || std::string_view(value) == "gzip;q=,") << value;
  }
  EXPECT_EQ(Choose({"gzip;level=9;q=0"}), Coding::kIdentity);
}

}  // namespace
}  // namespace headgate::encoding
