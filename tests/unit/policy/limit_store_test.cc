#include "dataplane/policy/limit_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <list>
#include <random>
#include <utility>

namespace headgate::policy {
namespace {

TEST(LimitStoreTest, DoesWhatAListDoes) {
  std::mt19937 random(7);
  LimitStore<int> store(20);
  std::list<std::pair<uint64_t, int>> model;  // the newest last
  const auto find = [&](uint64_t key) {
    return std::find_if(model.begin(), model.end(),
                        [&](const auto& entry) { return entry.first == key; });
  };
  for (int step = 0; step < 20'000; ++step) {
    const uint64_t number = random() % 40;
    const LimitKey key{{number % 4, number}};  // long chains
    const auto at = find(number);
    switch (random() % 3) {
      case 0: {
        int* found = store.Find(key);
        ASSERT_EQ(found != nullptr, at != model.end());
        if (found != nullptr) {
          EXPECT_EQ(*found, at->second);
          model.splice(model.end(), model, at);
        } else if (!store.full()) {
          *store.Add(key) = step;
          model.emplace_back(number, step);
        } else {
          EXPECT_EQ(*store.oldest(), model.front().second);
          store.RemoveOldest();
          model.pop_front();
        }
        break;
      }
      case 1:
        store.Remove(key);
        if (at != model.end()) model.erase(at);
        break;
      default:
        EXPECT_EQ(store.oldest() == nullptr, model.empty());
        if (!model.empty()) {
          EXPECT_EQ(*store.oldest(), model.front().second);
        }
    }
    ASSERT_EQ(store.size(), model.size());
  }
}

}  // namespace
}  // namespace headgate::policy
