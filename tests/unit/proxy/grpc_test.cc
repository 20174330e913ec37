#include "dataplane/proxy/grpc.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "dataplane/http/message.h"

namespace headgate::proxy {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(GrpcTest, TimeoutsAreDigitsAndAUnit) {
  EXPECT_EQ(ParseGrpcTimeout("100m"), milliseconds(100));
  EXPECT_EQ(ParseGrpcTimeout("2S"), milliseconds(2000));
  EXPECT_EQ(ParseGrpcTimeout("3M"), milliseconds(180'000));
  EXPECT_EQ(ParseGrpcTimeout("1H"), hours(1));
  EXPECT_EQ(ParseGrpcTimeout("1001u"), milliseconds(2));
  EXPECT_EQ(ParseGrpcTimeout("1n"), milliseconds(1));
  EXPECT_EQ(ParseGrpcTimeout("0n"), milliseconds(0));
  EXPECT_EQ(ParseGrpcTimeout("99999999H"), hours(24 * 24));
  for (const char* text : {"", "1", "S", "-1S", "+1S", "1s", "1.5S", "123456789S", " 1S", "1 S"}) {
    EXPECT_EQ(ParseGrpcTimeout(text), std::nullopt) << text;
  }
}

TEST(GrpcTest, ACallIsKnownByItsContentType) {
  for (const char* type :
       {"application/grpc", "application/grpc+proto", "application/grpc;a=b", "Application/gRPC"}) {
    EXPECT_TRUE(http::IsGrpc(type)) << type;
  }
  for (const char* type : {"", "application/grpc-web", "application/json", "application/grp"}) {
    EXPECT_FALSE(http::IsGrpc(type)) << type;
  }
}

TEST(GrpcTest, StatusesFollowTheTable) {
  EXPECT_EQ(GrpcStatusFor(400), 13);
  EXPECT_EQ(GrpcStatusFor(401), 16);
  EXPECT_EQ(GrpcStatusFor(403), 7);
  EXPECT_EQ(GrpcStatusFor(404), 12);
  for (const uint16_t status : {429, 502, 503, 504}) EXPECT_EQ(GrpcStatusFor(status), 14);
  EXPECT_EQ(GrpcStatusFor(413), 2);
}

}  // namespace
}  // namespace headgate::proxy
