#include "dataplane/proxy/local_reply.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace headgate::proxy {
namespace {

using base::Failure;

uint16_t Status(Failure::Side side, Failure::Kind kind) {
  return StatusFor({side, kind, Failure::Retry::kNever, ""});
}

TEST(LocalReplyTest, EveryFailureHasItsStatus) {
  using Side = Failure::Side;
  using Kind = Failure::Kind;
  EXPECT_EQ(Status(Side::kDownstream, Kind::kProtocol), 400);
  EXPECT_EQ(Status(Side::kDownstream, Kind::kHeadTimeout), 408);
  EXPECT_EQ(Status(Side::kDownstream, Kind::kTimeout), 408);
  EXPECT_EQ(Status(Side::kDownstream, Kind::kBodyTooLarge), 413);
  EXPECT_EQ(Status(Side::kDownstream, Kind::kTargetTooLong), 414);
  EXPECT_EQ(Status(Side::kDownstream, Kind::kHeadTooLarge), 431);
  EXPECT_EQ(Status(Side::kUpstream, Kind::kConnectRefused), 502);
  EXPECT_EQ(Status(Side::kUpstream, Kind::kProtocol), 502);
  EXPECT_EQ(Status(Side::kUpstream, Kind::kClosed), 502);
  EXPECT_EQ(Status(Side::kUpstream, Kind::kNoEndpoint), 503);
  EXPECT_EQ(Status(Side::kUpstream, Kind::kConnectTimeout), 504);
  EXPECT_EQ(Status(Side::kUpstream, Kind::kTimeout), 504);
}

TEST(LocalReplyTest, PagesCarryTheStatusInTheirTitle) {
  for (const uint16_t status : {400, 404, 408, 413, 414, 431, 502, 503, 504}) {
    const std::string_view page = LocalPage(status);
    EXPECT_NE(page.find("<title>" + std::to_string(status)), std::string_view::npos) << status;
  }
  EXPECT_NE(LocalPage(503).find("503 Service Temporarily Unavailable"), std::string_view::npos);
  EXPECT_TRUE(LocalPage(299).empty());
}

}  // namespace
}  // namespace headgate::proxy
