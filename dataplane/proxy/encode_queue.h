#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/base/intrusive_list.h"
#include "dataplane/encoding/encoder.h"
#include "dataplane/net/event_loop.h"

namespace headgate::proxy {

// A body that has something to encode. A member of its owner; in at most one queue.
class EncodeJob : public base::ListNode {
 public:
  // Does a little, no more than kSlice bytes of it. True: there is more, which can be done now.
  virtual bool EncodeSlice() = 0;

  static constexpr size_t kSlice = 16 * 1024;

 protected:
  ~EncodeJob() = default;
};

// The encoders of one worker, and whose turn it is: encoding is the one thing on a worker that
// takes long, so all bodies take turns, slice by slice, and none of them keeps the loop for more
// than a few milliseconds.
//
// Work runs after the I/O of a turn, so what several pieces of one turn brought is encoded and
// flushed together. One per worker, used on its thread; outlives every exchange.
class EncodeQueue {
 public:
  explicit EncodeQueue(net::EventLoop& loop);
  ~EncodeQueue();
  EncodeQueue(const EncodeQueue&) = delete;
  EncodeQueue& operator=(const EncodeQueue&) = delete;

  // An encoder that has been started; null when all that are in use hold kMaxMemory: the response
  // is sent as it is.
  std::unique_ptr<encoding::Encoder> Take(encoding::Coding coding, int level);
  // `level` as given to Take.
  void Give(std::unique_ptr<encoding::Encoder> encoder, int level);

  // Runs the job in this turn or a later one. Unlink() takes it out.
  void Add(EncodeJob& job);

  // Room for output; valid within one EncodeSlice.
  std::span<char> scratch() { return {scratch_.get(), kScratch}; }

  static constexpr size_t kMaxMemory = 64 * 1024 * 1024;

 private:
  static constexpr std::chrono::microseconds kTurn{2000};
  static constexpr size_t kScratch = 32 * 1024;
  static constexpr size_t kMaxIdle = 16;  // of each coding

  void Run();
  void RunNextTurn();

  net::EventLoop& loop_;
  net::MemberTask<EncodeQueue, &EncodeQueue::Run> run_{*this};
  net::MemberTask<EncodeQueue, &EncodeQueue::RunNextTurn> next_turn_{*this};
  base::IntrusiveList<EncodeJob> jobs_;
  std::array<std::vector<std::unique_ptr<encoding::Encoder>>, encoding::kCodings> idle_;
  size_t memory_ = 0;  // of those in use
  const std::unique_ptr<char[]> scratch_;
};

}  // namespace headgate::proxy
