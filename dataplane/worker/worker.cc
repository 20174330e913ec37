#include "dataplane/worker/worker.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "common/check.h"
#include "common/log.h"
#include "dataplane/config/log_rules.h"
#include "dataplane/net/tcp_transport.h"
#include "dataplane/policy/text_pattern.h"
#include "dataplane/proxy/local_reply.h"
#include "dataplane/tls/tls_transport.h"

namespace headgate::worker {
namespace {

constexpr net::milliseconds kDrainCheck{50};

bool Contains(const std::vector<std::unique_ptr<net::Listener>>& listeners,
              const net::Listener& wanted) {
  return std::any_of(listeners.begin(), listeners.end(),
                     [&](const auto& listener) { return listener.get() == &wanted; });
}

}  // namespace

Worker::Worker(WorkerOptions options, std::shared_ptr<const tls::TicketKeys> ticket_keys)
    : options_(std::move(options)),
      route_stats_(observe::RouteStats::kMaxRoutes, options_.route_details),
      tls_context_(std::move(ticket_keys)),
      clusters_(io_, ids_.Random()),
      tcp_ports_(loop_, *this),
      connections_(io_, server_options_, *this, this),
      drain_timer_(loop_.timers(), *this) {
  tls_context_.SetPolicies(this);
  if (options_.access_log != nullptr) {
    access_log_ = std::make_unique<observe::AccessLog>(*options_.access_log, counters_);
  }
}

Worker::~Worker() { Stop(); }

void Worker::Start() {
  thread_ = std::thread([this] { loop_.Run(); });
  const std::string name = "worker-" + std::to_string(options_.index);
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

void Worker::Stop() {
  if (!thread_.joinable()) return;
  loop_.Post([this] {
    StopListening();
    connections_.CloseAll();
    if (drained_)
      std::exchange(drained_, nullptr)();  // whoever waits for the drain need not any longer
    loop_.Stop();
  });
  thread_.join();
}

// ---- configuration
// ----------------------------------------------------------------------------------------------

void Worker::Apply(config::ConfigUpdate update) {
  loop_.Post([this, update = std::move(update)] { ApplyNow(update); });
}

void Worker::ApplyHealth(std::vector<config::HealthVerdict> verdicts) {
  loop_.Post([this, verdicts = std::move(verdicts)] { clusters_.ApplyHealth(verdicts); });
}

void Worker::ApplyNow(const config::ConfigUpdate& update) {
  clusters_.Apply(update.clusters, update.slot_count);
  if (update.config != nullptr) UseConfig(update.config);
}

void Worker::UseConfig(std::shared_ptr<const config::CompiledConfig> config) {
  const bool first = generations_.empty();
  const config::CompiledSettings& settings = *config->settings;
  if (first || generations_.back()->config().settings != config->settings) {
    server_options_.limits.max_head_bytes = settings.max_request_head_bytes;
    server_options_.limits.max_line_bytes = settings.max_request_head_bytes;
    server_options_.limits.max_fields = settings.max_request_fields;
    server_options_.limits.underscores = settings.pass_underscores
                                             ? http::Underscores::kKeptUnlessKnown
                                             : http::Underscores::kDropped;
    server_options_.handshake_timeout = settings.tls_handshake_timeout;
    server_options_.head_timeout = settings.client_header_timeout;
    server_options_.body_timeout = settings.client_body_timeout;
    server_options_.idle_timeout = settings.client_idle_timeout;
    server_options_.send_timeout = settings.client_send_timeout;
    server_options_.max_requests = settings.max_requests_per_connection;
    server_options_.load_balancers = {.required = settings.proxy_protocol,
                                      .trusted = settings.proxy_protocol_cidrs,
                                      .header_timeout = settings.proxy_protocol_timeout};
    clusters_.Configure(settings);
    server_options_.http2.on_plain_connections = settings.http2_on_plain_connections;
    server_options_.http2.max_streams = settings.http2_max_streams;
    tls_context_.SetPolicy(settings.tls);
    if (settings.http2_enabled) {
      tls_context_.SetProtocols({"h2", "http/1.1"});
    } else {
      tls_context_.SetProtocols({"http/1.1"});
    }
  }
  tls_context_.SetCertificates(config->certificates.get());
  tls_context_.SetTicketKeys(config->ticket_keys);
  generations_.push_back(std::make_unique<proxy::ConfigGeneration>(std::move(config)));
  ReleaseOldGenerations();
  if (first) StartListening();
}

tls::HandshakePolicy Worker::FindPolicy(std::string_view server_name) const {
  tls::HandshakePolicy policy;
  const config::CompiledConfig& config = generations_.back()->config();
  const route::HostRoutes* host = config.hosts->Find(server_name);
  policy.known_name = host != nullptr && host->host() != "_" && !server_name.empty();
  if (host == nullptr || host->options() == nullptr) return policy;
  policy.ciphers = host->options()->ciphers;
  policy.client_chooses_cipher = host->options()->client_chooses_cipher;
  if (host->options()->client_auth) {
    if (const auto* auth = config.client_auth->FindPattern(host->host())) {
      policy.client_auth = auth->get();
    }
  }
  return policy;
}

void Worker::ReleaseOldGenerations() {
  const auto unused =
      std::stable_partition(generations_.begin(), generations_.end() - 1,
                            [](const std::unique_ptr<proxy::ConfigGeneration>& generation) {
                              return generation->pins() > 0;
                            });
  for (auto it = unused; it != generations_.end() - 1; ++it) options_.release((*it)->TakeConfig());
  generations_.erase(unused, generations_.end() - 1);
}

// ---- connections
// ------------------------------------------------------------------------------------------------

void Worker::StartListening() {
  net::AcceptHandler& accepts = *this;
  for (net::Fd& fd : options_.http_sockets) {
    http_listeners_.push_back(std::make_unique<net::Listener>(loop_, std::move(fd), accepts));
  }
  for (net::Fd& fd : options_.https_sockets) {
    https_listeners_.push_back(std::make_unique<net::Listener>(loop_, std::move(fd), accepts));
  }
}

void Worker::StopListening() {
  for (auto* listeners : {&http_listeners_, &https_listeners_}) {
    for (auto& listener : *listeners) listener->Close();
  }
  tcp_ports_.CloseAll();
  listening_over_ = true;
}

void Worker::OpenTcp(uint16_t port, std::vector<net::Fd> sockets,
                     observe::StreamCounters& counters) {
  loop_.Post([this, port, sockets = std::move(sockets), &counters]() mutable {
    if (!listening_over_) tcp_ports_.Open(port, std::move(sockets), counters);
  });
}

void Worker::CloseTcp(uint16_t port) {
  loop_.Post([this, port] { tcp_ports_.Close(port); });
}

bool Worker::HasRoom() {
  if (connections_.size() < options_.max_connections) return true;
  HEADGATE_LOG_EVERY(10, kWarn, "worker", "connection refused: limit reached",
                     {"limit", options_.max_connections});
  counters_[observe::CounterId::kDownstreamConnectionsRefused].Add();
  return false;
}

http::ConnectionInfo Worker::MakeInfo(const net::Listener& listener, const net::Fd& connection,
                                      const base::Address& peer) const {
  http::ConnectionInfo info;
  info.peer = peer;
  info.local = listener.address();
  if (clusters_.tells_clients() && info.local.is_unspecified()) {
    info.local = net::LocalAddress(connection.get()).value_or(info.local);
  }
  info.peer_ip = peer.IpText();
  return info;
}

void Worker::OnTcpAccept(uint16_t port, observe::StreamCounters& counters, net::Listener& listener,
                         net::Fd connection, const base::Address& peer) {
  if (!HasRoom()) return;
  const config::TcpTable& services = *generations_.back()->config().tcp_services;
  const auto found = services.find(port);
  if (found == services.end()) return;  // it is about to be closed
  const config::TcpService& service = *found->second;
  const downstream::PassthroughTarget target{.cluster = service.cluster.slot(),
                                             .idle_timeout = service.idle_timeout,
                                             .tries = service.tries,
                                             .tries_timeout = service.tries_timeout,
                                             .logged = service.access_log,
                                             .service = &counters};
  http::ConnectionInfo info = MakeInfo(listener, connection, peer);
  connections_.AddRaw(std::make_unique<net::TcpTransport>(std::move(connection)), std::move(info),
                      target, service.load_balancers);
}

void Worker::OnAccept(net::Listener& listener, net::Fd connection, const base::Address& peer) {
  if (!HasRoom()) return;
  http::ConnectionInfo info = MakeInfo(listener, connection, peer);
  info.tls = Contains(https_listeners_, listener);
  std::unique_ptr<net::Transport> transport;
  if (info.tls && generations_.back()->config().passthrough->empty()) {
    transport = std::make_unique<tls::TlsTransport>(tls_context_, std::move(connection));
  } else {
    transport = std::make_unique<net::TcpTransport>(std::move(connection));
  }
  connections_.Add(std::move(transport), std::move(info));
}

std::optional<downstream::PassthroughTarget> Worker::FindTarget(std::string_view server_name) {
  if (server_name.empty()) return std::nullopt;
  const config::CompiledConfig& config = generations_.back()->config();
  const route::HostRoutes* host = config.hosts->Find(server_name);
  if (host == nullptr) return std::nullopt;
  const auto rule = config.passthrough->find(host->host());
  if (rule == config.passthrough->end()) return std::nullopt;
  return downstream::PassthroughTarget{.cluster = rule->second.cluster.slot(),
                                       .idle_timeout = rule->second.idle_timeout};
}

std::unique_ptr<net::Transport> Worker::TerminateTls(net::Fd fd) {
  return std::make_unique<tls::TlsTransport>(tls_context_, std::move(fd));
}

net::milliseconds Worker::connect_timeout() {
  return generations_.back()->config().settings->connect_timeout;
}

void Worker::OnAcceptOverload(net::Listener& listener, int error) {
  counters_[observe::CounterId::kDownstreamAcceptFailures].Add();
  HEADGATE_LOG_EVERY(10, kWarn, "worker", "cannot accept connections",
                     {"listener", listener.address().Text()},
                     {"error", std::string(strerror(error))});
}

// ---- exchanges
// --------------------------------------------------------------------------------------------------

http::ServerStreamEvents* Worker::OnRequest(http::ServerStream& stream,
                                            const http::RequestHead& head, bool end) {
  if (free_exchanges_.empty()) {
    proxy::ExchangeServices& services = *this;
    exchanges_.push_back(std::make_unique<proxy::Exchange>(services));
    free_exchanges_.push_back(exchanges_.back().get());
  }
  proxy::Exchange& exchange = *free_exchanges_.back();
  free_exchanges_.pop_back();
  exchange.Start(stream, head, end);
  return &exchange;
}

void Worker::OnBadRequest(http::ServerStream& stream, const http::BadRequest& bad) {
  const std::string_view page = bad.reset ? std::string_view() : proxy::LocalPage(bad.status);
  if (!bad.reset) {
    http::ResponseHead head;
    head.status = bad.status;
    head.fields.Add(http::FieldId::kContentType, "Content-Type", proxy::kLocalPageType);
    head.body = http::BodyLength::Fixed(page.size());
    stream.SendHead(head, false);
    stream.SendBody(page, true);
  }
  if (bad.exchange_known) return;

  observe::RequestRecord record;
  record.received = loop_.wall_now();
  record.client_ip = stream.connection().peer_ip;
  record.method = bad.request_line;  // not known to be a request
  record.scheme = stream.connection().tls ? "https" : "http";
  record.status = bad.status;
  record.response_body_bytes = page.size();
  record.failure = base::FailureName(bad.failure.kind);
  Record(record);
}

void Worker::CountGate(proxy::GateDecision::Kind kind) {
  counters_[kind == proxy::GateDecision::Kind::kMisdirected
                ? observe::CounterId::kDownstreamMisdirected
                : observe::CounterId::kDownstreamClientCertificatesRefused]
      .Add();
}

void Worker::OnFinished(proxy::Exchange& exchange, const observe::RequestRecord& record) {
  Record(record);
  finished_exchanges_.push_back(&exchange);
  loop_.ScheduleFlush(recycle_);
}

void Worker::Record(const observe::RequestRecord& record) {
  route_stats_.Count(record);
  Log(record);
}

void Worker::Log(const observe::RequestRecord& record) {
  if (access_log_ == nullptr || record.unlogged) return;
  const config::CompiledSettings& settings = *generations_.back()->config().settings;
  if (!settings.access_log_enabled) return;
  if (settings.log_rules != nullptr && LogByRules(*settings.log_rules, record)) return;
  access_log_->Write(record, settings.access_log_json ? observe::AccessLogFormat::kJson
                                                      : observe::AccessLogFormat::kText);
}

// False: the record gets a fixed line.
bool Worker::LogByRules(const config::LogRules& rules, const observe::RequestRecord& record) {
  if (record.scheme == observe::kTcpScheme) {
    if (rules.stream_line == nullptr) return false;
    access_log_->Write(record, *rules.stream_line);
    return true;
  }
  if (!rules.requests) return true;
  // What was no request has no target.
  if (!record.target.empty() &&
      policy::MatchesAny(rules.skipped_targets, record.target, /*when_in_doubt=*/false)) {
    return true;
  }
  if (rules.request_line == nullptr) return false;
  access_log_->Write(record, rules.request_line->format);
  return true;
}

void Worker::RecycleExchanges() {
  free_exchanges_.insert(free_exchanges_.end(), finished_exchanges_.begin(),
                         finished_exchanges_.end());
  finished_exchanges_.clear();
  if (generations_.size() > 1) ReleaseOldGenerations();
}

// ---- the end
// ----------------------------------------------------------------------------------------------------

void Worker::AnnounceEnd() {
  loop_.Post([this] { connections_.AnnounceEnd(); });
}

void Worker::Drain(std::function<void()> drained) {
  loop_.Post([this, drained = std::move(drained)]() mutable {
    drained_ = std::move(drained);
    StopListening();
    connections_.Drain();
    clusters_.CloseIdle();
    drain_timer_.Arm(net::milliseconds(0));
  });
}

void Worker::OnTimer(net::Timer& /*timer*/) {
  if (connections_.size() > 0) return drain_timer_.Arm(kDrainCheck);
  std::exchange(drained_, nullptr)();
}

}  // namespace headgate::worker
