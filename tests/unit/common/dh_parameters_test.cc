#include "common/dh_parameters.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <string>

#include "common/strings.h"
#include "tests/support/dh_parameters.h"

namespace headgate {
namespace {

using testing::kDhParameters;
using testing::kWeakDhParameters;

std::string ErrorOf(std::string_view pem) {
  const auto parsed = ParseDhParameters(pem);
  EXPECT_EQ(ERR_peek_error(), 0u);
  return std::string(parsed.status().message());
}

TEST(DhParametersTest, AreReadAndWrittenWithoutWhatIsAroundThem) {
  EXPECT_EQ(ErrorOf(kDhParameters), "");
  EXPECT_EQ(ErrorOf(testing::kSubgroupDhParameters), "");
  const auto parsed = ParseDhParameters(
      StrCat("DH Parameters: (2048 bit)\n", kDhParameters, "-----BEGIN KEY-----\nAA==\n"));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(WriteDhParameters(parsed->get()), kDhParameters);
}

TEST(DhParametersTest, WhatIsWeakOrSomethingElseIsRefused) {
  EXPECT_EQ(ErrorOf(kWeakDhParameters), "the prime has 1024 bits, not 2048 to 8192");
  constexpr char kNone[] = "these are no Diffie-Hellman parameters in PEM";
  EXPECT_EQ(ErrorOf(""), kNone);
  EXPECT_EQ(ErrorOf("nonsense"), kNone);
  EXPECT_EQ(ErrorOf(kDhParameters.substr(0, 200)), kNone);
  // prime256v1
  EXPECT_EQ(
      ErrorOf("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"),
      kNone);
  EXPECT_EQ(ErrorOf(std::string(70'000, 'x')), "more than 64 KiB");
}

TEST(DhParametersTest, EveryPrefixIsRefused) {
  for (size_t size = 0; size + 1 < kDhParameters.size(); ++size)
    EXPECT_NE(ErrorOf(kDhParameters.substr(0, size)), "") << size;
}

}  // namespace
}  // namespace headgate
