#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/secret_bytes.h"
#include "common/strings.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// The SecretData resources, as whoever refers to one reads them. Control thread only.
class SecretIndex {
 public:
  using Data =
      std::unordered_map<std::string, SecretBytes, TransparentStringHash, TransparentStringEqual>;

  void Set(std::string_view name, const v1::SecretData& secret);
  void Remove(std::string_view name);

  // All of a secret; null when it is not there. Valid until the next change.
  const Data* Find(std::string_view name) const;
  // The value under a key of a secret; null when either is not there. Valid until the next change.
  const SecretBytes* Find(std::string_view name, std::string_view key) const;

  size_t size() const { return secrets_.size(); }
  // Counts up with each change, so that who has read secrets knows when to read again.
  uint64_t version() const { return version_; }

 private:
  std::unordered_map<std::string, Data, TransparentStringHash, TransparentStringEqual> secrets_;
  uint64_t version_ = 0;
};

}  // namespace headgate::config
