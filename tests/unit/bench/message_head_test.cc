#include "bench/compare/load/message_head.h"

#include <gtest/gtest.h>

namespace headgate::bench {
namespace {

TEST(MessageHeadTest, IsIncompleteUntilTheEmptyLine) {
  const std::string_view text = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
  const size_t size = text.size() - 3;
  for (size_t i = 0; i < size; ++i) EXPECT_EQ(ParseHead(text.substr(0, i)).size, 0u) << i;
  EXPECT_EQ(ParseHead(text).size, size);
}

TEST(MessageHeadTest, ReadsWhatThePeersMaySpellDifferently) {
  const MessageHead head = ParseHead(
      "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length:  1024 \r\nconnection: Close\r\n\r\n");
  EXPECT_EQ(head.first_line, "HTTP/1.1 200 OK");
  EXPECT_EQ(head.content_length, 1024);
  EXPECT_TRUE(head.close);
  EXPECT_FALSE(head.chunked);
}

TEST(MessageHeadTest, TellsChunkedAndMissingLength) {
  const MessageHead head = ParseHead("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(head.chunked);
  EXPECT_EQ(head.content_length, -1);
}

}  // namespace
}  // namespace headgate::bench
