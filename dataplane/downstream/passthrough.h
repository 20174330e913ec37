#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/codec/output_queue.h"
#include "dataplane/codec/server_connection.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/net/connect_race.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/socket.h"
#include "dataplane/net/timer_wheel.h"
#include "dataplane/net/transport.h"
#include "dataplane/observe/request_record.h"
#include "dataplane/observe/stream_counters.h"
#include "dataplane/upstream/cluster_set.h"

namespace headgate::downstream {

// Where a connection goes that is passed on.
struct PassthroughTarget {
  config::ClusterSlot cluster = 0;
  net::milliseconds idle_timeout{0};
  size_t tries = 3;                    // endpoints, of which no more than the log has room for
  net::milliseconds tries_timeout{0};  // from the first to the last; 0: no limit
  bool logged = true;
  // Of a TCP service, and outlives the connection. Null: it is a TLS connection.
  observe::StreamCounters* service = nullptr;
};

// What connections need that may be passed on. Implemented by the worker; outlives every
// connection.
class PassthroughServices {
 public:
  // Of TLS connections for that name (in lower case, or empty). Nothing: their TLS ends here.
  virtual std::optional<PassthroughTarget> FindTarget(std::string_view server_name) = 0;
  // TLS that ends here, on an accepted socket of which nothing has been read.
  virtual std::unique_ptr<net::Transport> TerminateTls(net::Fd fd) = 0;
  virtual upstream::ClusterSet& clusters() = 0;
  virtual net::milliseconds connect_timeout() = 0;
  // The connection is over. `record` is valid during the call.
  virtual void OnPassedThrough(const observe::RequestRecord& record) = 0;

 protected:
  ~PassthroughServices() = default;
};

// A connection that is passed on to an endpoint as it is: bytes both ways, whatever they are.
//
// connecting (to one endpoint after another) → relaying → closed. Each direction ends by itself;
// a reset of one end is passed on as a reset to the other. An end that takes nothing holds the
// other one back. It counts as one attempt at its endpoint, and where the cluster has limits it is
// closed when there is no room: it does not wait. It holds no configuration, so no change touches
// it; a drain waits for it.
class Passthrough final : public codec::ServerConnection,
                          private net::ConnectRace::Owner,
                          private net::TimerHandler {
 public:
  // `accepted.transport` is plain TCP: nothing has been read of what is passed on. `server_name`:
  // of TLS connections. The first two outlive the object.
  Passthrough(PassthroughServices& services, const codec::ServerEnvironment& environment,
              codec::Accepted accepted, std::string_view server_name,
              const PassthroughTarget& target);

  // Call once, when the owner holds this. `edges` have come on the client's socket, if that is
  // watched already.
  void Start(net::IoEvents edges);

  void Drain() override {}
  void Abort(const base::Failure& failure) override;

 private:
  static constexpr size_t kMaxAttempts = observe::RequestRecord::kMaxAttempts;
  static constexpr size_t kHighWater = http::ServerStream::kHighWater;
  // Reads of one end before the other connections have their turn.
  static constexpr int kReadsAtOnce = 8;

  // One of the two ends.
  struct End final : net::IoHandler {
    explicit End(Passthrough& passthrough) : owner(passthrough) {}
    void OnIo(net::IoEvents events) override { owner.OnEdge(*this, events); }

    Passthrough& owner;
    std::unique_ptr<net::Transport> transport;
    net::IoRegistration registration;
    codec::OutputQueue output;  // to this end
    uint64_t received = 0;      // bytes from it
    bool readable = false;      // the kernel may hold bytes
    bool peer_closed = false;   // an edge said so; what it sent before may still have to be read
    bool ended = false;         // it has said everything
    bool shut = false;          // and has been told everything
  };

  void OnEdge(End& end, net::IoEvents events);
  void OnTimer(net::Timer& timer) override;
  void OnRaceWon(net::Fd fd, net::IoRegistration registration, const base::Address& address,
                 net::IoEvents edges) override;
  void OnRaceLost() override;

  observe::ShardCounter& Counter(observe::StreamCount id);
  void ConnectNext(uint16_t status, base::Failure::Kind why);
  upstream::Endpoint* PickEndpoint(upstream::Cluster& cluster);
  void EndAttempt(base::Failure::Kind why);
  void Relay();
  // Takes what `from` says to `to`. False: the connection is over.
  bool Carry(End& from, End& to);
  bool Flush(End& to);
  // The other end must not take what it got for everything.
  void Break(base::Failure::Kind why);
  void Close();

  PassthroughServices& services_;
  const codec::ServerEnvironment& environment_;
  const http::ConnectionInfo info_;
  const PassthroughTarget target_;
  const std::string request_line_;  // for the log
  const std::string server_name_;
  End client_{*this};
  End endpoint_{*this};
  std::unique_ptr<net::ConnectRace> race_;  // while connecting
  upstream::Endpoint* picked_ = nullptr;    // between the beginning and the end of an attempt
  net::Timer timer_;                        // of the connect, then of silence
  net::MemberTask<Passthrough, &Passthrough::Relay> relay_task_{*this};

  bool connecting_ = true;
  bool closed_ = false;
  bool moved_ = false;  // something, in this call of Relay
  size_t attempts_ = 0;
  std::array<balance::PeerId, kMaxAttempts> tried_{};
  std::array<std::string, kMaxAttempts> addresses_;
  net::TimePoint first_attempt_;
  net::TimePoint attempt_started_;
  net::TimePoint started_;
  std::string log_name_;
  observe::RequestRecord record_;
};

}  // namespace headgate::downstream
