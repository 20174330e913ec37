#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include "dataplane/base/pooled_memory.h"

namespace headgate::base {

// A growing queue of contiguous bytes: appended at the end, consumed at the front. Holds memory
// (pooled) only while it holds bytes. Views into it are valid until the next call that is not
// const.
class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() { Clear(); }

  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }
  std::string_view view() const { return {memory_ + begin_, size()}; }

  // Room for `size` more bytes; write there, then Commit what was written.
  char* Reserve(size_t size) {
    if (capacity_ - end_ < size) Grow(size);
    return memory_ + end_;
  }
  void Commit(size_t size) {
    end_ += size;
    if (empty()) Clear();
  }

  void Append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(Reserve(bytes.size()), bytes.data(), bytes.size());
    end_ += bytes.size();
  }

  // REQUIRES: size <= this->size().
  void Consume(size_t size) {
    begin_ += size;
    if (empty()) Clear();
  }

  void Swap(ByteBuffer& other) {
    std::swap(memory_, other.memory_);
    std::swap(begin_, other.begin_);
    std::swap(end_, other.end_);
    std::swap(capacity_, other.capacity_);
  }

  // Drops the bytes and gives the memory back.
  void Clear() {
    if (memory_ != nullptr) pooled_memory::Give(memory_, capacity_);
    memory_ = nullptr;
    begin_ = end_ = capacity_ = 0;
  }

 private:
  static constexpr size_t kMinCapacity = 4096;

  void Grow(size_t size) {
    const size_t held = this->size();
    if (held + size <= capacity_ && begin_ >= capacity_ / 2) {
      std::memmove(memory_, memory_ + begin_, held);
    } else {
      size_t capacity = capacity_ < kMinCapacity ? kMinCapacity : capacity_ * 2;
      if (capacity < held + size) capacity = held + size;
      capacity = pooled_memory::PooledSize(capacity);
      char* memory = static_cast<char*>(pooled_memory::Take(capacity));
      if (held != 0) std::memcpy(memory, memory_ + begin_, held);
      if (memory_ != nullptr) pooled_memory::Give(memory_, capacity_);
      memory_ = memory;
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = held;
  }

  char* memory_ = nullptr;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
};

}  // namespace headgate::base
