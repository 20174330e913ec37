#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/config/config_builder.h"
#include "dataplane/health/checker.h"
#include "dataplane/worker/worker_pool.h"
#include "proto/headgate/v1/snapshot.pb.h"
#include "tests/support/dataplane/peer.h"

namespace headgate::test {

// Real workers on loopback ports, configured with resources as a controller would send them. The
// test's thread plays the control thread.
class TestProxy {
 public:
  // `spill_limit`: bytes of bodies on disk, and `max_pipes`: see worker::PoolOptions. `access_log`
  // outlives this.
  explicit TestProxy(int workers = 1, uint64_t spill_limit = uint64_t{1} << 30,
                     files::StaticRoots static_roots = {},
                     size_t max_pipes = net::PipePool::kMaxPipes,
                     observe::AccessLogFile* access_log = nullptr);
  ~TestProxy();

  uint16_t http_port() const { return pool_->http_addresses()[0].port(); }
  uint16_t https_port() const { return pool_->https_addresses()[0].port(); }

  // Resources in protobuf text format: name and body, for example
  //   Apply({R"(name: "settings" settings { limits { max_request_body_bytes: 10 } })"})
  // Waits until every worker uses them. Returns what was refused.
  std::vector<config::Refusal> Apply(const std::vector<std::string>& resources,
                                     const std::vector<std::string>& removed = {});

  // A host whose every path leads to `upstreams`, plus `route` as further fields of the route (text
  // format).
  void Route(std::string_view host, const std::vector<base::Address>& upstreams,
             std::string_view route = "");

  // What a DNS name stands for from now on.
  void Resolve(std::string_view name, const std::vector<base::Address>& addresses);

  Peer Connect() { return Peer::Connect(http_port()); }
  // Sum over workers, once every worker has done what was under way.
  uint64_t Count(observe::CounterId id);
  // Waits until the counter has at least that value.
  bool WaitForCount(observe::CounterId id, uint64_t value);
  // Waits until no connection with an upstream is open.
  void WaitForClosedUpstreams();
  observe::RouteCounters RouteCount(std::string_view host);
  worker::WorkerPool& pool() { return *pool_; }
  // Of requests that are traced. Takes none without SetLimits.
  observe::SpanQueue& spans() { return spans_; }
  const config::ConfigBuilder& builder() const { return builder_; }
  // Number of configurations given back by the workers so far.
  size_t released_configs();

 private:
  // Returns the ports that could not be opened.
  std::vector<config::Refusal> Distribute(const config::ConfigUpdate& update);

  observe::SpanQueue spans_;
  config::ConfigBuilder builder_;
  std::mutex released_mutex_;
  std::vector<std::shared_ptr<const config::CompiledConfig>> released_;
  size_t released_count_ = 0;
  std::unique_ptr<worker::WorkerPool> pool_;
  health::Checker checker_;
};

// The text form of an Endpoints resource.
std::string EndpointsText(std::string_view name, const std::vector<base::Address>& addresses);

}  // namespace headgate::test
