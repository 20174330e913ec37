#include "dataplane/http2/server_stream.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "common/log.h"
#include "dataplane/base/pooled_memory.h"
#include "dataplane/codec/websocket.h"
#include "dataplane/http2/server_connection.h"

namespace headgate::http2 {
namespace {

using base::Failure;
using http::BodyLength;
using observe::CounterId;

Failure ClientFailure(Failure::Kind kind, std::string_view detail) {
  return {.side = Failure::Side::kDownstream, .kind = kind, .detail = detail};
}

}  // namespace

void* ServerStream::operator new(size_t size) { return base::pooled_memory::Take(size); }
void ServerStream::operator delete(void* memory, size_t size) {
  base::pooled_memory::Give(memory, size);
}

ServerStream::ServerStream(ServerConnection& connection)
    : connection_(connection),
      read_timer_(connection.io_.loop().timers(), *this),
      send_timer_(connection.io_.loop().timers(), *this),
      arena_(connection.io_.blocks()) {}

ServerStream::~ServerStream() = default;

const http::ConnectionInfo& ServerStream::connection() const { return connection_.info_; }

// ---- the request ----

void ServerStream::OnHeaders(HeaderBlock& block, bool end) {
  if (!head_received_) {
    head_received_ = true;
    OnRequestHeaders(block, end);
    return;
  }
  if (events_ == nullptr) return;
  if (const HeadResult result = CheckTrailers(block); !result.ok()) {
    connection_.session_.Reset(*this, ErrorCode::kProtocolError);
    FailExchange(ClientFailure(result.kind, result.detail));
    return;
  }
  std::swap(trailers_in_, block.fields);
}

void ServerStream::OnRequestHeaders(HeaderBlock& block, bool end) {
  connection_.io_.counters()[CounterId::kDownstreamRequests].Add();
  const HeadResult result =
      MakeRequestHead(block, HeadLimits::Of(connection_.options_.limits), end, arena_, head_);
  if (result.ok()) {
    StartExchange(end);
  } else if (result.status == 400) {
    // RFC 9113 section 8.1.1: malformed is a stream error.
    connection_.io_.counters()[CounterId::kDownstreamBadRequests].Add();
    over_ = true;
    connection_.session_.Reset(*this, ErrorCode::kProtocolError);
    connection_.environment_.handler.OnBadRequest(
        *this, {.failure = ClientFailure(result.kind, result.detail),
                .request_line = RequestLine(),
                .reset = true});
  } else {
    request_ended_ = end;
    Refuse(result.status, ClientFailure(result.kind, result.detail), false);
  }
}

void ServerStream::StartExchange(bool end) {
  awaits_switch_ = !head_.upgrade.empty();
  if (http::EqualsIgnoreCase(head_.upgrade, "websocket")) {
    head_.fields.Remove("sec-websocket-key");
    head_.websocket_key = codec::MakeWebSocketKey(arena_);
    head_.fields.Add("sec-websocket-key", head_.websocket_key);
  }
  request_ended_ = end;
  request_delivered_ = end;
  expect_pending_ = head_.expect_continue;
  CountActive(true);
  http::ServerStreamEvents* events =
      connection_.environment_.handler.OnRequest(*this, head_, end || awaits_switch_);
  if (over_) return;
  events_ = events;
  MaybeSendContinue();
  RearmBodyTimer();
}

void ServerStream::OnData(std::string_view piece) {
  expect_pending_ = false;
  const bool declined = awaits_switch_ && head_sent_;
  if (events_ == nullptr || (!tunnel_ && (response_ended_ || declined))) {
    connection_.session_.ReturnCredit(*this);  // nobody wants it
    return;
  }
  if (pause_count_ > 0 || (awaits_switch_ && !tunnel_) || !input_.empty()) {
    input_.Append(piece);
    return;
  }
  events_->OnRequestBody(piece, false);
  if (over_) return;
  if (pause_count_ == 0) {
    connection_.session_.ReturnCredit(*this);
    RearmBodyTimer();
  }
}

void ServerStream::OnEnd() {
  request_ended_ = true;
  if (input_.empty() && pause_count_ == 0) DeliverEnd();
}

// What waited while the exchange had paused.
void ServerStream::Deliver() {
  if (awaits_switch_ && !tunnel_) return;
  if (!input_.empty() && pause_count_ == 0 && events_ != nullptr) {
    const size_t size = input_.size();
    events_->OnRequestBody(input_.view(), false);
    if (over_) return;
    input_.Consume(size);
    if (pause_count_ == 0) connection_.session_.ReturnCredit(*this);
    connection_.ScheduleFlush();
  }
  if (input_.empty() && pause_count_ == 0 && request_ended_) DeliverEnd();
}

void ServerStream::DeliverEnd() {
  if (request_delivered_ || events_ == nullptr || (awaits_switch_ && !tunnel_)) return;
  request_delivered_ = true;
  read_timer_.Cancel();
  if (response_ended_ && !tunnel_) return;
  if (trailers_in_.empty() || tunnel_) {
    events_->OnRequestBody({}, true);
  } else {
    events_->OnRequestTrailers(trailers_in_);
  }
  // A tunnel may have waited for this.
  if (!over_ && tunnel_ && response_written(connection_.output_.written())) FinishExchange();
}

void ServerStream::RearmBodyTimer() {
  if (awaits_body() && !tunnel_ && pause_count_ == 0 && !request_ended_) {
    read_timer_.Arm(connection_.options_.body_timeout);
  } else {
    read_timer_.Cancel();
  }
}

void ServerStream::PauseReading() {
  ++pause_count_;
  read_timer_.Cancel();
}

void ServerStream::ResumeReading() {
  HEADGATE_CHECK(pause_count_ > 0);
  if (--pause_count_ > 0 || over_) return;
  MaybeSendContinue();
  RearmBodyTimer();
  connection_.io_.loop().Schedule(ready_task_);
}

void ServerStream::RunReady() {
  if (over_) return;
  if (truncated_) {
    FinishExchange();
    return;
  }
  // Credit that was held back although all was delivered.
  if (pause_count_ == 0 && input_.empty()) {
    connection_.session_.ReturnCredit(*this);
    connection_.ScheduleFlush();
  }
  Deliver();
}

void ServerStream::OnTimer(net::Timer& timer) {
  connection_.io_.counters()[CounterId::kDownstreamTimeouts].Add();
  if (&timer == &send_timer_) {
    connection_.io_.counters()[CounterId::kHttp2StalledStreams].Add();
    connection_.session_.Reset(*this, ErrorCode::kCancel);
    connection_.ScheduleFlush();
    FailExchange(ClientFailure(Failure::Kind::kTimeout, "client does not read the response"));
    return;
  }
  const Failure failure = ClientFailure(Failure::Kind::kTimeout, "request body took too long");
  if (!head_sent_) {
    http::ServerStreamEvents* const events = std::exchange(events_, nullptr);
    connection_.io_.counters()[CounterId::kDownstreamResets].Add();
    events->OnDownstreamReset(failure);
    Refuse(408, failure, true);
    return;
  }
  connection_.session_.Reset(*this, ErrorCode::kCancel);
  connection_.ScheduleFlush();
  FailExchange(failure);
}

// ---- the response ----

void ServerStream::MaybeSendContinue() {
  if (!expect_pending_ || pause_count_ > 0 || head_sent_) return;
  expect_pending_ = false;
  http::ResponseHead head;
  head.status = 100;
  connection_.session_.SendInformational(*this, head);
  connection_.ScheduleFlush();
}

void ServerStream::SendInformational(const http::ResponseHead& head) {
  if (over_ || head_sent_ || head.status == 101 || head.status < 100 || head.status > 199) return;
  if (head.status == 100) {
    // Only for who waits for it, and only once.
    if (!expect_pending_) return;
    expect_pending_ = false;
  }
  connection_.session_.SendInformational(*this, head);
  connection_.ScheduleFlush();
}

void ServerStream::SendHead(const http::ResponseHead& head, bool end) {
  if (over_ || head_sent_) return;
  head_sent_ = true;
  expect_pending_ = false;
  tunnel_ = awaits_switch_ && head.status == 101;
  no_body_ = head_.method == http::Method::kHead || head.status == 204 || head.status == 304;
  fixed_ = !tunnel_ && !no_body_ && head.body.kind == BodyLength::Kind::kFixed;
  fixed_left_ = fixed_ ? head.body.size : 0;
  if (tunnel_) {
    request_delivered_ = false;
    connection_.io_.loop().Schedule(ready_task_);  // what the client sent early
  }
  connection_.session_.SendResponse(*this, head, connection_.io_.date(), no_body_,
                                    end && fixed_left_ == 0);
  if (end) {
    EndResponse();
  } else {
    connection_.Touch(*this);
  }
}

void ServerStream::SendBody(std::string_view piece, bool end) {
  if (over_ || !head_sent_ || response_ended_) return;
  if (no_body_) {
    piece = {};
  } else if (fixed_) {
    piece = piece.substr(0, static_cast<size_t>(std::min<uint64_t>(piece.size(), fixed_left_)));
    fixed_left_ -= piece.size();
  }
  counted_unsent_ += piece.size();
  connection_.unsent_ += piece.size();
  connection_.session_.SendBody(*this, piece, end && fixed_left_ == 0);
  if (unsent_bytes() > kHighWater) was_above_high_water_ = true;
  if (end) {
    EndResponse();
  } else {
    connection_.Touch(*this);
  }
}

void ServerStream::SendTrailers(const http::HeaderMap& trailers) {
  if (over_ || !head_sent_ || response_ended_) return;
  if (no_body_) {
    connection_.session_.SendBody(*this, {}, true);
  } else if (fixed_left_ == 0) {
    http::HeaderMap copy;
    copy.Reserve(trailers.size());
    for (const http::Field& field : trailers) {
      http::Field kept = field;
      kept.name = arena_.Copy(field.name);
      kept.value = arena_.Copy(field.value);
      copy.Add(kept);
    }
    connection_.session_.SendTrailers(*this, copy);
  }
  EndResponse();
}

void ServerStream::EndResponse() {
  response_ended_ = true;
  if (fixed_left_ > 0) {
    truncated_ = true;
    connection_.session_.Reset(*this, ErrorCode::kInternalError);
    connection_.io_.loop().Schedule(ready_task_);
  }
  connection_.Touch(*this);
}

size_t ServerStream::unsent_bytes() const {
  const bool all_must_wait =
      counted_unsent_ > 0 && connection_.unsent_ > ServerConnection::kMaxUnsent;
  return all_must_wait ? std::max(counted_unsent_, kHighWater + 1) : counted_unsent_;
}

void ServerStream::OnBodyTaken(size_t size) {
  counted_unsent_ -= size;
  connection_.unsent_ -= size;
  progress_ = true;
}

void ServerStream::OnEndSent() {
  end_sent_ = true;
  // The rest of the request has no reader (RFC 9113 section 8.1).
  if (!request_ended_ && !tunnel_) connection_.session_.Reset(*this, ErrorCode::kNoError);
}

void ServerStream::NoteProduced(uint64_t offset) {
  if (end_sent_ && end_offset_ == 0) end_offset_ = offset;
}

void ServerStream::NoteWritten(uint64_t offset) {
  if (response_written(offset)) {
    send_timer_.Cancel();
    Unlink();
    if (!tunnel_ || request_delivered_) FinishExchange();
    return;
  }
  if (counted_unsent_ == 0) {
    send_timer_.Cancel();
    if (!response_ended_) Unlink();
  } else if (std::exchange(progress_, false) || !send_timer_.armed()) {
    send_timer_.Arm(connection_.options_.send_timeout);
  }
  MaybeNotifyWritable();
}

void ServerStream::MaybeNotifyWritable() {
  if (!was_above_high_water_ || unsent_bytes() >= kLowWater) return;
  was_above_high_water_ = false;
  if (events_ != nullptr && !response_ended_) events_->OnDownstreamWritable();
}

// ---- the end ----

// As HTTP/1 has it, for the log; may hold any byte.
std::string_view ServerStream::RequestLine() {
  return arena_.Join(head_.method_text, " ", head_.target.substr(0, 1024), " HTTP/2.0");
}

void ServerStream::Refuse(uint16_t status, const Failure& failure, bool exchange_known) {
  if (!exchange_known) {
    connection_.io_.counters()[CounterId::kDownstreamBadRequests].Add();
    CountActive(true);
  }
  read_timer_.Cancel();
  connection_.environment_.handler.OnBadRequest(*this, {.status = status,
                                                        .failure = failure,
                                                        .request_line = RequestLine(),
                                                        .exchange_known = exchange_known});
  if (!over_ && !response_ended_) Reset();
}

void ServerStream::Reset() {
  if (over_) return;
  events_ = nullptr;
  connection_.session_.Reset(*this, ErrorCode::kInternalError);
  connection_.ScheduleFlush();
  FailExchange({});
}

void ServerStream::FailExchange(const Failure& failure) {
  http::ServerStreamEvents* const events = std::exchange(events_, nullptr);
  over_ = true;
  read_timer_.Cancel();
  send_timer_.Cancel();
  ready_task_.Unlink();
  CountActive(false);
  if (events != nullptr) {
    if (failure.kind != Failure::Kind::kDraining) {
      connection_.io_.counters()[CounterId::kDownstreamResets].Add();
    }
    events->OnDownstreamReset(failure);
  }
  MaybeRetire();
}

void ServerStream::FinishExchange() {
  http::ServerStreamEvents* const events = std::exchange(events_, nullptr);
  over_ = true;
  read_timer_.Cancel();
  send_timer_.Cancel();
  ready_task_.Unlink();
  CountActive(false);
  if (events != nullptr) events->OnExchangeDone();
  MaybeRetire();
}

void ServerStream::OnClosed(ErrorCode error) {
  closed_ = true;
  connection_.unsent_ -= std::exchange(counted_unsent_, 0);
  if (error != ErrorCode::kNoError) {
    connection_.io_.counters()[CounterId::kHttp2StreamResets].Add();
    if (!head_received_) NoteRefused(error);
  }
  // With the end in the output, the exchange is over when that is written.
  if (over_) {
    MaybeRetire();
  } else if (!end_sent_ || (tunnel_ && !request_delivered_)) {
    FailExchange(ClientFailure(Failure::Kind::kReset, "client reset the stream"));
  }
}

// There is no request for the access log to have a line of.
void ServerStream::NoteRefused(ErrorCode error) {
  connection_.io_.counters()[CounterId::kHttp2RefusedRequests].Add();
  HEADGATE_LOG_EVERY(1, kInfo, "http2", "a request was refused: its head is against the protocol",
                     {"client", connection_.info_.peer_ip},
                     {"error_code", static_cast<uint32_t>(error)});
}

void ServerStream::MaybeRetire() {
  if (over_ && closed_) connection_.Retire(*this);
}

void ServerStream::CountActive(bool active) {
  if (active == counted_active_) return;
  counted_active_ = active;
  auto& level = connection_.io_.counters()[CounterId::kDownstreamRequestsActive];
  if (active) {
    level.Add();
  } else {
    level.Subtract();
  }
}

}  // namespace headgate::http2
