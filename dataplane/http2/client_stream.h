#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/base/byte_buffer.h"
#include "dataplane/base/failure.h"
#include "dataplane/codec/options.h"
#include "dataplane/http/stream.h"
#include "dataplane/http2/session.h"
#include "dataplane/net/event_loop.h"

namespace headgate::http2 {

class ClientConnection;

// One attempt on an HTTP/2 connection with an upstream endpoint. Owned by the connection until the
// session has forgotten it, which may be after the exchange has: then it tells nobody anything any
// more.
class ClientStream final : public net::Retirable,
                           public http::ClientStream,
                           public Stream,
                           private net::TimerHandler {
 public:
  // `arena` gets the response heads and, like `events`, lives until the last event.
  ClientStream(ClientConnection& connection, http::ClientStreamEvents& events, base::Arena& arena,
               const codec::AttemptTimeouts& timeouts, bool reused);

  // http::ClientStream
  void SendHead(const http::RequestHead& head, bool end) override;
  void SendBody(std::string_view piece, bool end) override;
  void SendTrailers(const http::HeaderMap& trailers) override;
  void PauseReading() override;
  void ResumeReading() override;
  void Reset() override;
  size_t unsent_bytes() const override { return unsent(); }
  bool connected() const override;
  bool reused() const override { return reused_; }

  // For the connection.
  void OnConnected();
  // The peer's settings have come, or changed.
  void OnSettings();
  // The connection has closed. `sent`: the peer may have seen requests.
  void OnConnectionClosed(base::Failure::Kind kind, bool sent, std::string_view detail);

  // The connection's place for it.
  size_t owner_index = 0;

 private:
  static constexpr uint32_t kMaxInformational = 32;

  // Stream
  base::Arena& header_arena() override;
  void OnHeaders(HeaderBlock& block, bool end) override;
  void OnData(std::string_view piece) override;
  void OnEnd() override;
  void OnBodyTaken(size_t size) override;
  void OnEndSent() override;
  void OnClosed(ErrorCode error) override;

  void OnTimer(net::Timer& timer) override;
  void RunReady();

  void SendUpgrade();
  void OnHead(HeaderBlock& block, bool end);
  void StartTunnel();
  void EndTunnelSide();
  // The response is complete: the exchange hears of nothing further.
  http::ClientStreamEvents& LastEvent();
  void KeepInArena(http::HeaderMap& fields);
  void Deliver();
  void UpdateTimer();
  // Gives up on the stream because of the peer, then tells the exchange.
  void Fail(base::Failure::Kind kind, ErrorCode error, std::string_view detail);
  // `sent`: the peer may have seen the request.
  void Report(base::Failure::Kind kind, bool sent, std::string_view detail);
  void EndIfOver();

  ClientConnection& connection_;
  http::ClientStreamEvents* events_;  // null: the exchange wants to hear nothing any more
  base::Arena* arena_;
  const codec::AttemptTimeouts timeouts_;
  const bool reused_;
  net::Timer timer_;
  net::MemberTask<ClientStream, &ClientStream::RunReady> ready_task_{*this};
  const net::TimePoint started_;

  int32_t request_id_ = 0;
  uint32_t pause_count_ = 0;
  uint32_t informational_ = 0;
  bool head_request_ = false;
  bool request_refused_ = false;                // the session takes no stream any more
  const http::RequestHead* upgrade_ = nullptr;  // waits for the peer's settings, or for its answer
  std::string_view upgrade_refused_;            // why it cannot be asked for
  bool tunnel_ = false;
  bool response_ended_ = false;  // of a tunnel, and the exchange knows
  bool request_ended_ = false;   // all of it was given to us
  bool end_sent_ = false;        // and is in the output
  bool head_received_ = false;
  bool was_above_high_water_ = false;
  bool forgotten_ = false;  // by the session
  bool over_ = false;

  // What came while reading was paused.
  base::ByteBuffer held_;
  bool held_end_ = false;
  http::HeaderMap held_trailers_;  // in the exchange's arena; with held_end_

  http::ResponseHead head_;
  base::Arena trailer_arena_;  // for the request's trailers, which may outlive the exchange
};

}  // namespace headgate::http2
