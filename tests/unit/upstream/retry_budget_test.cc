#include "dataplane/upstream/retry_budget.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace headgate::upstream {
namespace {

using std::chrono::seconds;

int TakeAll(RetryBudget& budget, uint32_t percent, RetryBudget::TimePoint now) {
  int taken = 0;
  while (budget.Take(percent, now)) ++taken;
  return taken;
}

TEST(RetryBudget, AllowsAFewRetriesWhateverTheTraffic) {
  RetryBudget budget;
  EXPECT_EQ(TakeAll(budget, 20, {}), 100);
  EXPECT_EQ(TakeAll(budget, 0, {}), 0);
}

TEST(RetryBudget, AllowsAShareOfTheRequests) {
  RetryBudget budget;
  for (int i = 0; i < 10'000; ++i) budget.OnRequest({});
  EXPECT_EQ(TakeAll(budget, 20, {}), 2'000);
}

TEST(RetryBudget, HoldsOverWindows) {
  RetryBudget budget;
  RetryBudget::TimePoint now;
  int requests = 0;
  int retries = 0;
  for (int i = 0; i < 100; ++i) {
    for (int j = 0; j < 1'000; ++j, ++requests) budget.OnRequest(now);
    retries += TakeAll(budget, 20, now);
    now += seconds(3);
  }
  EXPECT_LE(retries, requests / 5 + 100);
  EXPECT_GE(retries, requests / 6);
}

TEST(RetryBudget, ForgetsWhatIsLongOver) {
  RetryBudget budget;
  TakeAll(budget, 20, {});
  EXPECT_EQ(TakeAll(budget, 20, RetryBudget::TimePoint() + seconds(60)), 100);
}

}  // namespace
}  // namespace headgate::upstream
