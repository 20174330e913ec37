#include "dataplane/worker/worker_pool.h"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <future>
#include <mutex>
#include <utility>

namespace headgate::worker {
namespace {

// A proxied connection takes two descriptors; some are needed for everything else.
size_t ConnectionsWithinDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1000;
  // Use all that we may.
  rlimit raised = limit;
  raised.rlim_cur = raised.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  const auto descriptors = static_cast<size_t>(std::min<rlim_t>(limit.rlim_cur, 1 << 22));
  return descriptors > 512 ? (descriptors - 256) / 2 : 128;
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerPool>> WorkerPool::Create(PoolOptions options) {
  auto pool = std::unique_ptr<WorkerPool>(
      new WorkerPool(options.spill_dir, options.spill_limit, std::move(options.static_roots)));
  const int count = options.workers > 0 ? options.workers : UsableCores();
  const size_t connections =
      options.max_connections > 0 ? options.max_connections : ConnectionsWithinDescriptorLimit();
  pool->http_addresses_ = options.http_listen;
  pool->https_addresses_ = options.https_listen;
  const auto ticket_keys = tls::TicketKeys::Random();

  for (int index = 0; index < count; ++index) {
    WorkerOptions worker;
    worker.index = index;
    worker.max_connections = std::max<size_t>(1, connections / static_cast<size_t>(count));
    worker.max_pipes = options.max_pipes;
    worker.access_log = options.access_log;
    worker.spans = options.spans;
    worker.route_details = options.route_details;
    worker.spill = &pool->spill_;
    worker.static_roots = &pool->static_roots_;
    worker.limits = &pool->limits_;
    worker.nonces = &pool->nonces_;
    worker.password_thread = &pool->password_thread_;
    worker.release = options.release;
    const auto bind_all = [](std::vector<base::Address>& addresses,
                             std::vector<net::Fd>& sockets) -> absl::Status {
      for (base::Address& address : addresses) {
        auto socket = net::BindTcp(address);
        if (!socket.ok()) return socket.status();
        // The first worker's choice of port is everybody's.
        if (address.port() == 0) address = *net::LocalAddress(socket->get());
        sockets.push_back(*std::move(socket));
      }
      return absl::OkStatus();
    };
    if (auto bound = bind_all(pool->http_addresses_, worker.http_sockets); !bound.ok())
      return bound;
    if (auto bound = bind_all(pool->https_addresses_, worker.https_sockets); !bound.ok())
      return bound;
    pool->workers_.push_back(std::make_unique<Worker>(std::move(worker), ticket_keys));
  }
  std::vector<base::Address> addresses = pool->http_addresses_;
  addresses.insert(addresses.end(), pool->https_addresses_.begin(), pool->https_addresses_.end());
  pool->tcp_services_ = std::make_unique<TcpServices>(pool->workers_.size(), addresses,
                                                      std::move(options.reserved_ports));
  return pool;
}

WorkerPool::~WorkerPool() { Stop(); }

void WorkerPool::Start() {
  for (auto& worker : workers_) worker->Start();
}

void WorkerPool::AnnounceEnd() {
  for (auto& worker : workers_) worker->AnnounceEnd();
}

bool WorkerPool::Drain(std::chrono::milliseconds limit) {
  struct Progress {
    std::mutex mutex;
    std::condition_variable changed;
    size_t left;
  };
  // Shared: a worker may report after we have given up.
  auto progress = std::make_shared<Progress>();
  progress->left = workers_.size();
  for (auto& worker : workers_) {
    worker->Drain([progress] {
      std::lock_guard lock(progress->mutex);
      --progress->left;
      progress->changed.notify_one();
    });
  }
  std::unique_lock lock(progress->mutex);
  return progress->changed.wait_for(lock, limit, [&] { return progress->left == 0; });
}

void WorkerPool::Stop() {
  for (auto& worker : workers_) worker->Stop();
}

std::vector<TcpServices::Problem> WorkerPool::Apply(const config::ConfigUpdate& update) {
  TcpServices::Change tcp;
  if (update.config != nullptr) tcp = tcp_services_->Update(*update.config->tcp_services);
  for (size_t i = 0; i < workers_.size(); ++i) {
    for (const uint16_t port : tcp.closed) workers_[i]->CloseTcp(port);
    workers_[i]->Apply(update);
    // After the configuration that says what becomes of their connections.
    for (TcpServices::Opened& opened : tcp.opened) {
      workers_[i]->OpenTcp(opened.port, std::move(opened.sockets[i]), opened.counters[i]);
    }
  }
  return std::move(tcp.problems);
}

void WorkerPool::ApplyHealth(const std::vector<config::HealthVerdict>& verdicts) {
  for (auto& worker : workers_) worker->ApplyHealth(verdicts);
}

uint64_t WorkerPool::Sum(observe::CounterId id) const {
  uint64_t sum = 0;
  for (const auto& worker : workers_) sum += worker->counters()[id].value();
  return sum;
}

void WorkerPool::OnEach(const std::function<void(Worker&)>& work) const {
  for (const auto& worker : workers_) {
    // The promise goes with the work: where that is dropped unrun, the wait ends too.
    std::promise<void> done;
    const std::future<void> over = done.get_future();
    worker->Post([&work, &worker, done = std::move(done)]() mutable {
      work(*worker);
      done.set_value();
    });
    over.wait();
  }
}

std::vector<const observe::RouteStats::Route*> WorkerPool::Routes() const {
  std::vector<const observe::RouteStats::Route*> routes;
  for (const auto& worker : workers_) {
    worker->route_stats().ForEach(
        [&](const observe::RouteStats::Route& route) { routes.push_back(&route); });
  }
  std::sort(routes.begin(), routes.end(),
            [](const auto* a, const auto* b) { return a->key() < b->key(); });
  return routes;
}

}  // namespace headgate::worker
