#include "dataplane/config/cluster_handle.h"

#include <gtest/gtest.h>

#include <utility>

namespace headgate::config {
namespace {

TEST(ClusterHandle, TheSameNameHasTheSameSlot) {
  ClusterRegistry registry;
  const ClusterHandle a = registry.Acquire("cluster/a");
  const ClusterHandle b = registry.Acquire("cluster/b");
  const ClusterHandle again = registry.Acquire("cluster/a");
  EXPECT_EQ(a.slot(), again.slot());
  EXPECT_NE(a.slot(), b.slot());
  EXPECT_EQ(registry.name(b.slot()), "cluster/b");
}

TEST(ClusterHandle, ASlotIsFreeOnlyWhenTheLastHandleIsGone) {
  ClusterRegistry registry;
  ClusterHandle a = registry.Acquire("cluster/a");
  const ClusterSlot slot = a.slot();
  ClusterHandle copy = a;
  a = ClusterHandle();
  EXPECT_NE(registry.Acquire("cluster/b").slot(), slot);
  EXPECT_EQ(registry.Acquire("cluster/a").slot(), slot);
  copy = ClusterHandle();
  EXPECT_FALSE(copy.valid());
  const ClusterHandle c = registry.Acquire("cluster/c");
  const ClusterHandle d = registry.Acquire("cluster/d");
  EXPECT_EQ(registry.slot_count(), 2u) << "both slots are used again";
}

TEST(ClusterHandle, MovingKeepsTheCount) {
  ClusterRegistry registry;
  ClusterHandle a = registry.Acquire("cluster/a");
  ClusterHandle b = std::move(a);
  EXPECT_TRUE(b.valid());
  EXPECT_EQ(registry.Acquire("cluster/x").slot(), 1u);
}

}  // namespace
}  // namespace headgate::config
