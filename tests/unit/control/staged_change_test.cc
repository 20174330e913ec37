#include "dataplane/control/staged_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/control/test_resources.h"

namespace headgate::control {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

v1::Delta MakeDelta(const std::vector<v1::Resource>& upserts,
                    const std::vector<std::string>& removed = {}) {
  v1::Delta delta;
  for (const v1::Resource& resource : upserts) *delta.add_upserts() = resource;
  for (const std::string& name : removed) delta.add_removed(name);
  return delta;
}

std::vector<std::string> Forms(const StagedChange& staged) {
  std::vector<std::string> out;
  for (const v1::Resource* resource : staged.upserts()) {
    out.push_back(resource->name() + "=" + std::to_string(resource->hash()));
  }
  return out;
}

TEST(StagedChangeTest, MergesPartsAndTheLastWordWins) {
  StagedChange staged;
  staged.Add(MakeDelta({MakeResource("b", 1), MakeResource("a", 1)}, {"c"}));
  staged.Add(MakeDelta({MakeResource("c", 2), MakeResource("b", 2)}, {"d"}));
  staged.Add(MakeDelta({}, {"a"}));
  EXPECT_THAT(Forms(staged), ElementsAre("b=2", "c=2"));
  EXPECT_THAT(staged.removed(), ElementsAre("a", "d"));
  EXPECT_TRUE(staged.Upserts("b"));
  EXPECT_FALSE(staged.Upserts("a"));
  EXPECT_GT(staged.bytes(), 0u);
}

TEST(StagedChangeTest, RemovesByName) {
  StagedChange staged;
  {
    std::string name = "gone";
    staged.Remove(name);
  }
  EXPECT_THAT(staged.removed(), ElementsAre("gone"));
  staged.Clear();
  EXPECT_THAT(staged.removed(), IsEmpty());
  EXPECT_EQ(staged.bytes(), 0u);
}

}  // namespace
}  // namespace headgate::control
