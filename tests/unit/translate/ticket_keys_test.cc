#include "controller/translate/ticket_keys.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>

namespace headgate::translate {
namespace {

const SecretBytes kRoot("the key of the controller");

std::map<std::string, std::string> Keys(const ResourcePtr& resource) {
  EXPECT_NE(resource, nullptr);
  EXPECT_EQ(resource->name(), kTicketKeysName);
  std::map<std::string, std::string> keys;
  for (const v1::SecretEntry& entry : resource->secret_data().data())
    keys[entry.key()] = entry.value();
  return keys;
}
std::map<std::string, std::string> KeysAt(int64_t epoch) {
  return Keys(TranslateTicketKeys(kRoot, {}, epoch));
}

TEST(TicketKeys, OverlapFromEpochToEpoch) {
  auto before = KeysAt(7);
  auto after = KeysAt(8);
  ASSERT_EQ(before["current"].size(), 80u);
  EXPECT_EQ(before["next"], after["current"]);
  EXPECT_EQ(before["current"], after["previous"]);
  EXPECT_NE(before["current"], after["current"]);
}

TEST(TicketKeys, AreTheSameOnEveryReplicaAndDifferWithTheRoot) {
  EXPECT_EQ(TranslateTicketKeys(kRoot, {}, 7)->hash(), TranslateTicketKeys(kRoot, {}, 7)->hash());
  EXPECT_NE(Keys(TranslateTicketKeys(SecretBytes("another"), {}, 7))["current"],
            KeysAt(7)["current"]);
}

TEST(TicketKeys, OfTheOperatorAreTheOnlyOnes) {
  const std::string given(48, 'k');
  auto data = Keys(TranslateTicketKeys(kRoot, SecretBytes(given), 7));
  EXPECT_EQ(data.size(), 1u);
  EXPECT_EQ(data["current"], given);
  EXPECT_EQ(TranslateTicketKeys({}, {}, 7), nullptr);
}

TEST(TicketKeys, LastTwelveHours) {
  const absl::Time start = absl::FromUnixSeconds(12 * 3600 * 1000);
  EXPECT_EQ(TicketEpoch(start), 1000);
  EXPECT_EQ(TicketEpoch(start + absl::Hours(12) - absl::Seconds(1)), 1000);
  EXPECT_EQ(TicketEpoch(start + absl::Hours(12)), 1001);
}

}  // namespace
}  // namespace headgate::translate
