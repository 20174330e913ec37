#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace headgate::config {

// What session cookies of one cluster say, in the form of ingress-nginx. Immutable.
class SessionKeys {
 public:
  // `upstream`: the cluster's log name. `endpoints`: "address:port" in the cluster's order; empty
  // where cookies do not name endpoints.
  SessionKeys(std::string_view upstream, std::span<const std::string> endpoints);

  // The part of a cookie that tells this upstream from others: hex MD5 of (hex MD5 of its name) and
  // its name.
  std::string_view upstream_key() const { return upstream_key_; }
  // Of an endpoint, by its index: hex MD5 of the upstream's name and the endpoint.
  std::string_view endpoint_key(uint32_t index) const { return keys_[index]; }
  // The other way round.
  std::optional<uint32_t> FindEndpoint(std::string_view key) const;

 private:
  std::string upstream_key_;
  std::vector<std::string> keys_;
  std::vector<uint32_t> by_key_;  // indices in the order of keys
};

}  // namespace headgate::config
