#include "dataplane/downstream/passthrough.h"

#include <sys/socket.h>

#include <utility>

#include "dataplane/net/proxy_protocol.h"
#include "dataplane/net/socket.h"
#include "dataplane/net/tcp_transport.h"

namespace headgate::downstream {
namespace {

using base::Failure;
using observe::CounterId;
using std::chrono::duration_cast;
using std::chrono::microseconds;

// As ingress-nginx's logs have it for connections that are passed on.
constexpr uint16_t kPassedOn = 200;

void ResetOnClose(const net::Transport& transport) {
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(transport.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

}  // namespace

Passthrough::Passthrough(PassthroughServices& services, const codec::ServerEnvironment& environment,
                         codec::Accepted accepted, std::string_view server_name,
                         const PassthroughTarget& target)
    : services_(services),
      environment_(environment),
      info_(std::move(accepted.info)),
      target_(target),
      request_line_("TLS " + std::string(server_name)),
      server_name_(server_name),
      timer_(environment.io.loop().timers(), *this),
      started_(environment.io.loop().now()) {
  client_.transport = std::move(accepted.transport);
  client_.registration = std::move(accepted.registration);
  record_.received = environment.io.loop().wall_now();
}

void Passthrough::Start(net::IoEvents edges) {
  client_.registration.SetHandler(client_);
  client_.readable = edges.readable;
  client_.peer_closed = edges.peer_closed;
  observe::CounterShard& counters = environment_.io.counters();
  counters[CounterId::kPassthroughConnections].Add();
  counters[CounterId::kPassthroughConnectionsActive].Add();
  ConnectNext(503, Failure::Kind::kNoEndpoint);
}

// ---- connecting ----

// `status` and `why`: what the log says if there is nobody left to try.
void Passthrough::ConnectNext(uint16_t status, Failure::Kind why) {
  endpoint_.registration.Reset();
  endpoint_.transport.reset();
  upstream::Cluster* const cluster = services_.clusters().Find(target_.cluster);
  upstream::Endpoint* const endpoint = cluster != nullptr && attempts_ < kMaxAttempts
                                           ? cluster->Pick({.tried = {tried_.data(), attempts_}})
                                           : nullptr;
  record_.status = status;
  if (cluster != nullptr && log_name_.empty()) log_name_ = cluster->log_name();
  if (endpoint == nullptr) return Break(why);
  tried_[attempts_] = endpoint->id;
  addresses_[attempts_] = endpoint->text();
  record_.attempt_storage[attempts_] = {};
  ++attempts_;
  attempt_started_ = environment_.io.loop().now();
  auto fd = net::ConnectTcp(endpoint->address());
  if (fd.ok()) {
    endpoint_.transport = std::make_unique<net::TcpTransport>(*std::move(fd));
    endpoint_.registration = environment_.io.loop().Watch(endpoint_.transport->fd(), endpoint_);
  }
  if (!endpoint_.registration) return ConnectNext(502, Failure::Kind::kConnectRefused);
  timer_.Arm(services_.connect_timeout());
}

void Passthrough::OnConnected() {
  upstream::Cluster* const cluster = services_.clusters().Find(target_.cluster);
  const net::ProxyVersion version =
      cluster != nullptr ? cluster->compiled().proxy_protocol : net::ProxyVersion::kNone;
  const std::string header = net::WriteProxyHeader(version, info_.peer, info_.local);
  if (!header.empty() && !net::SendFirst(endpoint_.transport->fd(), header)) {
    return ConnectNext(502, Failure::Kind::kConnectRefused);
  }
  connecting_ = false;
  record_.status = kPassedOn;
  record_.attempt_storage[attempts_ - 1].connect_time =
      duration_cast<microseconds>(environment_.io.loop().now() - attempt_started_);
  endpoint_.readable = true;
  timer_.Arm(target_.idle_timeout);
  Relay();
}

void Passthrough::OnEdge(End& end, net::IoEvents events) {
  end.readable |= events.readable;
  end.peer_closed |= events.peer_closed;
  if (events.writable) end.output.Unblock();
  if (!connecting_) return Relay();
  if (&end == &client_ || !events.writable) return;
  if (net::ConnectError(endpoint_.transport->fd()) == 0) return OnConnected();
  environment_.io.counters()[CounterId::kUpstreamConnectFailures].Add();
  ConnectNext(502, Failure::Kind::kConnectRefused);
}

void Passthrough::OnTimer(net::Timer& /*timer*/) {
  if (connecting_) {
    environment_.io.counters()[CounterId::kUpstreamConnectTimeouts].Add();
    return ConnectNext(504, Failure::Kind::kConnectTimeout);
  }
  environment_.io.counters()[CounterId::kPassthroughTimeouts].Add();
  Break(Failure::Kind::kTimeout);
}

// ---- relaying ----

void Passthrough::Relay() {
  moved_ = false;
  if (!Carry(client_, endpoint_) || !Carry(endpoint_, client_)) return;
  if (client_.shut && endpoint_.shut) return Close();
  if (moved_) timer_.Arm(target_.idle_timeout);
}

bool Passthrough::Carry(End& from, End& to) {
  if (!Flush(to)) return false;
  int reads = 0;
  while (from.readable && !from.ended && to.output.size() < kHighWater) {
    if (reads++ == kReadsAtOnce) {
      environment_.io.loop().Schedule(relay_task_);
      break;
    }
    const std::span<char> buffer = environment_.io.read_buffer();
    const net::IoResult result = from.transport->Read(buffer);
    switch (result.status) {
      case net::IoResult::Status::kOk:
        // A short read means that nothing is left, except that the end of the stream gives no
        // further edge.
        if (result.drained && !from.peer_closed) from.readable = false;
        from.received += result.bytes;
        environment_.io
            .counters()[&from == &client_ ? CounterId::kPassthroughBytesFromClients
                                          : CounterId::kPassthroughBytesToClients]
            .Add(result.bytes);
        moved_ = true;
        if (to.output.Send(*to.transport, {}, {buffer.data(), result.bytes}, {}) ==
            codec::OutputQueue::Result::kFailed) {
          Break(to.output.failure());
          return false;
        }
        break;
      case net::IoResult::Status::kBlocked:
        from.readable = false;
        break;
      case net::IoResult::Status::kEof:
        from.ended = true;
        break;
      case net::IoResult::Status::kFailed:
        Break(result.failure);
        return false;
    }
  }
  if (!Flush(to)) return false;
  if (from.ended && to.output.empty() && !to.shut) {
    to.shut = true;
    to.transport->ShutdownWrite();
  }
  return true;
}

bool Passthrough::Flush(End& to) {
  const uint64_t before = to.output.written();
  if (to.output.Flush(*to.transport) == codec::OutputQueue::Result::kFailed) {
    Break(to.output.failure());
    return false;
  }
  moved_ |= to.output.written() != before;
  return true;
}

// ---- the end ----

void Passthrough::Abort(const Failure& failure) { Break(failure.kind); }

void Passthrough::Break(Failure::Kind why) {
  if (closed_) return;
  if (connecting_) environment_.io.counters()[CounterId::kPassthroughFailures].Add();
  record_.failure = base::FailureName(why);
  for (const End* end : {&client_, &endpoint_}) {
    if (end->transport != nullptr) ResetOnClose(*end->transport);
  }
  Close();
}

void Passthrough::Close() {
  if (closed_) return;
  closed_ = true;
  timer_.Cancel();
  relay_task_.Unlink();
  for (End* end : {&client_, &endpoint_}) {
    end->registration.Reset();
    end->transport.reset();
    end->output.Clear();
  }
  environment_.io.counters()[CounterId::kPassthroughConnectionsActive].Subtract();

  const net::TimePoint now = environment_.io.loop().now();
  record_.duration = duration_cast<microseconds>(now - started_);
  record_.client_ip = info_.peer_ip;
  record_.method = request_line_;
  record_.host = server_name_;
  record_.scheme = "tls";
  record_.request_bytes = client_.received;
  record_.response_body_bytes = endpoint_.received;
  record_.upstream_name = log_name_;
  record_.attempt_count = attempts_;
  for (size_t i = 0; i < attempts_; ++i) record_.attempt_storage[i].address = addresses_[i];
  if (attempts_ > 0) {
    observe::AttemptRecord& last = record_.attempt_storage[attempts_ - 1];
    last.response_bytes = endpoint_.received;
    last.response_time = duration_cast<microseconds>(now - attempt_started_);
  }
  services_.OnPassedThrough(record_);
  environment_.owner.OnConnectionClosed(*this);
}

}  // namespace headgate::downstream
