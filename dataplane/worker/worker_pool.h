#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "dataplane/worker/tcp_services.h"
#include "dataplane/worker/worker.h"

namespace headgate::worker {

struct PoolOptions {
  // 0: one per core that this process may use, a cgroup's quota included.
  int workers = 0;
  // Port 0 lets the system choose, see http_addresses().
  std::vector<base::Address> http_listen;
  std::vector<base::Address> https_listen;
  // For the whole process. 0: what the descriptor limit allows.
  size_t max_connections = 0;
  // See WorkerOptions::max_pipes.
  size_t max_pipes = net::PipePool::kMaxPipes;
  // Not owned; null: no access log.
  observe::AccessLogFile* access_log = nullptr;
  // Not owned; null: nobody takes spans.
  observe::SpanQueue* spans = nullptr;
  // See WorkerOptions::route_details.
  bool route_details = false;
  // Ports, beside those above, that no TCP service gets.
  std::vector<uint16_t> reserved_ports;
  // Where bodies go that do not fit in memory, and how many bytes of them at most. 0: none.
  std::string spill_dir = "/tmp";
  uint64_t spill_limit = uint64_t{1} << 30;
  files::StaticRoots static_roots;
  // See WorkerOptions::release.
  std::function<void(std::shared_ptr<const config::CompiledConfig>)> release;
};

// All workers of the process. Thread: the owner's, except where said.
class WorkerPool {
 public:
  // Binds every address for every worker; the error names the address that could not be had.
  static absl::StatusOr<std::unique_ptr<WorkerPool>> Create(PoolOptions options);
  ~WorkerPool();

  void Start();
  // Drain will come: goes on accepting, but clients learn that their connections end
  // (Connections::AnnounceEnd).
  void AnnounceEnd();
  // Stops accepting, waits until every exchange has finished or `limit` has passed. True: nothing
  // had to be cut.
  bool Drain(std::chrono::milliseconds limit);
  // Cuts what is left and ends the threads. Nothing but the destructor may follow.
  void Stop();

  // One thread, the same for all updates. Returns the ports of TCP services that could not be
  // opened; they are tried again with each new configuration.
  std::vector<TcpServices::Problem> Apply(const config::ConfigUpdate& update);
  // What probes say of some clusters. As above.
  void ApplyHealth(const std::vector<config::HealthVerdict>& verdicts);

  // How many data planes share limits that are for all of them. Any thread.
  void SetDataPlanes(uint32_t count) { limits_.SetDataPlanes(count); }

  // Any thread.
  uint64_t Sum(observe::CounterId id) const;
  // TCP services and what was counted of them. Any thread.
  std::vector<TcpServices::Numbers> TcpNumbers() const { return tcp_services_->Read(); }
  // The routes of all workers in the order of their keys, so that those of one route are beside
  // each other. They live as long as the pool. Any thread.
  std::vector<const observe::RouteStats::Route*> Routes() const;
  // Runs `work` on each worker's thread, one after the other, and waits for it: a turn of the loop,
  // since workers never block. A worker that has stopped is left out. After Start; any thread but a
  // worker's.
  void OnEach(const std::function<void(Worker&)>& work) const;

  // Bytes of bodies on disk now. Any thread.
  uint64_t spilled_bytes() const { return spill_.used(); }
  size_t size() const { return workers_.size(); }
  const std::vector<base::Address>& http_addresses() const { return http_addresses_; }
  const std::vector<base::Address>& https_addresses() const { return https_addresses_; }

 private:
  WorkerPool(std::string spill_dir, uint64_t spill_limit, files::StaticRoots static_roots)
      : spill_(std::move(spill_dir), spill_limit),
        static_roots_(std::move(static_roots)),
        limits_(proxy::RequestIdSource().Random()),
        nonces_(absl::ToUnixSeconds(absl::Now())) {}  // lint: allow(wall-clock) nonces have it

  proxy::SpillSpace spill_;
  const files::StaticRoots static_roots_;
  proxy::LimitTable limits_;
  proxy::NonceTable nonces_;
  std::unique_ptr<TcpServices> tcp_services_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<base::Address> http_addresses_;
  std::vector<base::Address> https_addresses_;
  proxy::PasswordThread password_thread_;  // ends before the workers that it posts to
};

// Cores this process may keep busy: its affinity mask and its cgroup's CPU quota (v1 and v2), at
// least 1.
int UsableCores();

}  // namespace headgate::worker
