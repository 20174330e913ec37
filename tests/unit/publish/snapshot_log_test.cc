#include "controller/publish/snapshot_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

#include "tests/unit/publish/test_resources.h"

namespace headgate::publish {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(SnapshotLogTest, TellsWhatChangedSinceAPosition) {
  SnapshotLog log;
  EXPECT_TRUE(log.Apply({Put("a", 1), Put("b", 1), Put("c", 1)}));
  const Position first = log.position();
  EXPECT_TRUE(log.Apply({Put("b", 2), Removal("c"), Put("d", 1)}));

  const Difference difference = log.Since(first);
  EXPECT_EQ(UpsertsOf(difference), (Content{{"b", 2}, {"d", 1}}));
  EXPECT_THAT(difference.removed, ElementsAre("c"));
  EXPECT_EQ(difference.resource_count, 3u);
  EXPECT_EQ(difference.position, log.position());
  EXPECT_EQ(difference.version, log.version());
  EXPECT_THAT(log.Since(log.position()).upserts, IsEmpty());
}

TEST(SnapshotLogTest, MergesManyChangesOfOneName) {
  SnapshotLog log;
  log.Apply({Put("a", 1), Put("b", 1)});
  const Position first = log.position();
  for (uint64_t form = 2; form < 100; ++form) log.Apply({Put("a", form)});
  EXPECT_EQ(UpsertsOf(log.Since(first)), (Content{{"a", 99}}));
}

TEST(SnapshotLogTest, ARemovedNameThatCameBackIsAnUpsertOnly) {
  SnapshotLog log;
  log.Apply({Put("a", 1)});
  const Position first = log.position();
  log.Apply({Removal("a")});
  log.Apply({Put("a", 1)});
  const Difference difference = log.Since(first);
  EXPECT_EQ(UpsertsOf(difference), (Content{{"a", 1}}));
  EXPECT_THAT(difference.removed, IsEmpty());
}

TEST(SnapshotLogTest, WhatChangesNothingIsNoChange) {
  SnapshotLog log;
  log.Apply({Put("a", 1)});
  const Position first = log.position();
  EXPECT_FALSE(log.Apply({Put("a", 1), Removal("never-there")}));
  EXPECT_EQ(log.position(), first);
}

TEST(SnapshotLogTest, ComparesWithAnInventory) {
  SnapshotLog log;
  log.Apply({Put("same", 1), Put("changed", 2), Put("new", 3), Put("gone", 4)});
  log.Apply({Removal("gone")});
  const Difference difference = log.From({{"same", 1}, {"changed", 1}, {"gone", 4}, {"old", 5}});
  EXPECT_EQ(UpsertsOf(difference), (Content{{"changed", 2}, {"new", 3}}));
  EXPECT_THAT(difference.removed, UnorderedElementsAre("gone", "old"));
  EXPECT_EQ(difference.resource_count, 3u);
}

TEST(SnapshotLogTest, ForgetsOldRemovalsAndSaysSo) {
  SnapshotLog log(/*removed_limit=*/2);
  log.Apply({Put("a", 1), Put("b", 1), Put("c", 1), Put("d", 1)});
  const Position start = log.position();
  log.Apply({Removal("a")});
  const Position after_a = log.position();
  log.Apply({Removal("b"), Removal("c")});
  EXPECT_FALSE(log.Reaches(start)) << "the removal of a is forgotten";
  ASSERT_TRUE(log.Reaches(after_a));
  EXPECT_THAT(log.Since(after_a).removed, ElementsAre("b", "c"));
  // A name that came back no longer takes a removal's place.
  log.Apply({Put("b", 2)});
  log.Apply({Removal("d")});
  EXPECT_TRUE(log.Reaches(after_a));
}

TEST(SnapshotLogTest, CountsByKind) {
  SnapshotLog log;
  log.Apply({Put("settings", 1), Put("vhost/a", 1), Put("vhost/b", 1), Put("cert/x/y", 1)});
  log.Apply({Removal("vhost/a"), Put("vhost/b", 2)});
  EXPECT_THAT(log.count_by_kind(),
              UnorderedElementsAre(Pair("settings", 1), Pair("vhost", 1), Pair("cert", 1)));
  EXPECT_EQ(log.size(), 3u);
}

TEST(ContentVersionTest, FollowsFromTheContentAlone) {
  SnapshotLog one;
  one.Apply({Put("a", 1), Put("b", 2)});
  SnapshotLog other;
  other.Apply({Put("b", 7), Put("c", 3), Put("a", 1)});
  EXPECT_NE(one.version(), other.version());
  other.Apply({Removal("c"), Put("b", 2)});
  EXPECT_EQ(one.version(), other.version());
  EXPECT_EQ(one.version().size(), 32u);
  EXPECT_NE(one.version(), SnapshotLog().version());
}

TEST(ContentVersionTest, TellsNamesAndHashesApart) {
  ContentVersion a;
  a.Add("x", 1);
  a.Add("y", 2);
  ContentVersion b;
  b.Add("x", 2);
  b.Add("y", 1);
  EXPECT_NE(a.ToString(), b.ToString());
}

}  // namespace
}  // namespace headgate::publish
