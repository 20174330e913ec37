#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace headgate::files {

struct ByteRange {
  uint64_t first = 0;
  uint64_t size = 0;  // never 0 in a result
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

// What a Range field asks for, against a representation of a certain size.
struct ByteRanges {
  // More than these are not worth their framing, and are how a small request asks for a large
  // answer.
  static constexpr size_t kMost = 16;

  enum class Kind : uint8_t {
    kIgnore,  // all of it: no byte ranges, malformed, too many, or more bytes in sum than there are
    kRanges,  // `count` ranges, in the order asked for
    kUnsatisfiable,  // well-formed, and none of them within the representation: 416
  };
  Kind kind = Kind::kIgnore;
  std::array<ByteRange, kMost> ranges;
  size_t count = 0;
};

// RFC 9110 section 14.1.2. A field that cannot be understood is to be ignored (section 14.2).
ByteRanges ParseByteRanges(std::string_view field, uint64_t size);

}  // namespace headgate::files
