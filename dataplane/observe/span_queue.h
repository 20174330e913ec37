#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "dataplane/observe/trace_context.h"

namespace headgate::observe {

// One request, as its trace has it. Names of attributes are those of OpenTelemetry's semantic
// conventions, and literals.
struct Span {
  TraceContext context;
  SpanId parent{};  // all zero: the trace begins here
  std::string trace_state;
  std::string name;
  int64_t start_ns = 0;  // since the epoch
  int64_t end_ns = 0;
  std::vector<std::pair<std::string_view, std::string>> texts;
  std::vector<std::pair<std::string_view, int64_t>> numbers;
  bool failed = false;
};

// Spans on their way from the workers to who exports them. Bounded: what comes while it is full is
// dropped and counted.
class SpanQueue {
 public:
  SpanQueue() = default;
  ~SpanQueue();
  SpanQueue(const SpanQueue&) = delete;
  SpanQueue& operator=(const SpanQueue&) = delete;

  // Any thread; without a lock. Wakes the reader when `wake_at` spans wait.
  void Add(std::unique_ptr<Span> span);

  // What follows: the reader's thread, but for Interrupt. Of 0 spans none is taken.
  void SetLimits(size_t most, size_t wake_at);
  // Returns after `wait`, or earlier when `wake_at` spans are there, or after an Interrupt.
  void Wait(absl::Duration wait);
  // All there are, in the order in which they came.
  std::vector<std::unique_ptr<Span>> Take();

  // Any thread: ends a Wait, or the next one.
  void Interrupt();

  // Any thread.
  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }
  size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  struct Node {
    std::unique_ptr<Span> span;
    Node* next;
  };

  std::atomic<Node*> newest_{nullptr};
  std::atomic<size_t> waiting_{0};
  std::atomic<size_t> most_{0};
  std::atomic<size_t> wake_at_{1};
  std::atomic<uint64_t> dropped_{0};

  std::mutex mutex_;
  std::condition_variable wake_;
  bool interrupted_ = false;  // guarded by mutex_
};

}  // namespace headgate::observe
