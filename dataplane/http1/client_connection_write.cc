// The writing half of ClientConnection: from the exchange's Send calls to the socket.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "dataplane/http1/client_connection.h"
#include "dataplane/http1/serializer.h"

namespace headgate::http1 {

using base::Failure;
using http::BodyLength;
using observe::CounterId;

void ClientConnection::SendHead(const http::RequestHead& head, bool end) {
  if (state_ == State::kClosed || !attempt_open_ || request_head_sent_) return;
  request_head_sent_ = true;
  head_request_ = head.method == http::Method::kHead;
  if (!options_.http_1_0) upgrade_ = head.upgrade;
  websocket_key_ = head.websocket_key;
  RequestWireOptions wire;
  framing_ = head.body.kind;
  switch (head.body.kind) {
    case BodyLength::Kind::kNone: break;
    case BodyLength::Kind::kFixed:
      fixed_left_ = head.body.size;
      wire.framing = WireFraming::kContentLength;
      wire.length = head.body.size;
      break;
    case BodyLength::Kind::kChunked:
    case BodyLength::Kind::kUntilClose:  // no such request in HTTP/1
      framing_ = BodyLength::Kind::kChunked;
      wire.framing = WireFraming::kChunked;
      break;
  }
  if (options_.http_1_0 && framing_ == BodyLength::Kind::kChunked) {
    // HTTP/1.0 has no words for it; exchanges hold such bodies until their length is known.
    write_failed_ = true;
    io_.loop().Schedule(ready_task_);
    return;
  }
  wire.http_1_0 = options_.http_1_0;
  wire.close = options_.max_requests != 0 && attempts_ >= options_.max_requests;
  char* const out = output_.Reserve(RequestHeadBound(head));
  output_.Commit(static_cast<size_t>(WriteRequestHead(head, wire, out) - out));
  io_.counters()[CounterId::kUpstreamRequests].Add();
  if (reused()) io_.counters()[CounterId::kUpstreamReuses].Add();
  if (end) {
    if (framing_ == BodyLength::Kind::kChunked) output_.Append(kLastChunk);
    EndRequest();
  } else {
    ScheduleFlush();
  }
}

void ClientConnection::SendBody(std::string_view piece, bool end) {
  if (state_ == State::kClosed || !request_head_sent_ || request_ended_) return;
  switch (framing_) {
    case BodyLength::Kind::kNone: break;
    case BodyLength::Kind::kUntilClose:  // a tunnel
      Write({}, piece, {});
      break;
    case BodyLength::Kind::kFixed:
      piece = piece.substr(0, static_cast<size_t>(std::min<uint64_t>(piece.size(), fixed_left_)));
      fixed_left_ -= piece.size();
      Write({}, piece, {});
      break;
    case BodyLength::Kind::kChunked:
      if (piece.empty()) {
        if (end) Write(kLastChunk, {}, {});
      } else {
        char head[kMaxChunkHead];
        const size_t size = WriteChunkHead(piece.size(), head);
        Write({head, size}, piece, end ? std::string_view("\r\n0\r\n\r\n") : kChunkEnd);
      }
      break;
  }
  if (end) EndRequest();
}

uint64_t ClientConnection::pipe_room() const {
  if (state_ != State::kOpen || !request_head_sent_ || request_ended_ || output_.has_pipe() ||
      framing_ != BodyLength::Kind::kFixed || !transport_->has_pipes()) {
    return 0;
  }
  return fixed_left_;
}

void ClientConnection::SendPipe(base::PipePtr pipe, bool end) {
  if (pipe->size > pipe_room()) return;
  io_.counters()[CounterId::kUpstreamBytesPiped].Add(pipe->size);
  fixed_left_ -= pipe->size;
  if (!write_failed_) AfterSend(output_.SendPipe(*transport_, {}, std::move(pipe), {}));
  if (end) EndRequest();
}

void ClientConnection::SendTrailers(const http::HeaderMap& trailers) {
  if (state_ == State::kClosed || !request_head_sent_ || request_ended_) return;
  if (framing_ == BodyLength::Kind::kChunked) {
    char* const out = output_.Reserve(TrailersBound(trailers));
    output_.Commit(static_cast<size_t>(WriteLastChunk(trailers, out) - out));
  }
  EndRequest();
}

void ClientConnection::Write(std::string_view before, std::string_view piece,
                             std::string_view after) {
  if (write_failed_) return;
  if (state_ != State::kOpen) {
    output_.Append(before);
    output_.Append(piece);
    output_.Append(after);
    return AfterSend(codec::OutputQueue::Result::kBlocked);
  }
  AfterSend(output_.Send(*transport_, before, piece, after));
}

void ClientConnection::AfterSend(codec::OutputQueue::Result result) {
  if (result == codec::OutputQueue::Result::kFailed) {
    write_failed_ = true;
    io_.loop().Schedule(ready_task_);
    return;
  }
  if (output_.blocked() && !send_timer_.armed()) send_timer_.Arm(timeouts_.send);
  if (unsent_bytes() > http::ServerStream::kHighWater) {
    was_above_high_water_ = true;
  } else if (was_above_high_water_ && unsent_bytes() < http::ServerStream::kLowWater) {
    io_.loop().Schedule(ready_task_);
  }
  ScheduleFlush();
}

void ClientConnection::EndRequest() {
  request_ended_ = true;
  // Less than was promised: the upstream waits for the rest and must not take the next request for
  // it.
  if (framing_ == BodyLength::Kind::kFixed && fixed_left_ > 0) {
    write_failed_ = true;
    io_.loop().Schedule(ready_task_);
    return;
  }
  ScheduleFlush();
  if (tunnel_) return EndTunnelSide();
  if (response_ == Response::kComplete) io_.loop().Schedule(ready_task_);
}

void ClientConnection::ScheduleFlush() {
  if (state_ == State::kOpen && !output_.blocked()) io_.loop().ScheduleFlush(flush_task_);
}

void ClientConnection::Flush() {
  if (state_ != State::kOpen || write_failed_) return;
  const uint64_t before = output_.written();
  const codec::OutputQueue::Result result = output_.Flush(*transport_);
  io_.counters()[CounterId::kUpstreamBytesWritten].Add(output_.written() - counted_written_);
  counted_written_ = output_.written();
  switch (result) {
    case codec::OutputQueue::Result::kFailed:
      write_failed_ = true;
      AfterWriteFailure();
      return;
    case codec::OutputQueue::Result::kDone: send_timer_.Cancel(); break;
    case codec::OutputQueue::Result::kBlocked:
      if (output_.written() != before || !send_timer_.armed()) send_timer_.Arm(timeouts_.send);
      break;
  }
  if (tunnel_ && request_ended_ && result == codec::OutputQueue::Result::kDone) {
    transport_->ShutdownWrite();
    return MaybeFinishAttempt();
  }
  UpdateReadTimer();
  MaybeNotifyWritable();
}

// The upstream may have answered before it stopped reading: what it said counts more than that it
// did not read all. So the request is over, and reading decides.
void ClientConnection::AfterWriteFailure() {
  output_.Clear();
  send_timer_.Cancel();
  readable_ = true;
  if (!input_.empty()) {
    input_.Consume(ProcessSome(input_.view()));
    if (state_ == State::kClosed) return;
  }
  ReadAndProcess();
  if (state_ == State::kClosed) return;
  if (attempt_open_ && (!received_ || tunnel_)) {
    const Failure::Kind kind = output_.failure();
    Fail(kind == Failure::Kind::kNone ? Failure::Kind::kClosed : kind,
         "upstream closed the connection");
    return;
  }
  UpdateReadTimer();
}

void ClientConnection::MaybeNotifyWritable() {
  if (!was_above_high_water_ || unsent_bytes() >= http::ServerStream::kLowWater) return;
  was_above_high_water_ = false;
  if (events_ != nullptr && !request_ended_) events_->OnUpstreamWritable();
}

// ---- tunnels ----

size_t ClientConnection::StartTunnel(size_t head_size) {
  tunnel_ = true;
  request_ended_ = false;
  framing_ = BodyLength::Kind::kUntilClose;
  head_.body = BodyLength::UntilClose();
  body_reader_.Start(head_.body, 0);
  response_ = Response::kBody;
  read_timer_.Cancel();
  events_->OnResponseHead(head_, false);
  return head_size;
}

// One direction has ended. With the second the exchange is through with us; what it wrote last may
// still have to go out.
void ClientConnection::EndTunnelSide() {
  if (!request_ended_ || response_ != Response::kComplete) return;
  events_ = nullptr;
  io_.loop().Schedule(ready_task_);
}

}  // namespace headgate::http1
