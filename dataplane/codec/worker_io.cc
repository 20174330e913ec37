#include "dataplane/codec/worker_io.h"

namespace headgate::codec {

WorkerIo::WorkerIo(net::EventLoop& loop, base::BlockPool& blocks, observe::CounterShard& counters,
                   size_t max_pipes)
    : loop_(loop),
      blocks_(blocks),
      counters_(counters),
      read_buffer_(std::make_unique_for_overwrite<char[]>(kReadBufferSize)),
      pipes_(max_pipes) {}

std::string_view WorkerIo::date() {
  const time_t second = loop_.wall_now().tv_sec;
  if (second != date_second_) {
    date_second_ = second;
    http::WriteDate(second, date_text_.data());
  }
  return {date_text_.data(), date_text_.size()};
}

}  // namespace headgate::codec
