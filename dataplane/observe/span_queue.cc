#include "dataplane/observe/span_queue.h"

#include <algorithm>
#include <chrono>

namespace headgate::observe {

SpanQueue::~SpanQueue() { Take(); }

void SpanQueue::Add(std::unique_ptr<Span> span) {
  // Counted before it is there: the reader never sees more than are counted.
  const size_t waiting = waiting_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (waiting > most_.load(std::memory_order_relaxed)) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  Node* const node = new Node{std::move(span), newest_.load(std::memory_order_relaxed)};
  while (!newest_.compare_exchange_weak(node->next, node, std::memory_order_release,
                                        std::memory_order_relaxed)) {
  }
  // A wake-up that comes between the reader's look and its sleep is lost, and the span waits for
  // the next.
  if (waiting == wake_at_.load(std::memory_order_relaxed)) wake_.notify_one();
}

void SpanQueue::SetLimits(size_t most, size_t wake_at) {
  most_.store(most, std::memory_order_relaxed);
  wake_at_.store(std::max<size_t>(1, wake_at), std::memory_order_relaxed);
}

void SpanQueue::Wait(absl::Duration wait) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, absl::ToChronoMilliseconds(wait), [this] {
    return interrupted_ || waiting() >= wake_at_.load(std::memory_order_relaxed);
  });
  interrupted_ = false;
}

std::vector<std::unique_ptr<Span>> SpanQueue::Take() {
  std::vector<std::unique_ptr<Span>> spans;
  Node* node = newest_.exchange(nullptr, std::memory_order_acquire);
  while (node != nullptr) {
    spans.push_back(std::move(node->span));
    delete std::exchange(node, node->next);
  }
  waiting_.fetch_sub(spans.size(), std::memory_order_relaxed);
  std::reverse(spans.begin(), spans.end());
  return spans;
}

void SpanQueue::Interrupt() {
  {
    std::lock_guard lock(mutex_);
    interrupted_ = true;
  }
  wake_.notify_one();
}

}  // namespace headgate::observe
