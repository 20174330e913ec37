#include "dataplane/codec/output_queue.h"

#include <array>
#include <span>

namespace headgate::codec {
namespace {

using Status = net::IoResult::Status;

iovec Piece(std::string_view bytes) { return {const_cast<char*>(bytes.data()), bytes.size()}; }

}  // namespace

OutputQueue::Result OutputQueue::Flush(net::Transport& transport) {
  while (!queued_.empty()) {
    if (blocked_) return Result::kBlocked;
    const iovec piece = Piece(queued_.view());
    const net::IoResult result = transport.Write({&piece, 1});
    if (result.status == Status::kFailed || result.status == Status::kEof) {
      failure_ = result.failure;
      return Result::kFailed;
    }
    if (result.status == Status::kBlocked) {
      blocked_ = true;
      return Result::kBlocked;
    }
    written_ += result.bytes;
    queued_.Consume(result.bytes);
    if (result.drained && !queued_.empty()) blocked_ = true;
  }
  return Result::kDone;
}

OutputQueue::Result OutputQueue::Send(net::Transport& transport, std::string_view before,
                                      std::string_view piece, std::string_view after) {
  std::array<std::string_view, 4> parts = {queued_.view(), before, piece, after};
  const size_t held = parts[0].size();
  const bool large = piece.size() >= kLargePiece || held + piece.size() >= 4 * kLargePiece;
  if (large && !blocked_) {
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
    queued_.Append(before);
    queued_.Append(piece);
    queued_.Append(after);
  }
  if (queued_.empty()) return Result::kDone;
  return Result::kBlocked;
}

}  // namespace headgate::codec
