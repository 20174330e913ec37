#include "dataplane/upstream/outlier.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace headgate::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = Outlier::Verdict;

class OutlierTest : public ::testing::Test {
 protected:
  Verdict Fail() { return outlier_.OnAttempt(policy_, true, 0, now_); }
  Verdict Answer(uint16_t status) { return outlier_.OnAttempt(policy_, false, status, now_); }
  milliseconds Eject(Verdict why) { return outlier_.Eject(policy_, why, now_); }

  config::OutlierPolicy policy_;
  Outlier outlier_;
  Outlier::TimePoint now_{seconds(1000)};
};

TEST_F(OutlierTest, WithoutLimitsNothingTakesItOut) {
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Fail(), Verdict::kNone);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Answer(500), Verdict::kNone);
}

TEST_F(OutlierTest, MaxFailsCountsFailuresWithinTheWindow) {
  policy_.max_fails = 3;
  EXPECT_EQ(Fail(), Verdict::kNone);
  EXPECT_EQ(Fail(), Verdict::kNone);
  now_ += seconds(11);
  EXPECT_EQ(Fail(), Verdict::kNone);  // the first of a new window
  EXPECT_EQ(Answer(200), Verdict::kNone);
  EXPECT_EQ(Fail(), Verdict::kNone);
  EXPECT_EQ(Fail(), Verdict::kTooManyFails);
  EXPECT_EQ(Eject(Verdict::kTooManyFails), milliseconds(10'000));
  EXPECT_TRUE(outlier_.ejected());
  EXPECT_EQ(outlier_.until(), now_ + seconds(10));
}

TEST_F(OutlierTest, StatusesAreNoFailuresForMaxFails) {
  policy_.max_fails = 1;
  EXPECT_EQ(Answer(503), Verdict::kNone);
}

TEST_F(OutlierTest, AfterItsTimeOutOneFailureTakesItOutAgain) {
  policy_.max_fails = 3;
  Fail();
  Fail();
  ASSERT_EQ(Fail(), Verdict::kTooManyFails);
  Eject(Verdict::kTooManyFails);
  outlier_.Return();
  EXPECT_EQ(Fail(), Verdict::kTooManyFails);
  Eject(Verdict::kTooManyFails);
  outlier_.Return();
  EXPECT_EQ(Answer(200), Verdict::kNone);  // the trial is over
  EXPECT_EQ(Fail(), Verdict::kNone);
}

TEST_F(OutlierTest, FivesInARowAreInterruptedByOneGoodAnswer) {
  policy_.consecutive_5xx = 3;
  Answer(500);
  Answer(502);
  EXPECT_EQ(Answer(404), Verdict::kNone);
  Answer(500);
  Fail();  // counts as one
  EXPECT_EQ(Answer(503), Verdict::kTooManyInARow);
}

TEST_F(OutlierTest, EachEjectionInARowIsLongerUpToFiveMinutes) {
  policy_.consecutive_5xx = 1;
  for (int i = 1; i <= 10; ++i) {
    ASSERT_EQ(Answer(500), Verdict::kTooManyInARow);
    EXPECT_EQ(Eject(Verdict::kTooManyInARow), seconds(30 * i));
    outlier_.Return();
  }
  ASSERT_EQ(Answer(500), Verdict::kTooManyInARow);
  EXPECT_EQ(Eject(Verdict::kTooManyInARow), seconds(300));
  outlier_.Return();
  Answer(200);
  Answer(500);
  EXPECT_EQ(Eject(Verdict::kTooManyInARow), seconds(30));
}

TEST_F(OutlierTest, WhileItIsOutOldRequestsChangeNothing) {
  policy_.max_fails = 1;
  ASSERT_EQ(Fail(), Verdict::kTooManyFails);
  Eject(Verdict::kTooManyFails);
  EXPECT_EQ(Fail(), Verdict::kNone);
}

}  // namespace
}  // namespace headgate::upstream
