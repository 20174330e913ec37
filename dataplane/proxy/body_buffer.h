#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/base/byte_buffer.h"
#include "dataplane/proxy/spill_space.h"

namespace headgate::proxy {

// Bytes of one body that have come and not all gone on: the newest in memory, older ones in a file
// once memory was full. Read in order by a cursor.
//
// Part of a stage of an exchange, which uses it again for its next body. Takes memory and a file
// only while it holds something.
class BodyBuffer {
 public:
  static constexpr size_t kReadBlock = 64 * 1024;

  // What is read is dropped, or kept to be read again.
  enum class Keep : uint8_t { kUnread, kAll };

  explicit BodyBuffer(SpillSpace& space) : file_(space) {}

  // REQUIRES: empty, as after Clear. Bytes; a file limit of 0 means memory only.
  void Start(Keep keep, size_t memory_limit, uint64_t file_limit);

  // Always takes the piece; the sender should stop when full() is true afterwards, so memory goes
  // beyond its limit by one piece at most.
  void Append(std::string_view piece);
  bool full() const {
    return held_in_memory() >= memory_limit_ && (spill_refused_ || file_limit_ == 0);
  }

  uint64_t size() const { return end_; }  // appended since Start
  uint64_t unread() const { return end_ - cursor_; }
  bool spilled() const { return file_.size() != 0; }

  // The next unread bytes, `most` of them at most; valid until the next call that is not const.
  // Empty: all has been read, or the file cannot be (unread() tells).
  std::string_view Next(size_t most = kReadBlock);
  // Back to the first byte. REQUIRES: Keep::kAll.
  void Rewind();

  // Empty, without memory and file.
  void Clear();

 private:
  // What was read is dropped late, because views into it live until the next call.
  size_t held_in_memory() const {
    return keep_ == Keep::kAll ? memory_.size()
                               : static_cast<size_t>(std::min<uint64_t>(memory_.size(), unread()));
  }
  void DropRead();
  std::string_view NextFromFile(size_t most);

  Keep keep_ = Keep::kUnread;
  size_t memory_limit_ = 0;
  uint64_t file_limit_ = 0;
  bool spill_refused_ = false;

  // Offsets in the body: file [file_begin_, file_begin_ + file_.size()), then memory up to end_.
  uint64_t file_begin_ = 0;
  uint64_t cursor_ = 0;
  uint64_t end_ = 0;
  SpillFile file_;
  base::ByteBuffer memory_;
  base::ByteBuffer block_;  // of the file, while it is read
};

}  // namespace headgate::proxy
