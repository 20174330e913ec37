#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/regex.h"
#include "dataplane/http/header_map.h"

namespace headgate::policy {

// Which requests of a route belong to its canary. proto/headgate/v1/headers.proto, Canary.
// Immutable.
struct CanaryRules {
  std::string header;  // empty: no rule by header
  std::string header_value;
  std::shared_ptr<const Regex> header_pattern;
  bool header_pattern_broken = false;
  std::string cookie;  // empty: no rule by cookie
  uint32_t weight = 0;
  uint32_t weight_total = 100;  // above 0
};

// By header, then by cookie, then by weight: the first rule that decides. `cookie`: the value of
// the rules' cookie, empty when the request has none. `random`: uniform in 64 bits.
bool BelongsToCanary(const CanaryRules& rules, const http::HeaderMap& fields,
                     std::string_view cookie, uint64_t random);

}  // namespace headgate::policy
