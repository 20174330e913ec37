#include "dataplane/downstream/passthrough.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "dataplane/balance/hash_ring.h"
#include "dataplane/net/proxy_protocol.h"
#include "dataplane/net/socket.h"
#include "dataplane/net/tcp_transport.h"

namespace headgate::downstream {
namespace {

using base::Failure;
using observe::CounterId;
using observe::StreamCount;
using std::chrono::duration_cast;
using std::chrono::microseconds;

// As nginx's logs have it for connections that were passed on.
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
      request_line_(target.service == nullptr ? "TLS " + std::string(server_name) : "TCP"),
      server_name_(server_name),
      timer_(environment.io.loop().timers(), *this),
      started_(environment.io.loop().now()) {
  client_.transport = std::move(accepted.transport);
  client_.registration = std::move(accepted.registration);
  record_.received = environment.io.loop().wall_now();
}

void Passthrough::Start(net::IoEvents edges) {
  if (client_.registration) {
    client_.registration.SetHandler(client_);
  } else {
    client_.registration = environment_.io.loop().Watch(client_.transport->fd(), client_);
  }
  client_.readable = edges.readable;
  client_.peer_closed = edges.peer_closed;
  Counter(StreamCount::kConnections).Add();
  Counter(StreamCount::kActive).Add();
  if (!client_.registration) return Break(Failure::Kind::kOverloaded);
  ConnectNext(503, Failure::Kind::kNoEndpoint);
}

observe::ShardCounter& Passthrough::Counter(StreamCount id) {
  if (target_.service != nullptr) return (*target_.service)[id];
  constexpr auto kFirst = static_cast<size_t>(CounterId::kPassthroughConnections);
  static_assert(kFirst + static_cast<size_t>(StreamCount::kTimeouts) ==
                static_cast<size_t>(CounterId::kPassthroughTimeouts));
  return environment_.io.counters()[static_cast<CounterId>(kFirst + static_cast<size_t>(id))];
}

// ---- connecting ----

// `status` and `why`: what the log says if there is nobody left to try.
void Passthrough::ConnectNext(uint16_t status, Failure::Kind why) {
  EndAttempt(why);
  endpoint_.registration.Reset();
  endpoint_.transport.reset();
  const net::TimePoint now = environment_.io.loop().now();
  const bool in_time = attempts_ == 0 || target_.tries_timeout.count() == 0 ||
                       now - first_attempt_ < target_.tries_timeout;
  upstream::Cluster* const cluster = services_.clusters().Find(target_.cluster);
  if (cluster != nullptr && log_name_.empty()) log_name_ = cluster->log_name();
  record_.status = status;
  upstream::Endpoint* endpoint = nullptr;
  if (cluster != nullptr && in_time && attempts_ < std::min(target_.tries, kMaxAttempts))
    endpoint = PickEndpoint(*cluster);
  if (endpoint != nullptr && cluster->limited()) {
    const bool with_preamble = cluster->compiled().proxy_protocol != net::ProxyVersion::kNone;
    endpoint = cluster->Take(*endpoint, {tried_.data(), attempts_}, true, with_preamble);
    if (endpoint == nullptr) {
      cluster->CountRejected();
      why = Failure::Kind::kUpstreamLimit;
    }
  }
  if (endpoint == nullptr) return Break(why);
  tried_[attempts_] = endpoint->id;
  addresses_[attempts_] = endpoint->text();
  record_.attempt_storage[attempts_] = {};
  if (attempts_++ == 0) first_attempt_ = now;
  attempt_started_ = now;
  picked_ = endpoint;
  picked_->OnRawBegin();
  net::ConnectRace::Owner& owner = *this;
  race_ = std::make_unique<net::ConnectRace>(environment_.io.loop(), endpoint->Addresses(), owner);
  race_->Start();
  timer_.Arm(services_.connect_timeout());
}

upstream::Endpoint* Passthrough::PickEndpoint(upstream::Cluster& cluster) {
  balance::PickContext context{.tried = {tried_.data(), attempts_}};
  const config::Balancing* const balancing = cluster.compiled().balancing.get();
  if (balancing != nullptr) {
    context.now = environment_.io.loop().now();
    context.active_total = cluster.active_total();
    // What is known of the client is its address; there is no request to take another key from.
    context.hash = balance::Crc32(info_.peer_ip);
  }
  return cluster.Pick(context);
}

void Passthrough::EndAttempt(Failure::Kind why) {
  if (race_ != nullptr) {
    race_->Stop();
    environment_.io.loop().Retire(std::move(race_));
  }
  if (picked_ == nullptr) return;
  // To have been connected is what a success is here.
  upstream::AttemptOutcome outcome;
  if (connecting_) {
    outcome.failure = why;
    outcome.given_up =
        why != Failure::Kind::kConnectRefused && why != Failure::Kind::kConnectTimeout;
  } else {
    outcome.status = kPassedOn;
    outcome.header_time = record_.attempt_storage[attempts_ - 1].connect_time;
  }
  std::exchange(picked_, nullptr)->OnRawEnd(outcome);
}

void Passthrough::OnRaceWon(net::Fd fd, net::IoRegistration registration,
                            const base::Address& address, net::IoEvents edges) {
  picked_->NoteReached(address);
  addresses_[attempts_ - 1] = picked_->text();
  endpoint_.transport = std::make_unique<net::TcpTransport>(std::move(fd));
  endpoint_.registration = std::move(registration);
  endpoint_.registration.SetHandler(endpoint_);
  upstream::Cluster* const cluster = services_.clusters().Find(target_.cluster);
  const net::ProxyVersion version =
      cluster != nullptr ? cluster->compiled().proxy_protocol : net::ProxyVersion::kNone;
  const std::string header = net::WriteProxyHeader(version, info_.peer, info_.local);
  if (!header.empty() && !net::SendFirst(endpoint_.transport->fd(), header)) {
    return ConnectNext(502, Failure::Kind::kConnectRefused);
  }
  connecting_ = false;
  environment_.io.loop().Retire(std::move(race_));
  record_.status = kPassedOn;
  record_.attempt_storage[attempts_ - 1].connect_time =
      duration_cast<microseconds>(environment_.io.loop().now() - attempt_started_);
  endpoint_.readable = true;
  endpoint_.peer_closed = edges.peer_closed;
  timer_.Arm(target_.idle_timeout);
  Relay();
}

void Passthrough::OnRaceLost() {
  environment_.io.counters()[CounterId::kUpstreamConnectFailures].Add();
  ConnectNext(502, Failure::Kind::kConnectRefused);
}

void Passthrough::OnEdge(End& end, net::IoEvents events) {
  end.readable |= events.readable;
  end.peer_closed |= events.peer_closed;
  if (events.writable) end.output.Unblock();
  if (!connecting_) Relay();
}

void Passthrough::OnTimer(net::Timer& /*timer*/) {
  if (connecting_) {
    environment_.io.counters()[CounterId::kUpstreamConnectTimeouts].Add();
    return ConnectNext(504, Failure::Kind::kConnectTimeout);
  }
  Counter(StreamCount::kTimeouts).Add();
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
        Counter(&from == &client_ ? StreamCount::kBytesFromClients : StreamCount::kBytesToClients)
            .Add(result.bytes);
        moved_ = true;
        if (to.output.Send(*to.transport, {}, {buffer.data(), result.bytes}, {}) ==
            codec::OutputQueue::Result::kFailed) {
          Break(to.output.failure());
          return false;
        }
        break;
      case net::IoResult::Status::kBlocked: from.readable = false; break;
      case net::IoResult::Status::kEof: from.ended = true; break;
      case net::IoResult::Status::kFailed: Break(result.failure); return false;
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
  if (connecting_) Counter(StreamCount::kFailures).Add();
  EndAttempt(why);
  record_.failure = base::FailureName(why);
  for (const End* end : {&client_, &endpoint_}) {
    if (end->transport != nullptr) ResetOnClose(*end->transport);
  }
  Close();
}

void Passthrough::Close() {
  if (closed_) return;
  closed_ = true;
  EndAttempt(Failure::Kind::kNone);
  timer_.Cancel();
  relay_task_.Unlink();
  for (End* end : {&client_, &endpoint_}) {
    end->registration.Reset();
    end->transport.reset();
    end->output.Clear();
  }
  Counter(StreamCount::kActive).Subtract();

  const net::TimePoint now = environment_.io.loop().now();
  record_.duration = duration_cast<microseconds>(now - started_);
  record_.client_ip = info_.peer_ip;
  record_.method = request_line_;
  record_.host = server_name_;
  record_.scheme = target_.service == nullptr ? "tls" : observe::kTcpScheme;
  record_.unlogged = !target_.logged;
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
