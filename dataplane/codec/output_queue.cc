#include "dataplane/codec/output_queue.h"

#include <array>
#include <span>
#include <utility>

namespace headgate::codec {
namespace {

using Status = net::IoResult::Status;

iovec Piece(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

OutputQueue::Result OutputQueue::Flush(net::Transport& transport) {
  while (!empty()) {
    if (blocked_) return Result::kBlocked;
    if (WriteOnce(transport) == Result::kFailed) return Result::kFailed;
  }
  return Result::kDone;
}

OutputQueue::Result OutputQueue::WriteOnce(net::Transport& transport) {
  const bool piped = queued_.empty();
  const iovec piece = Piece(queued_.view());
  const net::IoResult result = piped ? transport.WritePipe(*pipe_) : transport.Write({&piece, 1});
  if (result.status == Status::kFailed || result.status == Status::kEof) {
    failure_ = result.failure;
    return Result::kFailed;
  }
  if (result.status == Status::kBlocked) {
    blocked_ = true;
    return Result::kBlocked;
  }
  written_ += result.bytes;
  if (!piped) {
    queued_.Consume(result.bytes);
    if (result.drained && !queued_.empty()) blocked_ = true;
  } else if (pipe_->size == 0) {
    pipe_.reset();
    queued_.Swap(behind_);
  }
  return Result::kDone;
}

OutputQueue::Result OutputQueue::Send(net::Transport& transport, std::string_view before,
                                      std::string_view piece, std::string_view after) {
  std::array<std::string_view, 4> parts = {queued_.view(), before, piece, after};
  const size_t held = parts[0].size();
  const bool large = piece.size() >= kLargePiece || held + piece.size() >= 4 * kLargePiece;
  if (large && !blocked_ && pipe_ == nullptr) {
    std::array<iovec, 4> vectors;
    size_t count = 0;
    for (std::string_view part : parts) {
      if (!part.empty()) vectors[count++] = Piece(part);
    }
    const net::IoResult result = transport.Write({vectors.data(), count});
    if (result.status == Status::kFailed || result.status == Status::kEof) {
      failure_ = result.failure;
      return Result::kFailed;
    }
    size_t taken = result.status == Status::kOk ? result.bytes : 0;
    written_ += taken;
    if (result.status == Status::kBlocked || result.drained) blocked_ = true;
    const size_t from_queue = taken < held ? taken : held;
    if (from_queue != 0) queued_.Consume(from_queue);
    taken -= from_queue;
    for (size_t i = 1; i < parts.size(); ++i) {
      const size_t skip = taken < parts[i].size() ? taken : parts[i].size();
      taken -= skip;
      queued_.Append(parts[i].substr(skip));
    }
    if (queued_.empty()) blocked_ = false;
  } else {
    Append(before);
    Append(piece);
    Append(after);
  }
  if (empty()) return Result::kDone;
  return Result::kBlocked;
}

OutputQueue::Result OutputQueue::SendPipe(net::Transport& transport, std::string_view before,
                                          base::PipePtr pipe, std::string_view after) {
  queued_.Append(before);
  pipe_ = std::move(pipe);
  behind_.Append(after);
  while (pipe_ != nullptr && !blocked_) {
    if (WriteOnce(transport) == Result::kFailed) return Result::kFailed;
  }
  return empty() ? Result::kDone : Result::kBlocked;
}

void OutputQueue::Clear() {
  queued_.Clear();
  pipe_.reset();
  behind_.Clear();
}

}  // namespace headgate::codec
