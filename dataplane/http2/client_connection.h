#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/arena.h"
#include "dataplane/codec/options.h"
#include "dataplane/codec/output_queue.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/http/stream.h"
#include "dataplane/http2/client_stream.h"
#include "dataplane/http2/session.h"
#include "dataplane/net/connect_race.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/transport.h"

namespace headgate::http2 {

// Where a connection lives (a pool). The calls may come from inside ClientStream::Reset, so they do
// bookkeeping only: no calls to exchanges or to the connection.
class ClientConnectionOwner {
 public:
  // Its last stream is over.
  virtual void OnConnectionIdle(ClientConnection& connection) = 0;
  // The connection has closed itself and is inert: forget it and hand it to EventLoop::Retire. Last
  // call.
  virtual void OnConnectionClosed(ClientConnection& connection) = 0;
  // The connection that was begun with StartRace is with `address`; gives what is spoken over it.
  // Never called for others.
  virtual std::unique_ptr<net::Transport> OnRaceWon(net::Fd /*fd*/,
                                                    const base::Address& /*address*/) {
    return nullptr;
  }

 protected:
  ~ClientConnectionOwner() = default;
};

// HTTP/2 with one upstream endpoint: many attempts at a time, each a stream. Streams may be opened
// while it still connects; connection errors are then their failure. Everything that the streams of
// a turn have to say leaves in one write at its end.
//
// Of the peer's allowance for streams at most kMaxStreams are used. After GOAWAY, and after the
// last of max_requests, it takes no new streams and closes when it has none left.
class ClientConnection final : public net::Retirable,
                               private net::IoHandler,
                               private net::ConnectRace::Owner,
                               private net::TimerHandler,
                               private SessionEvents {
 public:
  static constexpr uint32_t kMaxStreams = 100;

  // `transport` is over a socket whose connect has been started, or null for StartRace. The others
  // outlive the connection.
  ClientConnection(codec::WorkerIo& io, const codec::ClientOptions& options,
                   ClientConnectionOwner& owner, std::unique_ptr<net::Transport> transport);
  ~ClientConnection() override;

  // Registers with the loop. `preamble`: a few bytes that the endpoint is sent before anything
  // else, TLS included. False: out of resources, the connection is of no use; drop it.
  [[nodiscard]] bool Start(codec::milliseconds connect_timeout, std::string_view preamble = {});
  // Instead, for a connection without a transport: with whichever of the addresses answers first.
  // `tls`: whether the transport will speak that.
  void StartRace(std::vector<base::Address> addresses, bool tls,
                 codec::milliseconds connect_timeout, std::string_view preamble);

  // Whether one more stream can be opened now.
  bool available() const;
  // Begins an attempt; send through the returned stream. `arena` gets the response heads and, like
  // `events`, lives until the attempt's last event. REQUIRES: available().
  http::ClientStream& StartAttempt(http::ClientStreamEvents& events, base::Arena& arena,
                                   const codec::AttemptTimeouts& timeouts);
  // Closes. OnConnectionClosed is called from inside. REQUIRES: idle().
  void Close();

  bool idle() const { return streams_.empty(); }
  // When it became idle.
  net::TimePoint idle_since() const { return idle_since_; }
  // It has come to the age from which it gets no more requests.
  bool too_old() const {
    return options_.max_age.count() != 0 && io_.loop().now() - started_ >= options_.max_age;
  }

 private:
  friend class ClientStream;
  enum class State : uint8_t { kConnecting, kHandshake, kOpen, kClosed };

  static constexpr uint32_t kStreamWindow = 64 * 1024;
  // A stream whose client does not read must not hold up the others: credit of the connection is
  // never what runs out.
  static constexpr uint32_t kConnectionWindow = kMaxStreams * kStreamWindow;
  static constexpr size_t kOutputLimit = 64 * 1024;

  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  // SessionEvents
  Stream& OnStreamOpened(int32_t id) override;
  void OnGoaway(int32_t last_stream, ErrorCode error) override;
  void OnSettings() override;
  void OnPingAck() override {}

  void ContinueConnecting(bool writable);
  void OnRaceWon(net::Fd fd, net::IoRegistration registration, const base::Address& address,
                 net::IoEvents edges) override;
  void OnRaceLost() override;
  void EndRace();
  void OnConnected();
  void Read();
  void Flush();
  // After anything that may have ended the session. True: the connection is closed.
  bool CloseIfOver();
  // Closes, then tells the exchanges. One that has still to take the end of a complete response
  // keeps its stream.
  void CloseAndReport(base::Failure::Kind kind, std::string_view detail);
  void MakeInert();

  // For streams.
  void ScheduleFlush();
  void OnStreamOver(ClientStream& stream);
  // The stream waited in vain. True: so did everybody, and the connection is given up.
  bool DistrustAfterTimeout(net::TimePoint waiting_since);
  bool MayHaveProcessed(int32_t id) const { return id <= last_processed_; }

  codec::WorkerIo& io_;
  const codec::ClientOptions& options_;
  ClientConnectionOwner& owner_;
  std::unique_ptr<net::Transport> transport_;  // null: there is a race, or the connection is closed
  std::unique_ptr<net::ConnectRace> race_;
  std::string_view scheme_;
  net::IoRegistration registration_;
  net::Timer connect_timer_;
  net::MemberTask<ClientConnection, &ClientConnection::Flush> flush_task_{*this};

  State state_ = State::kConnecting;
  std::string preamble_;
  bool readable_ = false;     // the kernel may hold bytes
  bool peer_closed_ = false;  // an edge said so; what it sent before may still have to be read
  bool going_away_ = false;   // no new streams
  int32_t last_processed_ = INT32_MAX;  // as GOAWAY said
  uint32_t attempts_ = 0;
  net::TimePoint last_read_;
  net::TimePoint idle_since_;
  net::TimePoint started_;

  base::Arena header_arena_;  // of the header block that is being read; there is one at a time
  codec::OutputQueue output_;
  uint64_t counted_written_ = 0;  // of output_.written(), already in the counters
  Session session_;
  std::vector<std::unique_ptr<ClientStream>> streams_;
};

}  // namespace headgate::http2
