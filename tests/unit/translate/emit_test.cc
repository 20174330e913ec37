#include "controller/translate/emit.h"

#include <gtest/gtest.h>

#include "common/hash.h"

namespace headgate::translate {
namespace {

v1::Resource Sample() {
  v1::Resource resource;
  AddSecretEntry(resource, "a", "1");
  AddSecretEntry(resource, "b", "2");
  AddSecretEntry(resource, "c", "");
  return resource;
}

// The contract of proto/headgate/v1/snapshot.proto, followed by hand.
TEST(EmitTest, TheHashIsThatOfTheMessageWithoutHash) {
  const ResourcePtr resource = Finish("secret/a/b", Sample());
  v1::Resource bare = *resource;
  bare.clear_hash();
  EXPECT_EQ(bare.secret_data().data_size(), 2);
  EXPECT_EQ(ContentHash(bare.SerializeAsString()), resource->hash());
}

TEST(EmitTest, EqualContentGivesEqualHashesAndAnyDifferenceAnother) {
  const ResourcePtr one = Finish("secret/a/b", Sample());
  EXPECT_EQ(one->hash(), Finish("secret/a/b", Sample())->hash());
  EXPECT_NE(one->hash(), Finish("secret/a/c", Sample())->hash());
  v1::Resource caused = Sample();
  AddProvenance(caused, kube::Kind::kSecret, {"a", "b"}, "");
  EXPECT_NE(one->hash(), Finish("secret/a/b", caused)->hash());
  v1::Resource stale = Sample();
  stale.set_hash(7);
  EXPECT_EQ(one->hash(), Finish("secret/a/b", stale)->hash());
}

}  // namespace
}  // namespace headgate::translate
