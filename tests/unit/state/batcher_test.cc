#include "controller/state/batcher.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace headgate::state {
namespace {

absl::Duration At(int64_t ms) { return absl::Milliseconds(ms); }

class BatcherTest : public ::testing::Test {
 protected:
  Batcher batcher_{{.quiet = At(5), .cap = At(20)}};
};

TEST_F(BatcherTest, IsNeverDueWithoutAChange) {
  EXPECT_FALSE(batcher_.Due(At(1000000)));
  EXPECT_EQ(batcher_.Deadline(), std::nullopt);
}

TEST_F(BatcherTest, IsDueAfterAQuietTime) {
  batcher_.OnChange(At(100));
  EXPECT_FALSE(batcher_.Due(At(104)));
  EXPECT_TRUE(batcher_.Due(At(105)));
  EXPECT_EQ(batcher_.Deadline(), At(105));
}

TEST_F(BatcherTest, EachChangeExtendsTheWaitUpToTheCap) {
  for (int64_t ms = 100; ms < 120; ms += 4) {
    batcher_.OnChange(At(ms));
    EXPECT_FALSE(batcher_.Due(At(ms)));
  }
  EXPECT_EQ(batcher_.Deadline(), At(120));
  EXPECT_TRUE(batcher_.Due(At(120)));
}

TEST_F(BatcherTest, StartsAnewAfterARelease) {
  batcher_.OnChange(At(100));
  batcher_.Clear();
  EXPECT_FALSE(batcher_.Due(At(200)));
  batcher_.OnChange(At(200));
  EXPECT_EQ(batcher_.Deadline(), At(205));
}

}  // namespace
}  // namespace headgate::state
