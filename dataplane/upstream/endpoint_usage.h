#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/config/upstream_limits.h"

namespace headgate::upstream {

// What one worker has in use of an endpoint with limits, within the counts that all workers share.
// Owned by the endpoint, beyond the cluster's end too: what is in use counts until it is given
// back.
class EndpointUsage {
 public:
  EndpointUsage(std::shared_ptr<config::ClusterUsage> cluster,
                std::shared_ptr<config::UsageCount> requests)
      : cluster_(std::move(cluster)), requests_(std::move(requests)) {}
  ~EndpointUsage() { Set(0, 0); }
  EndpointUsage(const EndpointUsage&) = delete;
  EndpointUsage& operator=(const EndpointUsage&) = delete;

  bool Is(const std::shared_ptr<config::ClusterUsage>& cluster,
          const std::shared_ptr<config::UsageCount>& requests) const {
    return cluster_ == cluster && requests_ == requests;
  }

  // Room for one more request, and for its connection if it `connects`; both or none.
  bool TryTake(const config::UpstreamLimits& limits, bool connects);
  // What is in use now, as far as it was not taken before or is no longer: connections are those
  // with requests.
  void Set(uint32_t requests, uint32_t connections);

  // By all workers.
  uint32_t requests() const { return requests_->value(); }

 private:
  const std::shared_ptr<config::ClusterUsage> cluster_;
  const std::shared_ptr<config::UsageCount> requests_;
  uint32_t my_requests_ = 0;
  uint32_t my_connections_ = 0;
};

}  // namespace headgate::upstream
