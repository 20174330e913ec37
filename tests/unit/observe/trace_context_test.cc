#include "dataplane/observe/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace headgate::observe {
namespace {

constexpr char kValid[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(TraceContextTest, WhatIsReadIsWritten) {
  const auto context = ParseTraceparent(kValid);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id[0], 0x0a);
  EXPECT_EQ(context->trace_id[15], 0x9c);
  EXPECT_EQ(context->span_id[7], 0x31);
  EXPECT_TRUE(context->sampled);
  std::string written(kTraceparentSize, ' ');
  WriteTraceparent(*context, written.data());
  EXPECT_EQ(written, kValid);
}

TEST(TraceContextTest, FlagsAreBits) {
  const std::string prefix(kValid, 53);
  EXPECT_FALSE(ParseTraceparent(prefix + "00")->sampled);
  EXPECT_FALSE(ParseTraceparent(prefix + "fe")->sampled);
  EXPECT_TRUE(ParseTraceparent(prefix + "ff")->sampled);
}

TEST(TraceContextTest, VersionsToComeMayGoOn) {
  const std::string rest(kValid + 2);
  EXPECT_TRUE(ParseTraceparent("01" + rest));
  EXPECT_TRUE(ParseTraceparent("cc" + rest + "-what-comes"));
  EXPECT_FALSE(ParseTraceparent("cc" + rest + ".what-comes"));
  EXPECT_FALSE(ParseTraceparent("ff" + rest));
}

TEST(TraceContextTest, AnythingElseIsNothing) {
  for (const char* text : {
           "",
           "00",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 ",
           " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-B7ad6b7169203331-01",
           "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "00-0af7651916cd43dd8448eb211c8031-9cb7ad6b7169203331-01-",
           "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
           "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
       }) {
    EXPECT_FALSE(ParseTraceparent(text)) << text;
  }
}

TEST(TraceContextTest, StatesAreListsOfMembers) {
  for (const std::string& text :
       {std::string("rojo=00f067aa0ba902b7"), std::string("a=1,b=2"), std::string("a=1 , b=2"),
        std::string("a=1,,b=2"), std::string("tenant@system=1"), std::string("0a/-_*=x y"),
        "a=" + std::string(256, 'x'), std::string(256, 'k') + "=" + std::string(255, 'x')}) {
    EXPECT_TRUE(IsTracestate(text)) << text;
  }
  std::string many;
  for (int i = 0; i < 32; ++i) many += "k" + std::to_string(i) + "=1,";
  EXPECT_TRUE(IsTracestate(many));
  EXPECT_FALSE(IsTracestate(many + "one=more"));
  for (const std::string& text :
       {std::string(""), std::string(","), std::string("a"), std::string("=1"), std::string("a="),
        std::string("A=1"), std::string("a=1,a=2"), std::string("a=1=2"), std::string("a b=1"),
        std::string("a=\x7f"), std::string("a=\xc3\xa4"), std::string("_a=1"),
        "a=" + std::string(257, 'x'), std::string(257, 'k') + "=1",
        "a=" + std::string(255, 'x') + ",b=" + std::string(255, 'x')}) {
    EXPECT_FALSE(IsTracestate(text)) << text;
  }
}

}  // namespace
}  // namespace headgate::observe
