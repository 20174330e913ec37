#include "dataplane/balance/hash_ring.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace headgate::balance {
uint32_t Crc32(std::string_view bytes, uint32_t crc) {
  return static_cast<uint32_t>(
      crc32_z(crc, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

HashRing::HashRing(std::span<const std::string> names)
    : node_count_(static_cast<uint32_t>(names.size())) {
  points_.reserve(names.size() * kPointsPerNode);
  for (uint32_t node = 0; node < names.size(); ++node) {
    const uint32_t base = Crc32(names[node]);
    uint32_t point = 0;
    for (uint32_t i = 0; i < kPointsPerNode; ++i) {
      const std::array<char, 4> previous = {
          static_cast<char>(point & 0xff), static_cast<char>(point >> 8 & 0xff),
          static_cast<char>(point >> 16 & 0xff), static_cast<char>(point >> 24 & 0xff)};
      point = Crc32({previous.data(), previous.size()}, base);
      points_.push_back({point, node});
    }
  }
  // Of two nodes with the same point the one that comes first in the list owns it.
  std::stable_sort(points_.begin(), points_.end(),
                   [](const Point& a, const Point& b) { return a.hash < b.hash; });
}

HashRing::Walk HashRing::Find(uint32_t hash) const {
  const auto at =
      std::lower_bound(points_.begin(), points_.end(), hash,
                       [](const Point& point, uint32_t wanted) { return point.hash < wanted; });
  return {*this, at == points_.end() ? 0 : static_cast<size_t>(at - points_.begin())};
}

}  // namespace headgate::balance
