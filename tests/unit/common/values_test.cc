// Tests of the small value helpers: secrets, hashes, hosts, back-off, strings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "absl/container/flat_hash_map.h"
#include "common/backoff.h"
#include "common/check.h"
#include "common/hash.h"
#include "common/host_pattern.h"
#include "common/secret_bytes.h"
#include "common/strings.h"

namespace headgate {
namespace {

TEST(SecretBytesTest, PrintsAsRedacted) {
  std::ostringstream out;
  out << SecretBytes("hunter2");
  EXPECT_EQ(out.str(), "[redacted]");
}

TEST(SecretBytesTest, CopiesAreDeepAndMovesLeaveNothing) {
  SecretBytes first("abc");
  SecretBytes copy = first;
  EXPECT_NE(copy.Reveal().data(), first.Reveal().data());
  EXPECT_EQ(copy, first);
  SecretBytes moved = std::move(first);
  EXPECT_EQ(moved.Reveal(), "abc");
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): the contract says empty
  copy = SecretBytes("other");
  EXPECT_FALSE(copy == moved);
  moved = moved;
  EXPECT_EQ(moved.Reveal(), "abc");
  EXPECT_EQ(SecretBytes(), SecretBytes(""));
}

TEST(SecretBytesTest, WipesMemory) {
  char buffer[] = "secret";
  WipeMemory(buffer, 6);
  EXPECT_EQ(std::string_view(buffer, 6), std::string_view("\0\0\0\0\0\0", 6));
}

TEST(HashTest, Sha256OfAKnownText) {  // FIPS 180-2, appendix B.1
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(HashTest, ContentHashIsTheFirstEightBytesLittleEndian) {
  EXPECT_EQ(ContentHash("abc"), 0xeacf018fbf1678baULL);
}

TEST(HostPatternTest, LowersAndKeepsWhatIsValid) {
  EXPECT_EQ(HostPattern::Parse("WWW.Example.COM")->text(), "www.example.com");
  EXPECT_EQ(HostPattern::Parse("*.example.com")->suffix(), ".example.com");
  EXPECT_TRUE(HostPattern::Parse("*.example.com")->wildcard());
  EXPECT_FALSE(HostPattern::Parse("localhost")->wildcard());
  EXPECT_TRUE(HostPattern::Parse("xn--bcher-kva.example").ok());
  EXPECT_TRUE(HostPattern::Parse("1.2.3.example").ok());
}

TEST(HostPatternTest, RefusesWhatKubernetesRefuses) {
  const std::string long_label(64, 'a');
  const std::string long_name = std::string(63, 'a') + "." + std::string(63, 'b') + "." +
                                std::string(63, 'c') + "." + std::string(63, 'd');
  for (const std::string& text :
       {std::string(), std::string("*"), std::string("*."), std::string("a.*.b"),
        std::string("*.*.b"), std::string("foo*.b"), std::string("-a.b"), std::string("a-.b"),
        std::string("a..b"), std::string(".a"), std::string("a."), std::string("a_b.c"),
        std::string("a:80"), std::string("10.0.0.1"), std::string("a b"), std::string("[::1]"),
        long_label, long_name}) {
    EXPECT_FALSE(HostPattern::Parse(text).ok()) << text;
  }
}

TEST(HostPatternTest, AStarIsExactlyOneLabel) {
  const HostPattern star = *HostPattern::Parse("*.foo.com");
  EXPECT_TRUE(star.Matches("bar.foo.com"));
  EXPECT_FALSE(star.Matches("baz.bar.foo.com"));
  EXPECT_FALSE(star.Matches("foo.com"));
  EXPECT_FALSE(star.Matches(".foo.com"));
  EXPECT_TRUE(HostPattern::Parse("foo.com")->Matches("foo.com"));
  EXPECT_FALSE(HostPattern::Parse("foo.com")->Matches("bar.foo.com"));
}

TEST(BackoffTest, GrowsToTheMaximumAndStartsOver) {
  Backoff backoff({.initial = absl::Seconds(1), .max = absl::Seconds(5), .jitter = 0}, 1);
  EXPECT_EQ(backoff.Next(), absl::Seconds(1));
  EXPECT_EQ(backoff.Next(), absl::Seconds(2));
  EXPECT_EQ(backoff.Next(), absl::Seconds(4));
  EXPECT_EQ(backoff.Next(), absl::Seconds(5));
  EXPECT_EQ(backoff.Next(), absl::Seconds(5));
  backoff.Reset();
  EXPECT_EQ(backoff.Next(), absl::Seconds(1));
}

TEST(BackoffTest, JitterStaysInItsRangeAndFollowsTheSeed) {
  const BackoffOptions options{
      .initial = absl::Seconds(10), .max = absl::Seconds(10), .jitter = 0.5};
  Backoff a(options, 7);
  Backoff b(options, 7);
  Backoff c(options, 8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const absl::Duration pause = a.Next();
    EXPECT_GE(pause, absl::Seconds(5));
    EXPECT_LE(pause, absl::Seconds(10));
    EXPECT_EQ(pause, b.Next());
    differs = differs || pause != c.Next();
  }
  EXPECT_TRUE(differs);
}

TEST(StringsTest, JoinsEveryKindOfString) {
  const std::string_view view = "view";
  std::string text =
      StrCat("a ", std::string("b "), view, " ", absl::string_view("c "), 1, " ", 2.5);
  EXPECT_EQ(text, "a b view c 1 2.5");
  StrAppend(&text, view);
  EXPECT_EQ(text, "a b view c 1 2.5view");
}

TEST(StringsTest, TransparentMapIsSearchedByView) {
  absl::flat_hash_map<std::string, int, TransparentStringHash, TransparentStringEqual> map;
  map["key"] = 5;
  EXPECT_EQ(map.find(std::string_view("key"))->second, 5);
  EXPECT_TRUE(map.find(std::string_view("none")) == map.end());
}

TEST(CheckDeathTest, SaysWhereAndWhat) {
  HEADGATE_CHECK(true);
  EXPECT_DEATH(HEADGATE_CHECK(1 == 2), "invariant broken at .*values_test.cc:[0-9]+: 1 == 2");
  EXPECT_DEATH(HEADGATE_CHECK(false, "the detail"), "false \\(the detail\\)");
}

}  // namespace
}  // namespace headgate
