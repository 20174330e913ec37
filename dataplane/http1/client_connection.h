#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/base/byte_buffer.h"
#include "dataplane/codec/options.h"
#include "dataplane/codec/output_queue.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/http/stream.h"
#include "dataplane/http1/body_reader.h"
#include "dataplane/http1/head_scanner.h"
#include "dataplane/net/connect_race.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/transport.h"

namespace headgate::http1 {

class ClientConnection;

// Where a connection lives (a pool). Both calls may come from inside ClientStream::Reset, so they
// do bookkeeping only: no calls to exchanges.
class ClientConnectionOwner {
 public:
  // The exchange is complete and the connection may serve another one.
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

// HTTP/1.1 with one upstream endpoint, one request at a time.
//
// fresh (connecting) → StartAttempt → … → idle → StartAttempt → … → closed. A fresh connection may
// be given its attempt while it still connects; connection errors are then the attempt's failure.
// While idle, any byte or the end of the stream closes it.
//
// A response of status 101 to a request with `upgrade` makes it a tunnel, and its attempt the last
// one. It closes when both directions have ended and what was written is with the kernel, also
// after the attempt's last event.
class ClientConnection final : public net::Retirable,
                               public http::ClientStream,
                               private net::IoHandler,
                               private net::ConnectRace::Owner,
                               private net::TimerHandler {
 public:
  // `transport` is over a socket whose connect has been started (or is complete), or null for
  // StartRace. The others outlive the connection.
  ClientConnection(codec::WorkerIo& io, const codec::ClientOptions& options,
                   ClientConnectionOwner& owner, std::unique_ptr<net::Transport> transport);
  ~ClientConnection() override;

  // Registers with the loop. `preamble`: a few bytes that the endpoint is sent before anything
  // else, TLS included. False: out of resources, the connection is of no use; drop it.
  [[nodiscard]] bool Start(codec::milliseconds connect_timeout, std::string_view preamble = {});
  // Instead, for a connection without a transport: with whichever of the addresses answers first.
  void StartRace(std::vector<base::Address> addresses, codec::milliseconds connect_timeout,
                 std::string_view preamble);

  // Begins an attempt; send through the returned stream. `arena` gets the response heads and, like
  // `events`, lives until the attempt's last event. REQUIRES: available().
  http::ClientStream& StartAttempt(http::ClientStreamEvents& events, base::Arena& arena,
                                   const codec::AttemptTimeouts& timeouts);

  // Fresh or idle, and alive.
  bool available() const { return state_ != State::kClosed && !attempt_open_; }
  // Closes an idle or fresh connection. OnConnectionClosed is called from inside.
  void Close();

  // http::ClientStream
  void SendHead(const http::RequestHead& head, bool end) override;
  void SendBody(std::string_view piece, bool end) override;
  uint64_t pipe_room() const override;
  void SendPipe(base::PipePtr pipe, bool end) override;
  void SendTrailers(const http::HeaderMap& trailers) override;
  void PauseReading() override;
  void ResumeReading() override;
  void Reset() override;
  size_t unsent_bytes() const override {
    return output_.has_pipe() ? http::ServerStream::kHighWater + output_.size() : output_.size();
  }
  bool connected() const override { return state_ == State::kOpen; }
  bool reused() const override { return reused_; }

  // When the last attempt ended; for idle timeouts kept by the owner.
  net::TimePoint idle_since() const { return idle_since_; }
  // It has come to the age from which it gets no more requests.
  bool too_old() const {
    return options_.max_age.count() != 0 && io_.loop().now() - started_ >= options_.max_age;
  }

 private:
  enum class State : uint8_t { kConnecting, kHandshake, kOpen, kClosed };
  enum class Response : uint8_t { kNone, kHead, kBody, kComplete };

  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  void ContinueConnecting(bool writable);
  void OnRaceWon(net::Fd fd, net::IoRegistration registration, const base::Address& address,
                 net::IoEvents edges) override;
  void OnRaceLost() override;
  void EndRace();

  // Reading. All of these may end with the connection closed or the attempt over.
  bool WantsToRead() const;
  void ReadAndProcess();
  base::PipePtr TakePipe(uint64_t& limit);
  void Process(std::string_view data);
  void ProcessPipe(base::PipePtr pipe);
  size_t ProcessSome(std::string_view data);
  size_t ProcessHead(std::string_view data);
  size_t ProcessBody(std::string_view data);
  void OnReadEnd(bool orderly);
  void UpdateReadTimer();

  // Writing.
  void Write(std::string_view before, std::string_view piece, std::string_view after);
  void AfterSend(codec::OutputQueue::Result result);
  void EndRequest();
  void ScheduleFlush();
  void Flush();
  void AfterWriteFailure();
  void MaybeNotifyWritable();

  // Tunnels.
  size_t StartTunnel(size_t head_size);
  void EndTunnelSide();

  // Ending.
  void MaybeFinishAttempt();
  // Closes, then tells the exchange.
  void Fail(base::Failure::Kind kind, std::string_view detail);
  base::Failure::Retry RetryAfterFailure(base::Failure::Kind kind) const;
  void RunReady();

  codec::WorkerIo& io_;
  const codec::ClientOptions& options_;
  ClientConnectionOwner& owner_;
  std::unique_ptr<net::Transport> transport_;  // null: there is a race, or the connection is closed
  std::unique_ptr<net::ConnectRace> race_;
  net::IoRegistration registration_;
  net::Timer read_timer_;
  net::Timer send_timer_;
  net::MemberTask<ClientConnection, &ClientConnection::RunReady> ready_task_;
  net::MemberTask<ClientConnection, &ClientConnection::Flush> flush_task_;

  State state_ = State::kConnecting;
  std::string preamble_;
  bool readable_ = false;      // the kernel may hold bytes
  bool bulk_ = false;          // it held more than one read takes
  bool peer_closed_ = false;   // an edge said so; what it sent before may still have to be read
  bool reused_ = false;        // it was established before the attempt
  bool attempt_open_ = false;  // between StartAttempt and FinishAttempt, Reset or failure

  // Attempt.
  http::ClientStreamEvents* events_ = nullptr;
  base::Arena* arena_ = nullptr;
  codec::AttemptTimeouts timeouts_;
  uint32_t attempts_ = 0;
  uint32_t pause_count_ = 0;

  // Request.
  codec::OutputQueue output_;
  uint64_t written_before_ = 0;   // output_.written() when the attempt began
  uint64_t counted_written_ = 0;  // of output_.written(), already in the counters
  http::BodyLength::Kind framing_ = http::BodyLength::Kind::kNone;
  uint64_t fixed_left_ = 0;
  bool head_request_ = false;
  bool request_head_sent_ = false;
  bool request_ended_ = false;
  bool was_above_high_water_ = false;
  bool write_failed_ = false;
  std::string_view upgrade_;        // the protocol asked for
  std::string_view websocket_key_;  // as in RequestHead
  bool tunnel_ = false;             // and switched to

  // Response.
  Response response_ = Response::kNone;
  base::ByteBuffer input_;
  HeadScanner scanner_;
  BodyReader body_reader_;
  http::ResponseHead head_;
  uint32_t informational_ = 0;
  bool received_ = false;  // any byte of the response
  bool reusable_ = false;  // as the response said
  bool excess_ = false;    // bytes came after it

  net::TimePoint idle_since_;
  net::TimePoint started_;
};

}  // namespace headgate::http1
