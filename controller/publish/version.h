#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace headgate::publish {

// The version of a snapshot follows from its content: the sum, modulo 2^128, of a digest of every
// (name, hash). A change costs what it changes, and two controllers, or one before and after a
// restart, give the same content the same version.
class ContentVersion {
 public:
  void Add(std::string_view name, uint64_t hash);
  void Remove(std::string_view name, uint64_t hash);

  // 32 hexadecimal digits.
  std::string ToString() const;

 private:
  std::array<uint64_t, 2> sum_{};  // low, high
};

}  // namespace headgate::publish
