#include "dataplane/proxy/body_buffer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace headgate::proxy {
namespace {

using Keep = BodyBuffer::Keep;

constexpr size_t kMemory = 4096;
constexpr uint64_t kFile = 1 << 20;

// `size` bytes that tell where in the body they are.
std::string Text(size_t size, size_t offset = 0) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>((offset + i) * 131 / 7);
  return text;
}

std::string ReadAll(BodyBuffer& buffer) {
  std::string all;
  while (buffer.unread() > 0) {
    const std::string_view piece = buffer.Next();
    if (piece.empty()) break;
    all += piece;
  }
  return all;
}

class BodyBufferTest : public testing::Test {
 protected:
  SpillSpace space{testing::TempDir(), kFile};
  BodyBuffer buffer{space};
};

TEST_F(BodyBufferTest, StaysInMemoryUpToItsLimit) {
  buffer.Start(Keep::kAll, kMemory, kFile);
  buffer.Append(Text(kMemory));
  EXPECT_FALSE(buffer.spilled());
  EXPECT_FALSE(buffer.full());
  EXPECT_EQ(space.used(), 0u);
  EXPECT_EQ(ReadAll(buffer), Text(kMemory));
}

TEST_F(BodyBufferTest, IsReadAgainFromFileAndMemory) {
  buffer.Start(Keep::kAll, kMemory, kFile);
  const std::string body = Text(200'000);
  for (size_t at = 0; at < body.size(); at += 3000)
    buffer.Append(std::string_view(body).substr(at, 3000));
  EXPECT_TRUE(buffer.spilled());
  EXPECT_GT(space.used(), 190'000u);
  EXPECT_EQ(buffer.size(), body.size());
  EXPECT_EQ(ReadAll(buffer), body);
  EXPECT_TRUE(buffer.Next().empty());
  buffer.Rewind();
  EXPECT_EQ(buffer.unread(), body.size());
  EXPECT_EQ(ReadAll(buffer), body);
}

TEST_F(BodyBufferTest, GivesItsRoomBack) {
  buffer.Start(Keep::kAll, kMemory, kFile);
  buffer.Append(Text(100'000));
  EXPECT_EQ(space.used(), 100'000u);
  buffer.Clear();
  EXPECT_EQ(space.used(), 0u);
  EXPECT_EQ(buffer.size(), 0u);
}

TEST_F(BodyBufferTest, ReadsInOrderWhileItGrows) {
  std::mt19937 random(7);
  buffer.Start(Keep::kUnread, kMemory, kFile);
  std::string written;
  std::string read;
  for (int step = 0; step < 2000; ++step) {
    if (random() % 3 != 0 && !buffer.full()) {
      const std::string piece = Text(random() % 9000, written.size());
      written += piece;
      buffer.Append(piece);
    } else {
      read += buffer.Next();
    }
    ASSERT_EQ(buffer.unread(), written.size() - read.size());
    ASSERT_LE(space.used(), kFile);
  }
  read += ReadAll(buffer);
  EXPECT_TRUE(read == written);
  // What has been read holds nothing.
  EXPECT_TRUE(buffer.Next().empty());
  EXPECT_EQ(space.used(), 0u);
}

TEST_F(BodyBufferTest, IsFullWhenTheFileIs) {
  buffer.Start(Keep::kUnread, kMemory, 10'000);
  buffer.Append(Text(8000));
  EXPECT_FALSE(buffer.full());
  buffer.Append(Text(8000, 8000));
  EXPECT_TRUE(buffer.full());
  EXPECT_EQ(ReadAll(buffer), Text(16'000));
  EXPECT_TRUE(buffer.Next().empty());
  EXPECT_FALSE(buffer.full());
}

TEST_F(BodyBufferTest, MemoryOnlyIsFullAtItsLimit) {
  buffer.Start(Keep::kUnread, kMemory, 0);
  buffer.Append(Text(kMemory - 1));
  EXPECT_FALSE(buffer.full());
  buffer.Append("x");
  EXPECT_TRUE(buffer.full());
  EXPECT_FALSE(buffer.spilled());
  buffer.Next();
  EXPECT_FALSE(buffer.full());
}

TEST_F(BodyBufferTest, ReadsNoMoreThanAskedFor) {
  buffer.Start(Keep::kUnread, kMemory, kFile);
  const std::string body = Text(10'000);
  buffer.Append(body.substr(0, 9000));
  buffer.Append(body.substr(9000));
  EXPECT_EQ(buffer.Next(10), body.substr(0, 10));
  EXPECT_EQ(buffer.Next(8985), body.substr(10, 8985));
  EXPECT_EQ(buffer.Next(10), body.substr(8995, 5));
  EXPECT_EQ(buffer.Next(10), body.substr(9000, 10));
  EXPECT_EQ(buffer.unread(), 990u);
}

TEST_F(BodyBufferTest, SharesTheRoomOfTheProcess) {
  buffer.Start(Keep::kAll, kMemory, uint64_t{1} << 40);
  buffer.Append(Text(kFile - 1000));
  EXPECT_FALSE(buffer.full());
  BodyBuffer second(space);
  second.Start(Keep::kAll, kMemory, uint64_t{1} << 40);
  second.Append(Text(5000));
  EXPECT_TRUE(second.full());
  EXPECT_EQ(ReadAll(second), Text(5000));
  buffer.Clear();
  second.Clear();
  second.Append(Text(5000));
  EXPECT_FALSE(second.full());
}

TEST(BodyBufferWithoutDirectoryTest, KeepsWhatItHas) {
  SpillSpace nowhere("/nonexistent/directory", kFile);
  BodyBuffer buffer(nowhere);
  buffer.Start(Keep::kAll, kMemory, kFile);
  buffer.Append(Text(5000));
  EXPECT_TRUE(buffer.full());
  EXPECT_EQ(nowhere.used(), 0u);
  EXPECT_EQ(ReadAll(buffer), Text(5000));
}

}  // namespace
}  // namespace headgate::proxy
