#include <gtest/gtest.h>

#include <string>

#include "dataplane/base/arena.h"
#include "dataplane/base/intrusive_list.h"

namespace headgate::base {
namespace {

TEST(ArenaTest, CopiesStayValidWhileOthersAreMade) {
  BlockPool pool;
  Arena arena(pool);
  const std::string_view first = arena.Copy("first");
  for (int i = 0; i < 1000; ++i) arena.Copy("filler that makes the arena take more blocks");
  EXPECT_EQ(first, "first");
}

TEST(ArenaTest, TakesLargePiecesApart) {
  BlockPool pool;
  Arena arena(pool);
  const std::string big(BlockPool::kBlockSize * 3, 'x');
  const std::string_view copy = arena.Copy(big);
  EXPECT_EQ(copy, big);
  EXPECT_EQ(arena.Join("a", copy, "b").size(), big.size() + 2);
}

TEST(ArenaTest, GivesBlocksBackForReuse) {
  BlockPool pool;
  const char* first;
  {
    Arena arena(pool);
    first = arena.Allocate(16);
  }
  Arena arena(pool);
  EXPECT_EQ(arena.Allocate(16), first);
}

struct Item : ListNode {
  explicit Item(int v) : value(v) {}
  int value;
};

std::string Values(IntrusiveList<Item>& list) {
  std::string out;
  list.ForEach([&](Item& item) { out += std::to_string(item.value); });
  return out;
}

TEST(IntrusiveListTest, KeepsOrderAndUnlinksOnDestruction) {
  IntrusiveList<Item> list;
  Item one(1), three(3);
  {
    Item two(2);
    list.PushBack(one);
    list.PushBack(two);
    list.PushBack(three);
    EXPECT_EQ(Values(list), "123");
  }
  EXPECT_EQ(Values(list), "13");
  list.PushFront(three);
  EXPECT_EQ(Values(list), "31");
}

TEST(IntrusiveListTest, SpliceMovesEverything) {
  IntrusiveList<Item> a, b;
  Item one(1), two(2), three(3);
  a.PushBack(one);
  b.PushBack(two);
  b.PushBack(three);
  a.Splice(b);
  EXPECT_EQ(Values(a), "123");
  EXPECT_TRUE(b.empty());
  a.Splice(b);
  EXPECT_EQ(Values(a), "123");
}

}  // namespace
}  // namespace headgate::base
