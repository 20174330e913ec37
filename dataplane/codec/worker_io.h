#pragma once

#include <array>
#include <cstddef>
#include <ctime>
#include <memory>
#include <span>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/http/date.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/pipe.h"
#include "dataplane/observe/counters.h"

namespace headgate::codec {

// What all connections of one worker share, downstream and upstream. One per worker, used on its
// thread; outlives every connection.
class WorkerIo {
 public:
  // All outlive this; `blocks` also outlives `loop`, which frees retired connections last of all.
  WorkerIo(net::EventLoop& loop, base::BlockPool& blocks, observe::CounterShard& counters,
           size_t max_pipes = net::PipePool::kMaxPipes);
  WorkerIo(const WorkerIo&) = delete;
  WorkerIo& operator=(const WorkerIo&) = delete;

  net::EventLoop& loop() { return loop_; }
  base::BlockPool& blocks() { return blocks_; }
  observe::CounterShard& counters() { return counters_; }

  // Every read of the worker goes here; what is not used up at once is copied by the connection.
  // The contents are valid until the next read of any connection.
  std::span<char> read_buffer() { return {read_buffer_.get(), kReadBufferSize}; }

  // For bodies that need not pass through memory.
  net::PipePool& pipes() { return pipes_; }

  // The turn's time as a Date field value (RFC 9110 section 5.6.7), made once a second.
  std::string_view date();

  static constexpr size_t kReadBufferSize = 128 * 1024;

 private:
  net::EventLoop& loop_;
  base::BlockPool& blocks_;
  observe::CounterShard& counters_;
  std::unique_ptr<char[]> read_buffer_;
  net::PipePool pipes_;
  time_t date_second_ = -1;
  std::array<char, http::kDateSize> date_text_{};
};

}  // namespace headgate::codec
