#include "dataplane/health/verdict.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

#include "dataplane/health/grpc_health.h"
#include "dataplane/health/schedule.h"

namespace headgate::health {
namespace {

using std::chrono::milliseconds;

TEST(VerdictTest, AnEndpointIsHealthyUntilItHasFailedInARow) {
  Verdict verdict;
  EXPECT_TRUE(verdict.healthy());
  EXPECT_FALSE(verdict.OnProbe(false, 2, 3));
  EXPECT_FALSE(verdict.OnProbe(false, 2, 3));
  EXPECT_FALSE(verdict.OnProbe(true, 2, 3));  // starts the count anew
  EXPECT_FALSE(verdict.OnProbe(false, 2, 3));
  EXPECT_FALSE(verdict.OnProbe(false, 2, 3));
  EXPECT_TRUE(verdict.healthy());
  EXPECT_TRUE(verdict.OnProbe(false, 2, 3));
  EXPECT_FALSE(verdict.healthy());
}

TEST(VerdictTest, RiseInARowMakesItHealthyAgainAtOnce) {
  Verdict verdict;
  EXPECT_TRUE(verdict.OnProbe(false, 2, 1));
  EXPECT_FALSE(verdict.OnProbe(true, 2, 1));
  EXPECT_FALSE(verdict.OnProbe(false, 2, 1));
  EXPECT_FALSE(verdict.OnProbe(true, 2, 1));
  EXPECT_TRUE(verdict.OnProbe(true, 2, 1));
  EXPECT_TRUE(verdict.healthy());
}

TEST(ScheduleTest, FirstProbesAreSpreadOverTheInterval) {
  int early = 0;
  for (uint64_t seed = 0; seed < 1000; ++seed) {
    Schedule schedule(milliseconds(1000), seed);
    const auto first = schedule.First();
    ASSERT_GE(first.count(), 0);
    ASSERT_LE(first.count(), 1000);
    early += first.count() < 500;
  }
  EXPECT_GT(early, 400);
  EXPECT_LT(early, 600);
}

TEST(ScheduleTest, PausesDifferByATenthAroundTheInterval) {
  Schedule schedule(milliseconds(1000), 1);
  std::set<int64_t> seen;
  int64_t sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const int64_t pause = schedule.Pause().count();
    ASSERT_GE(pause, 900);
    ASSERT_LE(pause, 1100);
    seen.insert(pause);
    sum += pause;
  }
  EXPECT_GT(seen.size(), 100u);
  EXPECT_NEAR(static_cast<double>(sum) / 1000, 1000, 20);
}

std::string Framed(const std::string& message) {
  return std::string({'\0', '\0', '\0', '\0', static_cast<char>(message.size())}) + message;
}

TEST(GrpcHealthTest, ServingIsStatusOneAndNothingElse) {
  EXPECT_TRUE(IsServing(Framed("\x08\x01")));
  EXPECT_FALSE(IsServing(Framed("\x08\x02")));
  EXPECT_FALSE(IsServing(Framed("")));                  // UNKNOWN
  EXPECT_FALSE(IsServing(Framed("\x08\x01\x08\x02")));  // the last one counts
  EXPECT_TRUE(
      IsServing(Framed("\x12\x03"
                       "abc"
                       "\x08\x01")));  // fields that we do not know
}

TEST(GrpcHealthTest, MalformedMessagesAreNotServing) {
  EXPECT_FALSE(IsServing(""));
  EXPECT_FALSE(IsServing(Framed("\x08\x01").substr(0, 6)));
  EXPECT_FALSE(IsServing(Framed("\x08")));
  EXPECT_FALSE(
      IsServing(Framed("\x12\x7f"
                       "a\x08\x01")));
  EXPECT_FALSE(IsServing(Framed("\x0b\x08\x01")));  // a group
  std::string compressed = Framed("\x08\x01");
  compressed[0] = 1;
  EXPECT_FALSE(IsServing(compressed));
}

}  // namespace
}  // namespace headgate::health
