// The writing half of ServerConnection: from the handler's Send calls to the socket.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/check.h"
#include "dataplane/http1/serializer.h"
#include "dataplane/http1/server_connection.h"

namespace headgate::http1 {

using base::Failure;
using http::BodyLength;
using observe::CounterId;

void ServerConnection::MaybeSendContinue() {
  if (!expect_pending_ || pause_count_ > 0 || head_sent_ || state_ != State::kBody) return;
  expect_pending_ = false;
  Write("HTTP/1.1 100 Continue\r\n\r\n", {}, {});
}

void ServerConnection::SendInformational(const http::ResponseHead& head) {
  if (state_ == State::kClosed || head_sent_ || head_.version == http::Version::kHttp10) return;
  if (head.status == 101 || head.status < 100 || head.status > 199) return;
  if (head.status == 100) {
    // Only for who waits for it, and only once.
    if (!expect_pending_) return;
    expect_pending_ = false;
  }
  char* const out = output_.Reserve(ResponseHeadBound(head));
  output_.Commit(static_cast<size_t>(WriteInformationalHead(head, out) - out));
  ScheduleFlush();
}

bool ServerConnection::DecideKeepAlive() const {
  if (refusing_ || draining_ || end_announced_ || !client_keep_alive_ || !head_.upgrade.empty())
    return false;
  if (options_.idle_timeout.count() == 0) return false;
  if (options_.max_requests != 0 && requests_ >= options_.max_requests) return false;
  if (state_ != State::kBody) return true;
  // The request is still coming. A client that waits for 100 may send its body or not; a long one
  // is not worth reading.
  if (expect_pending_) return false;
  return !body_reader_.fixed() || body_reader_.left() <= options_.max_drain_bytes;
}

void ServerConnection::SendHead(const http::ResponseHead& head, bool end) {
  if (state_ == State::kClosed || head_sent_) return;
  keep_alive_ = DecideKeepAlive();
  head_sent_ = true;
  expect_pending_ = false;

  ResponseWireOptions wire;
  wire.date = io_.date();
  const bool http10 = head_.version == http::Version::kHttp10;
  const bool switching = head.status == 101;
  const bool no_body =
      head_.method == http::Method::kHead || head.status == 204 || head.status == 304;
  if (switching) {
    framing_ = Framing::kUntilClose;
    state_ = State::kTunnel;
    // What the client sent early, and its end, are in store.
    io_.loop().Schedule(ready_task_);
  } else if (no_body) {
    framing_ = Framing::kNone;
    if (head.status == 204) {
      wire.framing = WireFraming::kNone;
    } else if (head.body.kind == BodyLength::Kind::kFixed) {
      wire.framing = WireFraming::kContentLength;
      wire.length = head.body.size;
    } else {
      wire.framing = WireFraming::kAsReceived;
    }
  } else if (head.body.kind == BodyLength::Kind::kFixed ||
             head.body.kind == BodyLength::Kind::kNone || end) {
    framing_ = Framing::kFixed;
    fixed_left_ = head.body.kind == BodyLength::Kind::kFixed ? head.body.size : 0;
    wire.framing = WireFraming::kContentLength;
    wire.length = fixed_left_;
  } else if (!http10) {
    framing_ = Framing::kChunked;
    wire.framing = WireFraming::kChunked;
  } else {
    framing_ = Framing::kUntilClose;
    keep_alive_ = false;
  }
  if (switching) {
    wire.connection = ResponseWireOptions::Connection::kUpgrade;
    wire.upgrade = head_.upgrade;
  } else if (!keep_alive_) {
    wire.connection = ResponseWireOptions::Connection::kClose;
  } else if (http10) {
    wire.connection = ResponseWireOptions::Connection::kKeepAlive;
  }
  char* const out = output_.Reserve(ResponseHeadBound(head, wire.upgrade));
  const auto size = static_cast<size_t>(WriteResponseHead(head, wire, out) - out);
  output_.Commit(size);
  sent_head_bytes_ = static_cast<uint32_t>(size);
  if (end) {
    EndResponse();
  } else {
    ScheduleFlush();
  }
}

void ServerConnection::SendBody(std::string_view piece, bool end) {
  if (state_ == State::kClosed || !head_sent_ || response_ended_) return;
  switch (framing_) {
    case Framing::kNone: break;
    case Framing::kFixed:
      piece = piece.substr(0, static_cast<size_t>(std::min<uint64_t>(piece.size(), fixed_left_)));
      fixed_left_ -= piece.size();
      Write({}, piece, {});
      break;
    case Framing::kChunked:
      if (piece.empty()) {
        if (end) Write(kLastChunk, {}, {});
      } else {
        char head[kMaxChunkHead];
        const size_t size = WriteChunkHead(piece.size(), head);
        Write({head, size}, piece, end ? std::string_view("\r\n0\r\n\r\n") : kChunkEnd);
      }
      break;
    case Framing::kUntilClose: Write({}, piece, {}); break;
  }
  if (end) EndResponse();
}

uint64_t ServerConnection::pipe_room() const {
  if (state_ == State::kClosed || !head_sent_ || response_ended_ || output_.has_pipe() ||
      !transport_->has_pipes()) {
    return 0;
  }
  switch (framing_) {
    case Framing::kNone: return 0;
    case Framing::kFixed: return fixed_left_;
    case Framing::kChunked:
    case Framing::kUntilClose: return ~uint64_t{0};
  }
  return 0;
}

void ServerConnection::SendPipe(base::PipePtr pipe, bool end) {
  if (pipe->size > pipe_room()) return;
  io_.counters()[CounterId::kDownstreamBytesPiped].Add(pipe->size);
  char head[kMaxChunkHead];
  std::string_view before, after;
  if (framing_ == Framing::kFixed) {
    fixed_left_ -= pipe->size;
  } else if (framing_ == Framing::kChunked) {
    before = {head, WriteChunkHead(pipe->size, head)};
    after = end ? std::string_view("\r\n0\r\n\r\n") : kChunkEnd;
  }
  if (!write_failed_) AfterSend(output_.SendPipe(*transport_, before, std::move(pipe), after));
  if (end) EndResponse();
}

void ServerConnection::SendTrailers(const http::HeaderMap& trailers) {
  if (state_ == State::kClosed || !head_sent_ || response_ended_) return;
  if (framing_ == Framing::kChunked) {
    char* const out = output_.Reserve(TrailersBound(trailers));
    output_.Commit(static_cast<size_t>(WriteLastChunk(trailers, out) - out));
  }
  EndResponse();
}

void ServerConnection::Write(std::string_view before, std::string_view piece,
                             std::string_view after) {
  if (write_failed_) return;
  AfterSend(output_.Send(*transport_, before, piece, after));
}

void ServerConnection::AfterSend(codec::OutputQueue::Result result) {
  if (result == codec::OutputQueue::Result::kFailed) {
    write_failed_ = true;
    io_.loop().Schedule(ready_task_);
    return;
  }
  if (output_.blocked() && !send_timer_.armed()) send_timer_.Arm(options_.send_timeout);
  if (unsent_bytes() > kHighWater) {
    was_above_high_water_ = true;
  } else if (was_above_high_water_ && unsent_bytes() < kLowWater) {
    io_.loop().Schedule(ready_task_);
  }
  ScheduleFlush();
}

void ServerConnection::ScheduleFlush() {
  // Blocked: the next edge flushes.
  if (!output_.blocked()) io_.loop().ScheduleFlush(flush_task_);
}

void ServerConnection::Flush() {
  if (state_ == State::kClosed || write_failed_) return;
  const uint64_t before = output_.written();
  const codec::OutputQueue::Result result = output_.Flush(*transport_);
  const bool progress = output_.written() != before;
  io_.counters()[CounterId::kDownstreamBytesWritten].Add(output_.written() - counted_written_);
  counted_written_ = output_.written();
  switch (result) {
    case codec::OutputQueue::Result::kFailed:
      FailExchange({.side = Failure::Side::kDownstream,
                    .kind = output_.failure(),
                    .detail = "client closed the connection"});
      return;
    case codec::OutputQueue::Result::kDone: send_timer_.Cancel(); break;
    case codec::OutputQueue::Result::kBlocked:
      if (progress || !send_timer_.armed()) send_timer_.Arm(options_.send_timeout);
      break;
  }
  MaybeNotifyWritable();
  if (state_ == State::kClosed || write_failed_) return;
  // Empty still: the exchange may have sent the rest from inside OnDownstreamWritable.
  if (!output_.empty() || !response_ended_) return;
  if (state_ == State::kBody || state_ == State::kExchange) {
    FinishExchange();
  } else if (state_ == State::kTunnel) {
    transport_
        ->ShutdownWrite();  // nothing is written after the end of the response, so this comes once
  }
}

void ServerConnection::MaybeNotifyWritable() {
  if (!was_above_high_water_ || unsent_bytes() >= kLowWater) return;
  was_above_high_water_ = false;
  if (events_ != nullptr && !response_ended_) events_->OnDownstreamWritable();
}

void ServerConnection::EndResponse() {
  response_ended_ = true;
  // Less than was promised: the client must not wait for the rest, nor take the next response for
  // it.
  if (framing_ == Framing::kFixed && fixed_left_ > 0) keep_alive_ = false;
  ScheduleFlush();
}

void ServerConnection::FinishExchange() {
  http::ServerStreamEvents* const events = std::exchange(events_, nullptr);
  if (events != nullptr) events->OnExchangeDone();
  if (state_ == State::kClosed) return;
  ReleaseExchange();

  const bool request_complete = state_ == State::kExchange;
  if (!keep_alive_) {
    // Closing while the client is still sending would make its kernel drop our response. A client
    // that has asked for the end sends nothing more.
    const bool nothing_to_come =
        request_complete && !refusing_ && !client_keep_alive_ && input_.empty() && !readable_;
    if (nothing_to_come || read_ended_) {
      Close(false);
    } else {
      StartLinger();
    }
  } else if (!request_complete) {
    state_ = State::kDrainBody;
    read_timer_.Arm(options_.body_timeout);
    if (readable_ || !input_.empty()) io_.loop().Schedule(ready_task_);
  } else {
    AwaitNextRequest();
  }
}

void ServerConnection::ReleaseExchange() {
  CountActive(false);
  head_ = http::RequestHead();  // an idle connection holds no memory
  arena_.Clear();
}

void ServerConnection::AwaitNextRequest() {
  state_ = State::kHead;
  head_started_ = false;
  response_ended_ = false;
  scanner_.Restart();
  if (input_.empty() && (draining_ || read_ended_)) {
    Close(false);
    return;
  }
  read_timer_.Arm(options_.idle_timeout);
  if (readable_ || !input_.empty()) io_.loop().Schedule(ready_task_);
}

}  // namespace headgate::http1
