#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "dataplane/base/arena.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/downstream/connections.h"
#include "dataplane/files/file_server.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/listener.h"
#include "dataplane/observe/access_log.h"
#include "dataplane/observe/counters.h"
#include "dataplane/observe/route_stats.h"
#include "dataplane/proxy/config_pin.h"
#include "dataplane/proxy/encode_queue.h"
#include "dataplane/proxy/exchange.h"
#include "dataplane/proxy/request_id.h"
#include "dataplane/proxy/spill_space.h"
#include "dataplane/tls/server_context.h"
#include "dataplane/upstream/cluster_set.h"
#include "dataplane/worker/tcp_ports.h"

namespace headgate::worker {

struct WorkerOptions {
  int index = 0;  // for names and seeds
  // Bound, not yet listening; the worker listens when it has a configuration.
  std::vector<net::Fd> http_sockets;
  std::vector<net::Fd> https_sockets;
  // Client connections beyond this are closed at once: better a few refused than everybody starved
  // of descriptors.
  size_t max_connections = 10'000;
  // Bodies that may be on their way through the kernel at once; see net/pipe.h.
  size_t max_pipes = net::PipePool::kMaxPipes;
  // Null: no access log.
  observe::AccessLogFile* access_log = nullptr;
  // Null: nobody takes spans. Outlives the worker.
  observe::SpanQueue* spans = nullptr;
  // Whether observe::RouteDetails are kept.
  bool route_details = false;
  // Outlives the worker.
  proxy::SpillSpace* spill = nullptr;
  // Never null; outlive the worker, but for the thread, which is stopped before.
  proxy::LimitTable* limits = nullptr;
  proxy::NonceTable* nonces = nullptr;
  proxy::PasswordThread* password_thread = nullptr;
  // Never null; outlives the worker.
  const files::StaticRoots* static_roots = nullptr;
  // Takes configurations that no request of this worker uses any more, to be freed elsewhere.
  // Called on the worker's thread.
  std::function<void(std::shared_ptr<const config::CompiledConfig>)> release;
};

// One thread with its loop, its listeners, its connections and its hold on the configuration.
// Workers share nothing that changes.
//
// Thread: constructed, started, stopped and destroyed by the owner; everything else says so.
class Worker final : private net::AcceptHandler,
                     private TcpPorts::Owner,
                     private http::ServerHandler,
                     private proxy::ExchangeServices,
                     private net::TimerHandler,
                     private tls::HandshakePolicies,
                     private downstream::PassthroughServices {
 public:
  // `ticket_keys`: until a configuration brings others.
  Worker(WorkerOptions options, std::shared_ptr<const tls::TicketKeys> ticket_keys);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void Start();
  // Drain will come: connections of HTTP/1 end after the request under way or the next one; new
  // ones are taken. Any thread.
  void AnnounceEnd();
  // Stops accepting, lets every exchange finish and closes each connection after it. `drained` is
  // called on the worker's thread when no connection is left. Any thread.
  void Drain(std::function<void()> drained);
  // Closes what is left and ends the thread; returns when it has ended.
  void Stop();

  // Takes effect as a whole between two turns of the loop. Updates must come in order. Any thread.
  void Apply(config::ConfigUpdate update);
  // A port of TCP services; what a connection of it finds is the configuration's to say. See
  // TcpPorts. Any thread.
  void OpenTcp(uint16_t port, std::vector<net::Fd> sockets, observe::StreamCounters& counters);
  void CloseTcp(uint16_t port);
  // What probes say of some clusters. Any thread.
  void ApplyHealth(std::vector<config::HealthVerdict> verdicts);

  // Any thread.
  const observe::CounterShard& counters() const { return counters_; }
  const observe::RouteStats& route_stats() const { return route_stats_; }
  // Runs `work` on the worker's thread. Any thread.
  void Post(absl::AnyInvocable<void()> work) { loop_.Post(std::move(work)); }

 private:
  // net::AcceptHandler
  void OnAccept(net::Listener& listener, net::Fd connection, const base::Address& peer) override;
  // net::AcceptHandler and TcpPorts::Owner
  void OnAcceptOverload(net::Listener& listener, int error) override;
  // TcpPorts::Owner
  void OnTcpAccept(uint16_t port, observe::StreamCounters& counters, net::Listener& listener,
                   net::Fd connection, const base::Address& peer) override;
  // http::ServerHandler
  http::ServerStreamEvents* OnRequest(http::ServerStream& stream, const http::RequestHead& head,
                                      bool end) override;
  void OnBadRequest(http::ServerStream& stream, const http::BadRequest& bad) override;
  // proxy::ExchangeServices
  net::EventLoop& loop() override { return loop_; }
  upstream::ClusterSet& clusters() override { return clusters_; }
  proxy::RequestIdSource& ids() override { return ids_; }
  proxy::SpillSpace& spill() override { return *options_.spill; }
  files::FileServer& files() override { return files_; }
  proxy::EncodeQueue& encoders() override { return encoders_; }
  proxy::PasswordDesk& passwords() override { return passwords_; }
  proxy::AuthCache& auth_cache() override { return auth_cache_; }
  proxy::LimitTable& limits() override { return *options_.limits; }
  proxy::NonceTable& nonces() override { return *options_.nonces; }
  proxy::Mirrors& mirrors() override { return mirrors_; }
  proxy::RewriteLog& rewrite_log() override { return rewrite_log_; }
  observe::SpanQueue* spans() override { return options_.spans; }
  uint16_t https_port() override {
    return https_listeners_.empty() ? uint16_t{0} : https_listeners_.front()->address().port();
  }
  proxy::ConfigPin PinConfig() override { return proxy::ConfigPin(*generations_.back()); }
  void CountGate(proxy::GateDecision::Kind kind) override;
  void OnFinished(proxy::Exchange& exchange, const observe::RequestRecord& record) override;
  // net::TimerHandler: looks whether the drain is complete.
  void OnTimer(net::Timer& timer) override;
  // tls::HandshakePolicies
  tls::HandshakePolicy FindPolicy(std::string_view server_name) const override;
  // downstream::PassthroughServices; clusters() is the one above
  std::optional<downstream::PassthroughTarget> FindTarget(std::string_view server_name) override;
  std::unique_ptr<net::Transport> TerminateTls(net::Fd fd) override;
  net::milliseconds connect_timeout() override;
  void OnPassedThrough(const observe::RequestRecord& record) override { Log(record); }

  void ApplyNow(const config::ConfigUpdate& update);
  void UseConfig(std::shared_ptr<const config::CompiledConfig> config);
  void StartListening();
  void StopListening();
  // False, and counted: there are too many connections.
  bool HasRoom();
  http::ConnectionInfo MakeInfo(const net::Listener& listener, const net::Fd& connection,
                                const base::Address& peer) const;
  void ReleaseOldGenerations();
  void RecycleExchanges();
  void Record(const observe::RequestRecord& record);
  void Log(const observe::RequestRecord& record);
  bool LogByRules(const config::LogRules& rules, const observe::RequestRecord& record);

  WorkerOptions options_;
  observe::CounterShard counters_;
  observe::RouteStats route_stats_;
  base::BlockPool blocks_;  // outlives the loop, which frees what is retired
  net::EventLoop loop_;
  codec::WorkerIo io_{loop_, blocks_, counters_, options_.max_pipes};
  proxy::RequestIdSource ids_;
  proxy::EncodeQueue encoders_{loop_};
  proxy::AuthCache auth_cache_;
  proxy::RewriteLog rewrite_log_;
  proxy::PasswordDesk passwords_{loop_, *options_.password_thread};
  tls::ServerContext tls_context_;
  codec::ServerOptions server_options_;

  // The newest last; earlier ones are still used by exchanges. Empty before the first
  // configuration.
  std::vector<std::unique_ptr<proxy::ConfigGeneration>> generations_;
  upstream::ClusterSet clusters_;
  proxy::Mirrors mirrors_{io_, clusters_};
  files::FileServer files_{loop_, io_.pipes(), *options_.static_roots};

  // Exchanges live here from their request to the end of the turn they finish in, and are used
  // again.
  std::vector<std::unique_ptr<proxy::Exchange>> exchanges_;
  std::vector<proxy::Exchange*> free_exchanges_;
  std::vector<proxy::Exchange*> finished_exchanges_;
  net::MemberTask<Worker, &Worker::RecycleExchanges> recycle_{*this};

  std::vector<std::unique_ptr<net::Listener>> http_listeners_;
  std::vector<std::unique_ptr<net::Listener>> https_listeners_;
  TcpPorts tcp_ports_;
  bool listening_over_ = false;
  downstream::Connections connections_;
  std::unique_ptr<observe::AccessLog> access_log_;

  net::Timer drain_timer_;
  std::function<void()> drained_;
  std::thread thread_;
};

}  // namespace headgate::worker
