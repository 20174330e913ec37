#include "common/named.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace headgate {
namespace {

struct Counted final : Named<Counted> {
  explicit Counted(int& alive_count, uint64_t its_value) : value(its_value), alive(alive_count) {
    ++alive;
  }
  ~Counted() { --alive; }

  uint64_t value;
  int& alive;
};

TEST(NamedTest, KeepsTheNameWhateverBecomesOfTheTextItWasMadeFrom) {
  int alive = 0;
  std::string text = "endpoints/shop/cart/80";
  const auto object = Counted::Make(text, alive, 7u);
  text.assign(text.size(), 'x');
  EXPECT_EQ(object->name(), "endpoints/shop/cart/80");
  EXPECT_EQ(object->value, 7u);
  EXPECT_EQ(Counted::Make("", alive, 1u)->name(), "");
}

TEST(NamedTest, ASetFindsObjectsByNameAndEndsThem) {
  int alive = 0;
  {
    NamedSet<Counted> set;
    const Counted* const first = set.insert(Counted::Make("0", alive, 0u)).first->get();
    for (uint64_t i = 1; i < 1000; ++i) set.insert(Counted::Make(std::to_string(i), alive, i));
    EXPECT_FALSE(set.insert(Counted::Make("17", alive, 1u)).second) << "it is there";
    EXPECT_EQ(alive, 1000);
    EXPECT_EQ(set.find("0")->get(), first) << "it stays where it is";
    EXPECT_EQ((*set.find(std::string("999")))->value, 999u);
    EXPECT_EQ(set.find("1000"), set.end());
    set.erase(set.find("17"));
    EXPECT_EQ(set.find("17"), set.end());
    EXPECT_EQ(alive, 999);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace headgate
