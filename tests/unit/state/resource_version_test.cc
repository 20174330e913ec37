#include "controller/state/resource_version.h"

#include <gtest/gtest.h>

namespace headgate::state {
namespace {

TEST(ResourceVersionTest, ComparesNumbersOfAnyLength) {
  EXPECT_TRUE(IsOlderVersion("9", "10"));
  EXPECT_FALSE(IsOlderVersion("10", "9"));
  EXPECT_FALSE(IsOlderVersion("10", "10"));
  EXPECT_TRUE(IsOlderVersion("99999999999999999999998", "99999999999999999999999"));
  EXPECT_TRUE(IsOlderVersion("0009", "10"));
  EXPECT_TRUE(IsOlderVersion("0", "1"));
}

TEST(ResourceVersionTest, SaysNothingAboutWhatIsNoNumber) {
  EXPECT_FALSE(IsOlderVersion("", "10"));
  EXPECT_FALSE(IsOlderVersion("10", ""));
  EXPECT_FALSE(IsOlderVersion("abc", "abd"));
  EXPECT_FALSE(IsOlderVersion("-1", "1"));
}

}  // namespace
}  // namespace headgate::state
