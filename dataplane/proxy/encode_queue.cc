#include "dataplane/proxy/encode_queue.h"

#include <utility>

namespace headgate::proxy {

EncodeQueue::EncodeQueue(net::EventLoop& loop) : loop_(loop), scratch_(new char[kScratch]) {}

EncodeQueue::~EncodeQueue() = default;

std::unique_ptr<encoding::Encoder> EncodeQueue::Take(encoding::Coding coding, int level) {
  const size_t memory = encoding::EncoderMemory(coding, level);
  if (memory_ + memory > kMaxMemory) return nullptr;
  auto& idle = idle_[static_cast<size_t>(coding)];
  std::unique_ptr<encoding::Encoder> encoder;
  if (idle.empty()) {
    encoder = encoding::MakeEncoder(coding);
  } else {
    encoder = std::move(idle.back());
    idle.pop_back();
  }
  if (!encoder->Start(level)) return nullptr;
  memory_ += memory;
  return encoder;
}

void EncodeQueue::Give(std::unique_ptr<encoding::Encoder> encoder, int level) {
  memory_ -= encoding::EncoderMemory(encoder->coding(), level);
  encoder->Stop();
  auto& idle = idle_[static_cast<size_t>(encoder->coding())];
  if (idle.size() < kMaxIdle) idle.push_back(std::move(encoder));
}

void EncodeQueue::Add(EncodeJob& job) {
  if (!job.linked()) jobs_.PushBack(job);
  if (!next_turn_.linked()) loop_.Schedule(run_);
}

void EncodeQueue::Run() {
  const net::TimePoint end = net::Clock::now() + kTurn;
  while (!jobs_.empty()) {
    EncodeJob& job = jobs_.front();
    job.Unlink();
    if (job.EncodeSlice() && !job.linked()) jobs_.PushBack(job);
    if (net::Clock::now() >= end) break;
  }
  // By way of a flush task, so that I/O comes between.
  if (!jobs_.empty()) loop_.ScheduleFlush(next_turn_);
}

void EncodeQueue::RunNextTurn() { loop_.Schedule(run_); }

}  // namespace headgate::proxy
