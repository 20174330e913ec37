#include "dataplane/proxy/nonce_table.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace headgate::proxy {
namespace {

constexpr int64_t kNow = 1'800'000'000;

class NonceTableTest : public ::testing::Test {
 protected:
  bool Use(uint64_t id, uint32_t count, int64_t made = kNow, int64_t now = kNow) {
    return table_.Use({.id = id, .made = made, .count = count}, now);
  }

  NonceTable table_{kNow, 16 * 4};  // four for each shard
};

TEST_F(NonceTableTest, EachCountOfANonceIsGoodOnce) {
  EXPECT_TRUE(Use(1, 1));
  EXPECT_FALSE(Use(1, 1));
  EXPECT_TRUE(Use(1, 2));
  EXPECT_FALSE(Use(1, 1));
  EXPECT_FALSE(Use(1, 2));
  EXPECT_TRUE(Use(2, 1)) << "another nonce";
  EXPECT_TRUE(Use(1, 1, kNow + 1)) << "another one of the same id";
}

TEST_F(NonceTableTest, RequestsMayOvertakeEachOther) {
  EXPECT_TRUE(Use(1, 100));
  EXPECT_TRUE(Use(1, 37));
  EXPECT_FALSE(Use(1, 37));
  EXPECT_FALSE(Use(1, 36)) << "too far behind to know";
  EXPECT_TRUE(Use(1, 101));
  EXPECT_FALSE(Use(1, 100));
  EXPECT_TRUE(Use(1, 99));
  EXPECT_FALSE(Use(1, 37));
  EXPECT_TRUE(Use(1, UINT32_MAX));
  EXPECT_FALSE(Use(1, 101));
  EXPECT_TRUE(Use(1, UINT32_MAX - 63));
}

TEST_F(NonceTableTest, WhatIsForgottenIsNotGoodAgain) {
  for (uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(Use(16 * i, 1, kNow + static_cast<int64_t>(i)));
  EXPECT_EQ(table_.size(), 4u);
  EXPECT_TRUE(Use(0, 2, kNow)) << "is the newest now";
  EXPECT_TRUE(Use(16 * 4, 1, kNow + 4));  // in place of the second, which has been quiet longest
  EXPECT_EQ(table_.size(), 4u);
  EXPECT_FALSE(Use(16, 1, kNow + 1));
  EXPECT_FALSE(Use(16, 2, kNow + 1));
  EXPECT_FALSE(Use(0, 2, kNow)) << "is held, and was used";
  EXPECT_TRUE(Use(0, 3, kNow));
  EXPECT_TRUE(Use(16 * 5, 1, kNow + 2)) << "is younger than what was forgotten";
}

TEST_F(NonceTableTest, NoncesFromBeforeTheTableAreNotGood) {
  EXPECT_FALSE(Use(1, 1, kNow - 1));
  EXPECT_TRUE(Use(1, 1, kNow));
}

TEST_F(NonceTableTest, TheOldMakeRoom) {
  for (uint64_t i = 0; i < 4; ++i) EXPECT_TRUE(Use(16 * i, 1));
  EXPECT_TRUE(Use(16 * 4, 1, kNow + 400, kNow + 400));
  EXPECT_EQ(table_.size(), 3u);
  EXPECT_TRUE(Use(16 * 5, 1, kNow + 400, kNow + 400));
  EXPECT_EQ(table_.size(), 2u);
}

}  // namespace
}  // namespace headgate::proxy
