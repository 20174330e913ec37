#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace headgate::http2 {

// Finds the frame headers in a stream of bytes (RFC 9113 section 4.1) that comes in pieces of any
// size. A value.
class FrameWalker {
 public:
  static constexpr size_t kHeaderSize = 9;

  // `skip`: bytes before the first frame.
  explicit FrameWalker(size_t skip) : skip_(skip) {}

  struct Header {
    uint8_t type;
    int32_t stream_id;
  };

  // Calls `f(header, offset)` for each header that is complete with `bytes`: `offset` is where in
  // `bytes` the frame begins, 0 if it was before.
  template <typename F>
  void Walk(std::string_view bytes, F f) {
    size_t at = 0;
    while (at < bytes.size()) {
      if (skip_ > 0) {
        const size_t skipped = std::min(skip_, bytes.size() - at);
        skip_ -= skipped;
        at += skipped;
        continue;
      }
      const size_t size = std::min(kHeaderSize - held_, bytes.size() - at);
      std::copy_n(bytes.data() + at, size, header_.data() + held_);
      const size_t begin = held_ == 0 ? at : 0;
      held_ += size;
      at += size;
      if (held_ < kHeaderSize) return;
      held_ = 0;
      const auto byte = [this](size_t i) {
        return static_cast<uint32_t>(static_cast<uint8_t>(header_[i]));
      };
      skip_ = byte(0) << 16 | byte(1) << 8 | byte(2);
      const uint32_t id = (byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8)) & 0x7fffffff;
      f(Header{.type = static_cast<uint8_t>(byte(3)), .stream_id = static_cast<int32_t>(id)},
        begin);
    }
  }

 private:
  size_t skip_;
  std::array<char, kHeaderSize> header_{};
  size_t held_ = 0;
};

}  // namespace headgate::http2
