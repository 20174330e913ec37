#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headgate::balance {

// CRC-32 as in Ethernet and zlib; `crc` is that of what goes before.
uint32_t Crc32(std::string_view bytes, uint32_t crc = 0);

// The consistent-hash ring of ingress-nginx, point for point, so that what is bound to an endpoint
// there stays bound here: a node has 160 points, each the CRC-32 of its name and of the previous
// point (four bytes, little endian, the first time zeros); a key belongs to the first point at or
// after its CRC-32. Immutable, and may be shared by threads. Depends on the set of names alone:
// when one leaves only its keys move, and they come back with it.
class HashRing {
 public:
  static constexpr uint32_t kPointsPerNode = 160;

  // Nodes are known by their index in `names`.
  explicit HashRing(std::span<const std::string> names);

  // Nodes in the order in which a key would fall to them, from its owner on, each as often as it
  // has points.
  class Walk {
   public:
    uint32_t node() const { return ring_->points_[at_].node; }
    void Next() { at_ = at_ + 1 == ring_->points_.size() ? 0 : at_ + 1; }

   private:
    friend class HashRing;
    Walk(const HashRing& ring, size_t at) : ring_(&ring), at_(at) {}
    const HashRing* ring_;
    size_t at_;
  };
  // REQUIRES: there are nodes.
  Walk Find(uint32_t hash) const;

  uint32_t node_count() const { return node_count_; }
  size_t point_count() const { return points_.size(); }

 private:
  struct Point {
    uint32_t hash;
    uint32_t node;
  };
  uint32_t node_count_ = 0;
  std::vector<Point> points_;  // by hash
};

}  // namespace headgate::balance
