#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/base/byte_buffer.h"
#include "dataplane/base/failure.h"
#include "dataplane/base/pipe.h"
#include "dataplane/net/transport.h"

namespace headgate::codec {

// Bytes on their way to a transport. Small ones gather until Flush (the end of the loop turn);
// large ones go out at once together with what is queued, and only what the kernel did not take is
// copied. One pipe may be among them.
class OutputQueue {
 public:
  // From this size on a piece is worth a system call of its own.
  static constexpr size_t kLargePiece = 16 * 1024;

  enum class Result : uint8_t {
    kDone,     // nothing left
    kBlocked,  // some left; try again at the next writable edge
    kFailed,   // see failure()
  };

  bool empty() const { return queued_.empty() && pipe_ == nullptr; }
  size_t size() const {
    return pipe_ == nullptr ? queued_.size() : queued_.size() + pipe_->size + behind_.size();
  }
  // Holds a pipe that is not empty.
  bool has_pipe() const { return pipe_ != nullptr; }
  // True between a write that took less than all and Unblock.
  bool blocked() const { return blocked_; }
  void Unblock() { blocked_ = false; }
  base::Failure::Kind failure() const { return failure_; }
  // Bytes handed to the transport since the start.
  uint64_t written() const { return written_; }

  // Room for text that is written in place.
  char* Reserve(size_t size) { return last().Reserve(size); }
  void Commit(size_t size) { last().Commit(size); }
  void Append(std::string_view bytes) { last().Append(bytes); }

  // Writes what is queued, unless blocked.
  Result Flush(net::Transport& transport);
  // Appends before + piece + after, writing at once if it is large and the transport is not known
  // to be blocked.
  Result Send(net::Transport& transport, std::string_view before, std::string_view piece,
              std::string_view after);
  // The same for what `pipe` holds, which is not empty. REQUIRES: !has_pipe().
  Result SendPipe(net::Transport& transport, std::string_view before, base::PipePtr pipe,
                  std::string_view after);
  // Drops what is queued and gives its memory back.
  void Clear();

 private:
  base::ByteBuffer& last() { return pipe_ == nullptr ? queued_ : behind_; }
  Result WriteOnce(net::Transport& transport);

  base::ByteBuffer queued_;
  base::PipePtr pipe_;
  base::ByteBuffer behind_;  // what comes after the pipe
  uint64_t written_ = 0;
  bool blocked_ = false;
  base::Failure::Kind failure_ = base::Failure::Kind::kNone;
};

}  // namespace headgate::codec
