#include "dataplane/health/grpc_health.h"

#include <cstdint>
#include <optional>

namespace headgate::health {
namespace {

constexpr size_t kFrameHead = 5;
constexpr uint64_t kStatusField = 1;
constexpr uint64_t kServing = 1;

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return std::nullopt;
}

// Skips a field's value; false: malformed, or of a wire type that nobody uses any more.
bool SkipValue(std::string_view& bytes, uint64_t wire_type) {
  uint64_t size = 0;
  switch (wire_type) {
    case 0: return TakeVarint(bytes).has_value();
    case 1: size = 8; break;
    case 2: {
      const auto length = TakeVarint(bytes);
      if (!length) return false;
      size = *length;
      break;
    }
    case 5: size = 4; break;
    default: return false;
  }
  if (size > bytes.size()) return false;
  bytes.remove_prefix(static_cast<size_t>(size));
  return true;
}

}  // namespace

bool IsServing(std::string_view framed) {
  if (framed.size() < kFrameHead || framed[0] != 0) return false;
  uint64_t length = 0;
  for (size_t i = 1; i < kFrameHead; ++i) length = length << 8 | static_cast<uint8_t>(framed[i]);
  std::string_view message = framed.substr(kFrameHead);
  if (message.size() != length) return false;
  uint64_t status = 0;
  while (!message.empty()) {
    const auto tag = TakeVarint(message);
    if (!tag) return false;
    if (*tag == (kStatusField << 3)) {
      const auto value = TakeVarint(message);
      if (!value) return false;
      status = *value;  // the last one counts
    } else if (!SkipValue(message, *tag & 7)) {
      return false;
    }
  }
  return status == kServing;
}

}  // namespace headgate::health
