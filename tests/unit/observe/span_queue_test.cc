#include "dataplane/observe/span_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace headgate::observe {
namespace {

std::unique_ptr<Span> Named(std::string name) {
  auto span = std::make_unique<Span>();
  span->name = std::move(name);
  return span;
}

TEST(SpanQueueTest, SpansComeInOrder) {
  SpanQueue queue;
  queue.SetLimits(10, 10);
  for (int i = 0; i < 3; ++i) queue.Add(Named(std::to_string(i)));
  EXPECT_EQ(queue.waiting(), 3u);
  const auto spans = queue.Take();
  ASSERT_EQ(spans.size(), 3u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(spans[static_cast<size_t>(i)]->name, std::to_string(i));
  EXPECT_TRUE(queue.Take().empty());
  EXPECT_EQ(queue.waiting(), 0u);
}

TEST(SpanQueueTest, WhatIsTooManyIsDroppedAndCounted) {
  SpanQueue queue;
  queue.Add(Named("nobody takes any yet"));
  EXPECT_EQ(queue.dropped(), 1u);
  queue.SetLimits(2, 10);
  for (int i = 0; i < 5; ++i) queue.Add(Named("x"));
  EXPECT_EQ(queue.dropped(), 4u);
  EXPECT_EQ(queue.Take().size(), 2u);
  queue.Add(Named("y"));
  EXPECT_EQ(queue.Take().size(), 1u);
}

TEST(SpanQueueTest, ABatchOrAnInterruptEndsTheWait) {
  SpanQueue queue;
  queue.SetLimits(10, 2);
  queue.Add(Named("x"));
  queue.Add(Named("y"));
  queue.Wait(absl::Hours(1));
  EXPECT_EQ(queue.Take().size(), 2u);
  queue.Interrupt();
  queue.Wait(absl::Hours(1));
  std::thread other([&] { queue.Interrupt(); });
  queue.Wait(absl::Hours(1));
  other.join();
}

TEST(SpanQueueTest, ManyThreadsLoseNothing) {
  SpanQueue queue;
  queue.SetLimits(1'000'000, 64);
  constexpr int kThreads = 4;
  constexpr int kSpans = 5'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kSpans; ++i) queue.Add(Named("x"));
    });
  }
  size_t taken = 0;
  while (taken < size_t{kThreads} * kSpans) {
    queue.Wait(absl::Milliseconds(1));
    taken += queue.Take().size();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, size_t{kThreads} * kSpans);
  EXPECT_EQ(queue.waiting(), 0u);
  EXPECT_EQ(queue.dropped(), 0u);
}

}  // namespace
}  // namespace headgate::observe
