#include "controller/translate/emit.h"

#include <gtest/gtest.h>

#include "common/hash.h"

namespace headgate::translate {
namespace {

v1::Resource Sample() {
  v1::Resource resource;
  (*resource.mutable_secret_data()->mutable_data())["b"] = "2";
  (*resource.mutable_secret_data()->mutable_data())["a"] = "1";
  return resource;
}

// The contract of proto/headgate/v1/snapshot.proto, followed by hand.
TEST(EmitTest, TheHashIsThatOfTheMessageWithoutHash) {
  const ResourcePtr resource = Finish("secret/a/b", Sample());
  v1::Resource bare = *resource;
  bare.clear_hash();
  std::string bytes;
  // Maps of up to one entry have one order; two are what determinism is about.
  bare.mutable_secret_data()->mutable_data()->erase("b");
  EXPECT_NE(ContentHash(bare.SerializeAsString()), resource->hash());
  v1::Resource one = bare;
  EXPECT_EQ(Finish("secret/a/b", one)->hash(), ContentHash(bare.SerializeAsString()));
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
