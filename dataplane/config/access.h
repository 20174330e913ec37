#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/config/cluster_handle.h"
#include "dataplane/http/message.h"
#include "dataplane/policy/access.h"
#include "dataplane/policy/rate_limit.h"
#include "dataplane/policy/text_template.h"

// proto/headgate/v1/access.proto, in memory. Immutable.
namespace headgate::config {

struct FieldTemplate {
  std::string name;
  policy::TextTemplate value;  // empty for a request: the field is removed
};

// How long answers of one of these statuses are kept.
struct CachedStatus {
  std::vector<uint16_t> statuses;  // empty: all
  std::chrono::milliseconds duration{0};
};

struct ExternalAuth {
  ClusterHandle cluster;
  std::string host;
  policy::TextTemplate target;
  std::string method;  // empty: GET, and no fields that tell more of the request
  std::optional<policy::TextTemplate> signin;  // with the parameter that leads back
  std::vector<std::string> response_fields;
  std::vector<FieldTemplate> request_fields;
  std::optional<policy::TextTemplate> request_redirect;
  bool always_set_cookie = false;
  bool own_request_id =
      false;  // of requests that come without one the question has another than the endpoint's
  policy::TextTemplate cache_key;    // empty: answers are not kept
  std::vector<CachedStatus> cached;  // the first that fits counts

  // 0: not at all.
  std::chrono::milliseconds KeepTimeOf(uint16_t status) const {
    for (const CachedStatus& each : cached) {
      const auto& all = each.statuses;
      if (all.empty() || std::find(all.begin(), all.end(), status) != all.end())
        return each.duration;
    }
    return std::chrono::milliseconds(0);
  }
};

struct ResponseRate {
  uint64_t bytes_per_second = 0;  // never 0
  uint64_t after_bytes = 0;
};

// One object for all routes that ask for the same.
struct CompiledAccess {
  std::unique_ptr<const policy::RateLimits> limits;  // null, here and below: none
  policy::SourceRanges sources;
  std::unique_ptr<const policy::PasswordAuth> password;
  std::unique_ptr<const ExternalAuth> external;
  policy::Satisfy satisfy = policy::Satisfy::kAll;
  std::optional<ResponseRate> rate;  // of the response; absent: as fast as the client takes it
};

}  // namespace headgate::config
