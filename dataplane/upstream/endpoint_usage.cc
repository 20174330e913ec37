#include "dataplane/upstream/endpoint_usage.h"

namespace headgate::upstream {
namespace {

// True: some were given back.
bool Move(config::UsageCount& count, uint32_t& mine, uint32_t now) {
  const bool less = now < mine;
  if (less) {
    count.Subtract(mine - now);
  } else if (now > mine) {
    count.Add(now - mine);
  }
  mine = now;
  return less;
}

}  // namespace

bool EndpointUsage::TryTake(const config::UpstreamLimits& limits, bool connects) {
  if (!requests_->TryTake(limits.max_requests_per_endpoint)) return false;
  if (connects && !cluster_->connections.TryTake(limits.max_connections)) {
    requests_->Subtract(1);
    return false;
  }
  ++my_requests_;
  if (connects) ++my_connections_;
  return true;
}

void EndpointUsage::Set(uint32_t requests, uint32_t connections) {
  const bool fewer_requests = Move(*requests_, my_requests_, requests);
  const bool fewer_connections = Move(cluster_->connections, my_connections_, connections);
  if (fewer_requests || fewer_connections) cluster_->TellOfRoom();
}

}  // namespace headgate::upstream
