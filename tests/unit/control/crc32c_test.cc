#include "dataplane/control/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace headgate::control {
namespace {

// The examples of RFC 3720 appendix B.4.
TEST(Crc32cTest, AgreesWithThePublishedExamples) {
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising.push_back(c);
  EXPECT_EQ(Crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
}

TEST(Crc32cTest, GoesOnOverPieces) {
  const std::string text = "make-before-break needs no ordering tricks";
  for (size_t cut = 0; cut <= text.size(); ++cut) {
    EXPECT_EQ(Crc32c(text.substr(cut), Crc32c(text.substr(0, cut))), Crc32c(text)) << cut;
  }
}

}  // namespace
}  // namespace headgate::control
