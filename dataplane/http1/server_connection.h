#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/base/byte_buffer.h"
#include "dataplane/codec/output_queue.h"
#include "dataplane/codec/server_connection.h"
#include "dataplane/http/stream.h"
#include "dataplane/http1/body_reader.h"
#include "dataplane/http1/head_scanner.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/transport.h"

namespace headgate::http1 {

// HTTP/1.x with one client: strict request parsing, one exchange at a time, pipelined requests
// answered in order. Lives with its codec::ServerConnectionOwner.
//
// Lifecycle of a request: head → OnRequest → body events ‖ Send calls → response flushed →
// OnExchangeDone → next head. Reading stops while the exchange has paused it and while it only
// waits for its response; what arrived early stays in `input_`.
//
// After a response of status 101 both directions carry bytes of another protocol, and each ends by
// itself. A request for an upgrade that is answered otherwise is the last one of its connection:
// what the client sent behind it may have been meant for the other protocol, so it is never read as
// a request.
class ServerConnection final : public codec::ServerConnection,
                               public http::ServerStream,
                               private net::IoHandler,
                               private net::TimerHandler {
 public:
  // `environment` outlives the connection.
  ServerConnection(const codec::ServerEnvironment& environment, codec::Accepted accepted);
  ~ServerConnection() override;

  // Call once, when the owner holds this. `early` are bytes of the first request that have been
  // read already, valid during the call; `edges` have come for it. The first head's time runs from
  // here. `draining`: no second request. May end with the connection closed.
  void Start(std::string_view early, net::IoEvents edges, bool draining);

  // codec::ServerConnection
  void AnnounceEnd() override { end_announced_ = true; }
  void Drain() override;
  void Abort(const base::Failure& failure) override { FailExchange(failure); }

  // http::ServerStream
  void SendInformational(const http::ResponseHead& head) override;
  void SendHead(const http::ResponseHead& head, bool end) override;
  void SendBody(std::string_view piece, bool end) override;
  uint64_t pipe_room() const override;
  void SendPipe(base::PipePtr pipe, bool end) override;
  void SendTrailers(const http::HeaderMap& trailers) override;
  void PauseReading() override;
  void ResumeReading() override;
  void Reset() override;
  size_t unsent_bytes() const override {
    return output_.has_pipe() ? kHighWater + output_.size() : output_.size();
  }
  uint64_t sent_head_bytes() const override { return head_sent_ ? sent_head_bytes_ : 0; }
  base::Arena& arena() override { return arena_; }
  const http::ConnectionInfo& connection() const override { return info_; }

 private:
  enum class State : uint8_t {
    kHead,       // between requests or reading a head
    kBody,       // an exchange is on and its request not complete
    kExchange,   // an exchange is on and its request complete
    kTunnel,     // the protocol was switched; the client's direction is open
    kDrainBody,  // the exchange is over; the rest of its request is read and dropped
    kLinger,     // our direction has ended; reads and drops until the client closes too
    kClosed,
  };
  // How the response body is written.
  enum class Framing : uint8_t { kNone, kFixed, kChunked, kUntilClose };

  // net::IoHandler, net::TimerHandler
  void OnIo(net::IoEvents events) override;
  void OnTimer(net::Timer& timer) override;

  // Reading. All of these may end with the connection closed.
  bool WantsToRead() const;
  void ReadAndProcess();
  base::PipePtr TakePipe(uint64_t& limit);
  void Process(std::string_view data);
  void ProcessPipe(base::PipePtr pipe);
  size_t ProcessSome(std::string_view data);
  size_t ProcessHead(std::string_view data);
  size_t ProcessBody(std::string_view data);
  size_t ProcessTunnel(std::string_view data);
  void EndTunnelRequest();
  void OnReadEnd(bool orderly);
  void StartExchange(bool more_follows);
  void RequestComplete();
  void RearmBodyTimer();

  // Writing.
  void Write(std::string_view before, std::string_view piece, std::string_view after);
  void AfterSend(codec::OutputQueue::Result result);
  void ScheduleFlush();
  void Flush();
  void MaybeNotifyWritable();
  void MaybeSendContinue();
  bool DecideKeepAlive() const;
  void EndResponse();
  void FinishExchange();
  void ReleaseExchange();
  void AwaitNextRequest();

  // Ending.
  void Refuse(uint16_t status, const base::Failure& failure, std::string_view request_line,
              bool exchange_known);
  void FailExchange(const base::Failure& failure);
  void StartLinger();
  // `abort`: a response that ends with the connection must not look complete, so the client gets a
  // reset.
  void Close(bool abort);
  void CountActive(bool active);

  // The loop's entry for what must not happen inside a call of the exchange.
  void RunReady();

  const codec::ServerEnvironment& environment_;
  codec::WorkerIo& io_;
  const codec::ServerOptions& options_;
  std::unique_ptr<net::Transport> transport_;
  net::IoRegistration registration_;
  net::Timer read_timer_;
  net::Timer send_timer_;
  net::MemberTask<ServerConnection, &ServerConnection::RunReady> ready_task_;
  net::MemberTask<ServerConnection, &ServerConnection::Flush> flush_task_;

  State state_ = State::kHead;
  bool readable_ = false;       // the kernel may hold bytes
  bool peer_closed_ = false;    // an edge said so; what it sent before may still have to be read
  bool read_ended_ = false;     // the client has ended its direction, and all was read
  bool end_announced_ = false;  // to clients whose responses begin from here on
  bool draining_ = false;
  bool counted_active_ = false;  // in kDownstreamRequestsActive
  bool write_failed_ = false;

  // Request.
  base::ByteBuffer input_;  // read but not used yet
  HeadScanner scanner_;
  BodyReader body_reader_;
  base::Arena arena_;
  http::RequestHead head_;
  http::ServerStreamEvents* events_ = nullptr;
  uint32_t requests_ = 0;
  uint32_t pause_count_ = 0;
  bool head_started_ = false;  // some byte of the head to come has arrived
  bool client_keep_alive_ = false;
  bool expect_pending_ = false;  // the client may be waiting for 100
  uint64_t drained_bytes_ = 0;

  // Response.
  codec::OutputQueue output_;
  uint64_t fixed_left_ = 0;
  uint64_t counted_written_ = 0;  // of output_.written(), already in the counters
  uint32_t sent_head_bytes_ = 0;
  Framing framing_ = Framing::kNone;
  bool head_sent_ = false;
  bool response_ended_ = false;
  bool keep_alive_ = false;  // after this response
  bool refusing_ = false;    // the answer is to something that is no request
  bool was_above_high_water_ = false;

  http::ConnectionInfo info_;
};

}  // namespace headgate::http1
