// What a peer can do too often: each kind is noticed, and an honest peer's share is not.
#include <chrono>
#include <cstdint>

#include "dataplane/http2/abuse_guard.h"
#include "tests/unit/http2/session_support.h"

namespace headgate::http2::testing {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string frame;
  for (int shift : {16, 8, 0}) frame.push_back(static_cast<char>(payload.size() >> shift));
  frame.push_back(static_cast<char>(type));
  frame.push_back(static_cast<char>(flags));
  for (int shift : {24, 16, 8, 0}) frame.push_back(static_cast<char>(stream >> shift));
  frame += payload;
  return frame;
}

// GET / of host a in HPACK, and a POST.
constexpr std::string_view kGet =
    "\x82\x87\x84\x41\x01"
    "a";
constexpr std::string_view kPost =
    "\x83\x87\x84\x41\x01"
    "a";

class AbuseTest : public SessionTest {
 protected:
  AbuseTest() { Feed(std::string(kPreface) + Frame(4, 0, 0, {})); }

  void Feed(std::string_view bytes) { server.session.Receive(bytes, now); }
  void Repeat(const std::string& frame, int times) {
    for (int i = 0; i < times; ++i) Feed(frame);
  }
  void ExpectEnd(Abuse abuse) {
    EXPECT_EQ(server.session.abuse(), abuse);
    const std::string output = server.Take();
    EXPECT_NE(output.find(std::string("\0\0\0\x0b", 4)), std::string::npos);  // ENHANCE_YOUR_CALM
    EXPECT_FALSE(server.session.alive());
  }
};

TEST_F(AbuseTest, StreamsResetByTheClient) {
  for (uint32_t id = 1; id < 2000 && !server.session.abuse(); id += 2) {
    Feed(Frame(1, 4, id, kPost) + Frame(3, 0, id, std::string_view("\0\0\0\x08", 4)));
    server.Take();
  }
  EXPECT_EQ(server.session.abuse(), Abuse::kResets);
  EXPECT_LE(server.streams.size(), 501u);
}

// "Made you reset": errors in a stream that make the server give it up, here a length that is not
// true.
TEST_F(AbuseTest, StreamsThatWeAreMadeToReset) {
  for (uint32_t id = 1; id < 2000 && !server.session.abuse(); id += 2) {
    Feed(Frame(1, 4, id,
               std::string(kPost) + "\x0f\x0d\x01"
                                    "9") +
         Frame(0, 1, id, "x"));
    server.Take();
  }
  EXPECT_EQ(server.session.abuse(), Abuse::kResets);
  EXPECT_LE(server.streams.size(), 501u);
}

TEST_F(AbuseTest, ContinuationsWithoutEnd) {
  Feed(Frame(1, 0, 1, kPost));
  EXPECT_TRUE(server.session.in_header_block());
  Repeat(Frame(9, 0, 1, {}), 8);
  EXPECT_FALSE(server.session.abuse());
  Feed(Frame(9, 0, 1, {}));
  ExpectEnd(Abuse::kHeaders);
}

TEST_F(AbuseTest, ContinuationsOfManyBlocks) {
  for (uint32_t id = 1; id < 100; id += 2) {
    Feed(Frame(1, 1, id, kGet));
    Repeat(Frame(9, 0, id, {}), 3);
    Feed(Frame(9, 4, id, {}));
  }
  EXPECT_FALSE(server.session.abuse());
  EXPECT_EQ(server.streams.size(), 50u);
}

TEST_F(AbuseTest, ASmallBlockThatBecomesAHugeList) {
  // A field of 4,000 bytes into the dynamic table, then one byte for each repetition.
  std::string block(kGet);
  block += std::string("\x40\x01x\x7f\xa1\x1e", 6) + std::string(4000, 'v');
  block += std::string(10'000, '\xbe');
  Feed(Frame(1, 5, 1, block));
  ExpectEnd(Abuse::kHeaders);
}

TEST_F(AbuseTest, Settings) {
  Repeat(Frame(4, 0, 0, {}), 100);
  ExpectEnd(Abuse::kSettings);
}

TEST_F(AbuseTest, Pings) {
  Repeat(Frame(6, 0, 0, "12345678"), 300);
  ExpectEnd(Abuse::kPings);
}

TEST_F(AbuseTest, WindowUpdates) {
  Repeat(Frame(8, 0, 0, std::string_view("\0\0\0\x01", 4)), 2100);
  ExpectEnd(Abuse::kWindowUpdates);
}

TEST_F(AbuseTest, Priorities) {
  Repeat(Frame(2, 0, 1, std::string_view("\0\0\0\0\x10", 5)), 1100);
  ExpectEnd(Abuse::kPriorities);
}

TEST_F(AbuseTest, EmptyData) {
  Feed(Frame(1, 4, 1, kPost));
  Repeat(Frame(0, 0, 1, {}), 300);
  ExpectEnd(Abuse::kEmptyData);
}

TEST_F(AbuseTest, DataThatIsAllPadding) {
  Feed(Frame(1, 4, 1, kPost));
  Repeat(Frame(0, 8, 1, std::string("\x03\0\0\0", 4)), 300);
  ExpectEnd(Abuse::kEmptyData);
}

TEST_F(AbuseTest, FramesOfUnknownTypes) {
  Repeat(Frame(0x55, 0, 0, "x"), 300);
  ExpectEnd(Abuse::kUnknownFrames);
}

TEST_F(AbuseTest, FramesForAStreamThatHasEndedAreAnErrorOfTheConnection) {
  Feed(Frame(1, 5, 1, kGet));
  http::ResponseHead response;
  server.session.SendResponse(*server.streams.at(0), response, {}, false, true);
  server.Take();
  ASSERT_EQ(server.streams[0]->closed, ErrorCode::kNoError);
  const std::string data = Frame(0, 0, 1, "x");
  for (char c : data) Feed({&c, 1});
  server.Take();
  EXPECT_FALSE(server.session.alive());
}

TEST_F(AbuseTest, BodyBehindAResetIsAnErrorHoweverTheyArrive) {
  Feed(Frame(1, 4, 1, kPost));
  Feed(Frame(3, 0, 1, std::string_view("\0\0\0\x08", 4)) + Frame(0, 1, 1, "x"));
  server.Take();
  EXPECT_FALSE(server.session.alive());
}

TEST_F(AbuseTest, WhatWasOnItsWayWhenWeResetIsPassedOver) {
  Feed(Frame(1, 4, 1, kPost));
  server.session.Reset(*server.streams.at(0), ErrorCode::kNoError);
  server.Take();
  Feed(Frame(0, 0, 1, "late") + Frame(0, 1, 1, "later"));
  server.Take();
  EXPECT_TRUE(server.session.alive());
}

TEST(AbuseGuardTest, RefillsWithTime) {
  net::TimePoint now{};
  AbuseGuard guard(now);
  int count = 0;
  while (guard.Count(Abuse::kPings, now)) ++count;
  EXPECT_EQ(count + 1, AbuseGuard::kAllowances[static_cast<size_t>(Abuse::kPings)].burst);
  EXPECT_FALSE(guard.Count(Abuse::kPings, now));
  now += std::chrono::seconds(2);
  for (int i = 0; i < 39; ++i) EXPECT_TRUE(guard.Count(Abuse::kPings, now)) << i;
  EXPECT_FALSE(guard.Count(Abuse::kPings, now));
}

TEST(AbuseGuardTest, WindowUpdatesForWhatWasSentAreFree) {
  AbuseGuard guard({});
  for (int i = 0; i < 100'000; ++i) {
    guard.CreditWindowUpdates();
    ASSERT_TRUE(guard.Count(Abuse::kWindowUpdates, {}));
    ASSERT_TRUE(guard.Count(Abuse::kWindowUpdates, {}));
  }
}

}  // namespace
}  // namespace headgate::http2::testing
