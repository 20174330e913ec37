#include "dataplane/http2/client_stream.h"

#include <utility>

#include "common/check.h"
#include "dataplane/codec/websocket.h"
#include "dataplane/http2/client_connection.h"

namespace headgate::http2 {

using base::Failure;
using http::BodyLength;
using observe::CounterId;

ClientStream::ClientStream(ClientConnection& connection, http::ClientStreamEvents& events,
                           base::Arena& arena, const codec::AttemptTimeouts& timeouts, bool reused)
    : connection_(connection),
      events_(&events),
      arena_(&arena),
      timeouts_(timeouts),
      reused_(reused),
      timer_(connection.io_.loop().timers(), *this),
      started_(connection.io_.loop().now()),
      trailer_arena_(connection.io_.blocks()) {}

bool ClientStream::connected() const {
  return connection_.state_ == ClientConnection::State::kOpen;
}

void ClientStream::OnConnected() {
  UpdateTimer();
  if (events_ != nullptr) events_->OnUpstreamWritable();
}

// ---- the request ----

void ClientStream::SendHead(const http::RequestHead& head, bool end) {
  if (events_ == nullptr || request_id_ != 0) return;
  head_request_ = head.method == http::Method::kHead;
  if (!head.upgrade.empty()) {
    upgrade_ = &head;
    request_ended_ = end;
    if (head.method != http::Method::kGet)
      upgrade_refused_ = "such an upgrade has no form in HTTP/2";
    return connection_.io_.loop().Schedule(ready_task_);
  }
  request_refused_ = !connection_.session_.SendRequest(*this, head, connection_.scheme_, end);
  if (request_refused_) return connection_.io_.loop().Schedule(ready_task_);
  request_id_ = id();
  request_ended_ = end;
  connection_.io_.counters()[CounterId::kUpstreamRequests].Add();
  connection_.io_.counters()[CounterId::kUpstreamHttp2Streams].Add();
  if (reused_) connection_.io_.counters()[CounterId::kUpstreamReuses].Add();
  connection_.ScheduleFlush();
  UpdateTimer();
}

// RFC 8441 needs the peer's consent, which comes with its settings.
void ClientStream::SendUpgrade() {
  if (request_id_ != 0) return;
  if (upgrade_refused_.empty()) {
    if (!connection_.session_.knows_peer()) return UpdateTimer();
    if (!connection_.session_.peer_takes_extended_connect()) {
      upgrade_refused_ = "upstream takes no extended CONNECT";
    } else if (!connection_.session_.SendRequest(*this, *upgrade_, connection_.scheme_, false)) {
      request_refused_ = true;
      return;
    }
  }
  if (!upgrade_refused_.empty()) {
    // Says nothing about how well the endpoint is.
    const Failure failure{Failure::Side::kInternal, Failure::Kind::kProtocol,
                          Failure::Retry::kNever, upgrade_refused_};
    timer_.Cancel();
    std::exchange(events_, nullptr)->OnUpstreamReset(failure);
    return EndIfOver();
  }
  request_id_ = id();
  connection_.io_.counters()[CounterId::kUpstreamRequests].Add();
  connection_.io_.counters()[CounterId::kUpstreamHttp2Streams].Add();
  if (reused_) connection_.io_.counters()[CounterId::kUpstreamReuses].Add();
  connection_.ScheduleFlush();
  UpdateTimer();
}

void ClientStream::OnSettings() {
  if (upgrade_ != nullptr && events_ != nullptr && request_id_ == 0)
    connection_.io_.loop().Schedule(ready_task_);
}

void ClientStream::SendBody(std::string_view piece, bool end) {
  if (events_ == nullptr || request_ended_) return;
  request_ended_ = end;
  connection_.session_.SendBody(*this, piece, end);
  if (unsent() > http::ServerStream::kHighWater) was_above_high_water_ = true;
  connection_.ScheduleFlush();
  UpdateTimer();
  if (tunnel_) EndTunnelSide();
}

void ClientStream::SendTrailers(const http::HeaderMap& trailers) {
  if (events_ == nullptr || request_ended_) return;
  request_ended_ = true;
  http::HeaderMap kept;
  for (const http::Field& field : trailers) {
    kept.Add({trailer_arena_.Copy(field.name), trailer_arena_.Copy(field.value), field.id,
              field.hop_by_hop});
  }
  connection_.session_.SendTrailers(*this, kept);
  connection_.ScheduleFlush();
  UpdateTimer();
}

void ClientStream::OnBodyTaken(size_t /*size*/) {
  UpdateTimer();
  if (!was_above_high_water_ || unsent() >= http::ServerStream::kLowWater) return;
  was_above_high_water_ = false;
  if (events_ != nullptr && !request_ended_) events_->OnUpstreamWritable();
}

void ClientStream::OnEndSent() {
  end_sent_ = true;
  UpdateTimer();
}

// ---- the response ----

base::Arena& ClientStream::header_arena() {
  connection_.header_arena_.Clear();
  return connection_.header_arena_;
}

void ClientStream::OnHeaders(HeaderBlock& block, bool end) {
  if (events_ == nullptr) return;
  UpdateTimer();
  if (!head_received_) return OnHead(block, end);
  if (const HeadResult result = CheckTrailers(block); !result.ok()) {
    return Fail(Failure::Kind::kProtocol, ErrorCode::kProtocolError, result.detail);
  }
  KeepInArena(block.fields);
  std::swap(held_trailers_, block.fields);  // OnEnd follows
}

void ClientStream::OnHead(HeaderBlock& block, bool end) {
  const HeadResult result = MakeResponseHead(block, head_request_, end, head_);
  if (!result.ok()) return Fail(Failure::Kind::kProtocol, ErrorCode::kProtocolError, result.detail);
  KeepInArena(head_.fields);
  if (head_.status < 200) {
    if (++informational_ > kMaxInformational) {
      return Fail(Failure::Kind::kProtocol, ErrorCode::kEnhanceYourCalm,
                  "too many informational responses");
    }
    return events_->OnResponseInformational(head_);
  }
  head_received_ = true;
  if (upgrade_ != nullptr && head_.status < 300) return StartTunnel();
  // A response that has no body ends here, even if the peer says so in a frame of its own.
  const bool complete = end || head_.body.kind == BodyLength::Kind::kNone;
  (complete ? LastEvent() : *events_).OnResponseHead(head_, complete);
}

// The answer as one of HTTP/1.1 would be. What the peer's body is framed by does not count (RFC
// 9110 section 9.3.6).
void ClientStream::StartTunnel() {
  tunnel_ = true;
  request_ended_ = false;
  head_.status = 101;
  head_.body = BodyLength::UntilClose();
  head_.fields.Remove(http::FieldId::kContentLength);
  head_.fields.Remove("sec-websocket-accept");
  if (const std::string_view key = upgrade_->fields.Get("sec-websocket-key"); !key.empty()) {
    head_.fields.Add("Sec-WebSocket-Accept", codec::WebSocketAccept(key, *arena_));
  }
  upgrade_ = nullptr;
  UpdateTimer();
  events_->OnResponseHead(head_, false);
}

// One direction has ended. With the second the exchange is through with us.
void ClientStream::EndTunnelSide() {
  if (!request_ended_ || !response_ended_) return;
  events_ = nullptr;
  connection_.io_.loop().Schedule(ready_task_);
}

void ClientStream::OnData(std::string_view piece) {
  if (events_ == nullptr) {
    connection_.session_.ReturnCredit(*this);  // nobody's any more, but the connection's credit is
    return connection_.ScheduleFlush();
  }
  UpdateTimer();
  if (pause_count_ > 0) return held_.Append(piece);  // at most one window of it
  events_->OnResponseBody(piece, false);
  if (pause_count_ > 0) return;
  connection_.session_.ReturnCredit(*this);
  connection_.ScheduleFlush();
}

void ClientStream::OnEnd() {
  if (events_ == nullptr) return;
  held_end_ = true;
  if (pause_count_ == 0) Deliver();
}

// What was held, and the end.
void ClientStream::Deliver() {
  if (!held_.empty()) {
    events_->OnResponseBody(held_.view(), false);
    if (events_ == nullptr) return;
    held_.Clear();
  }
  if (held_end_) {
    if (pause_count_ > 0 || response_ended_) return;
    if (tunnel_) {
      response_ended_ = true;
      events_->OnResponseBody({}, true);
      if (events_ == nullptr) return;
      EndTunnelSide();
      // The peer has forgotten the stream although it had not heard everything: it does not want
      // the rest.
      if (events_ != nullptr && forgotten_)
        Report(Failure::Kind::kReset, true, "upstream reset the stream");
      return EndIfOver();
    }
    http::ClientStreamEvents& events = LastEvent();
    if (held_trailers_.empty()) {
      events.OnResponseBody({}, true);
    } else {
      events.OnResponseTrailers(held_trailers_);
    }
    return EndIfOver();
  }
  if (pause_count_ > 0) return;
  connection_.session_.ReturnCredit(*this);
  connection_.ScheduleFlush();
}

http::ClientStreamEvents& ClientStream::LastEvent() {
  // The rest of a request that was answered without it is of no use.
  if (request_ended_ && !end_sent_) {
    connection_.session_.Reset(*this, ErrorCode::kCancel);
    connection_.ScheduleFlush();
  }
  return *std::exchange(events_, nullptr);
}

void ClientStream::KeepInArena(http::HeaderMap& fields) {
  http::HeaderMap kept;
  kept.Reserve(fields.size());
  for (const http::Field& field : fields) {
    kept.Add({arena_->Copy(field.name), arena_->Copy(field.value), field.id, field.hop_by_hop});
  }
  std::swap(fields, kept);
}

void ClientStream::PauseReading() {
  ++pause_count_;
  UpdateTimer();
}

void ClientStream::ResumeReading() {
  HEADGATE_CHECK(pause_count_ > 0);
  if (--pause_count_ > 0 || events_ == nullptr) return;
  UpdateTimer();
  connection_.io_.loop().Schedule(ready_task_);
}

void ClientStream::RunReady() {
  if (events_ == nullptr) return EndIfOver();
  if (upgrade_ != nullptr) SendUpgrade();
  if (events_ == nullptr) return;
  if (request_refused_) {
    const Failure failure{Failure::Side::kUpstream, Failure::Kind::kProtocol,
                          Failure::Retry::kAlways, "no stream could be opened"};
    std::exchange(events_, nullptr)->OnUpstreamReset(failure);
    return EndIfOver();
  }
  if (pause_count_ == 0) Deliver();
}

// ---- the end ----

// While bytes of the request wait, the peer must take some; then it must answer.
void ClientStream::UpdateTimer() {
  if (connection_.state_ != ClientConnection::State::kOpen) return;
  const bool over = events_ == nullptr;
  if (!over && unsent() > 0) {
    timer_.Arm(timeouts_.send);
  } else if (over || (request_ended_ && pause_count_ == 0 && !tunnel_)) {
    timer_.Arm(timeouts_.read);
  } else {
    timer_.Cancel();
  }
}

void ClientStream::OnTimer(net::Timer& /*timer*/) {
  if (events_ == nullptr) {  // complete for us; the peer has forgotten to end it
    connection_.session_.Reset(*this, ErrorCode::kCancel);
    return connection_.ScheduleFlush();
  }
  connection_.io_.counters()[CounterId::kUpstreamTimeouts].Add();
  const bool sending = unsent() > 0;
  if (connection_.DistrustAfterTimeout(started_)) return;
  Fail(Failure::Kind::kTimeout, ErrorCode::kCancel,
       sending ? "upstream does not read the request" : "upstream does not answer in time");
}

void ClientStream::Reset() {
  events_ = nullptr;
  timer_.Cancel();
  ready_task_.Unlink();
  held_.Clear();
  if (id() != 0) {
    connection_.session_.Reset(*this, ErrorCode::kCancel);
    connection_.ScheduleFlush();
  }
  EndIfOver();
}

void ClientStream::Fail(Failure::Kind kind, ErrorCode error, std::string_view detail) {
  connection_.session_.Reset(*this, error);
  connection_.ScheduleFlush();
  Report(kind, true, detail);
  EndIfOver();  // where there was no stream yet
}

void ClientStream::OnClosed(ErrorCode error) {
  forgotten_ = true;
  if (events_ != nullptr && (!held_end_ || response_ended_)) {
    const bool refused =
        error == ErrorCode::kRefusedStream || !connection_.MayHaveProcessed(request_id_);
    if (refused) connection_.io_.counters()[CounterId::kUpstreamHttp2StreamsRefused].Add();
    const bool protocol =
        error == ErrorCode::kProtocolError || error == ErrorCode::kFlowControlError ||
        error == ErrorCode::kFrameSizeError || error == ErrorCode::kCompressionError;
    Report(protocol ? Failure::Kind::kProtocol : Failure::Kind::kReset, !refused,
           refused ? "upstream refused the stream" : "upstream reset the stream");
  }
  EndIfOver();
}

// The exchange and the session are both done with it. The exchange may still want what is held.
void ClientStream::EndIfOver() {
  if (events_ != nullptr || over_ || (request_id_ != 0 && !forgotten_)) return;
  over_ = true;
  timer_.Cancel();
  connection_.OnStreamOver(*this);
}

void ClientStream::OnConnectionClosed(Failure::Kind kind, bool sent, std::string_view detail) {
  forgotten_ = true;
  timer_.Cancel();
  if (events_ != nullptr && (!held_end_ || response_ended_))
    Report(kind, sent && connection_.MayHaveProcessed(request_id_), detail);
  EndIfOver();
}

void ClientStream::Report(Failure::Kind kind, bool sent, std::string_view detail) {
  if (events_ == nullptr) return;
  Failure failure{Failure::Side::kUpstream, kind, Failure::Retry::kIdempotent, detail};
  if (!sent) {
    failure.retry = Failure::Retry::kAlways;
  } else if (head_received_ || informational_ > 0 || kind == Failure::Kind::kProtocol) {
    failure.retry = Failure::Retry::kNever;
  }
  if (kind == Failure::Kind::kProtocol) {
    connection_.io_.counters()[CounterId::kUpstreamProtocolErrors].Add();
  } else if (kind == Failure::Kind::kReset || kind == Failure::Kind::kClosed) {
    connection_.io_.counters()[CounterId::kUpstreamResets].Add();
  }
  timer_.Cancel();
  std::exchange(events_, nullptr)->OnUpstreamReset(failure);
}

}  // namespace headgate::http2
