#include "dataplane/proxy/request_id.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace headgate::proxy {
namespace {

TEST(RequestIdSourceTest, IdsAreThirtyTwoHexDigitsAllOfWhichOccurAndNoneComesTwice) {
  base::BlockPool pool;
  base::Arena arena(pool);
  RequestIdSource ids;
  std::set<std::string_view> seen;
  std::set<char> digits;
  for (int i = 0; i < 1000; ++i) {
    const std::string_view id = ids.Next(arena);
    EXPECT_EQ(id.size(), 32u);
    EXPECT_TRUE(seen.insert(id).second);
    digits.insert(id.begin(), id.end());
  }
  EXPECT_EQ(std::string(digits.begin(), digits.end()), "0123456789abcdef");
}

}  // namespace
}  // namespace headgate::proxy
