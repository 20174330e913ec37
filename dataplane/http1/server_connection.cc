#include "dataplane/http1/server_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "dataplane/http1/request_parser.h"
#include "dataplane/http1/serializer.h"

namespace headgate::http1 {
namespace {

using base::Failure;
using http::BodyLength;
using observe::CounterId;

// What is read beyond the current request to learn whether the client is still there.
constexpr size_t kReadAhead = 16 * 1024;

Failure ClientFailure(Failure::Kind kind, std::string_view detail) {
  return {.side = Failure::Side::kDownstream, .kind = kind, .detail = detail};
}

std::string_view FirstLine(std::string_view head) {
  if (head.substr(0, 2) == "\r\n") head.remove_prefix(2);
  return head.substr(0, head.find_first_of("\r\n"));
}

}  // namespace

ServerConnection::ServerConnection(const codec::ServerEnvironment& environment,
                                   codec::Accepted accepted)
    : environment_(environment),
      io_(environment.io),
      options_(environment.options),
      transport_(std::move(accepted.transport)),
      registration_(std::move(accepted.registration)),
      read_timer_(io_.loop().timers(), *this),
      send_timer_(io_.loop().timers(), *this),
      ready_task_(*this),
      flush_task_(*this),
      arena_(io_.blocks()),
      info_(std::move(accepted.info)) {}

ServerConnection::~ServerConnection() = default;

void ServerConnection::Start(std::string_view early, net::IoEvents edges, bool draining) {
  draining_ = draining;
  if (registration_) {
    registration_.SetHandler(*this);
  } else {
    registration_ = io_.loop().Watch(transport_->fd(), *this);
    if (!registration_) {
      Close(false);
      return;
    }
  }
  read_timer_.Arm(options_.head_timeout);
  readable_ = edges.readable;
  peer_closed_ = edges.peer_closed;
  if (!early.empty()) {
    io_.counters()[CounterId::kDownstreamBytesRead].Add(early.size());
    Process(early);
    if (state_ == State::kClosed) return;
  }
  ReadAndProcess();
}

void ServerConnection::OnIo(net::IoEvents events) {
  readable_ |= events.readable;
  peer_closed_ |= events.peer_closed;
  // TLS may need a readable edge to write.
  if (events.writable || info_.tls) output_.Unblock();
  if (!output_.empty()) {
    Flush();
    if (state_ == State::kClosed) return;
  }
  ReadAndProcess();
}

void ServerConnection::RunReady() {
  if (write_failed_) {
    FailExchange(ClientFailure(output_.failure(), "client closed the connection"));
    return;
  }
  MaybeNotifyWritable();
  if (state_ == State::kClosed) return;
  if (!input_.empty()) {
    input_.Consume(ProcessSome(input_.view()));
    if (state_ == State::kClosed) return;
  }
  if (read_ended_ && state_ == State::kHead) {
    Close(false);
    return;
  }
  if (read_ended_ && state_ == State::kTunnel && input_.empty()) {
    EndTunnelRequest();
    return;
  }
  ReadAndProcess();
}

void ServerConnection::OnTimer(net::Timer& timer) {
  if (&timer == &send_timer_) {
    io_.counters()[CounterId::kDownstreamTimeouts].Add();
    FailExchange(ClientFailure(Failure::Kind::kTimeout, "client does not read the response"));
    return;
  }
  switch (state_) {
    case State::kHead:
      if (!head_started_ || input_.view() == "\r\n") {
        Close(false);
        return;
      }
      io_.counters()[CounterId::kDownstreamTimeouts].Add();
      Refuse(408, ClientFailure(Failure::Kind::kHeadTimeout, "request head took too long"),
             FirstLine(input_.view()), false);
      return;
    case State::kBody:
      io_.counters()[CounterId::kDownstreamTimeouts].Add();
      FailExchange(ClientFailure(Failure::Kind::kTimeout, "request body took too long"));
      return;
    case State::kDrainBody:
    case State::kLinger: Close(false); return;
    case State::kExchange:
    case State::kTunnel:
    case State::kClosed: return;
  }
}

// ---- reading; writing is in server_connection_write.cc ----

bool ServerConnection::WantsToRead() const {
  switch (state_) {
    case State::kHead:
    case State::kDrainBody:
    case State::kLinger: return true;
    case State::kBody:
    case State::kTunnel: return pause_count_ == 0;
    case State::kExchange:
      // Only to learn whether the client is gone or has ended its direction.
      return peer_closed_ && input_.size() < kReadAhead;
    case State::kClosed: return false;
  }
  return false;
}

void ServerConnection::ReadAndProcess() {
  while (readable_ && !read_ended_ && WantsToRead()) {
    const std::span<char> buffer = io_.read_buffer();
    uint64_t limit = 0;
    base::PipePtr pipe = TakePipe(limit);
    const net::IoResult result =
        pipe == nullptr ? transport_->Read(buffer) : transport_->ReadPipe(*pipe, limit);
    switch (result.status) {
      case net::IoResult::Status::kOk:
        // A short read means that nothing is left, except that the end of the stream gives no
        // further edge.
        if (result.drained && !peer_closed_) readable_ = false;
        io_.counters()[CounterId::kDownstreamBytesRead].Add(result.bytes);
        if (pipe == nullptr) {
          Process({buffer.data(), result.bytes});
        } else {
          ProcessPipe(std::move(pipe));
        }
        break;
      case net::IoResult::Status::kBlocked: readable_ = false; return;
      case net::IoResult::Status::kEof: OnReadEnd(true); return;
      case net::IoResult::Status::kFailed: OnReadEnd(false); return;
    }
  }
}

// For the next read, of at most `limit` bytes; null: it goes to memory.
base::PipePtr ServerConnection::TakePipe(uint64_t& limit) {
  if (state_ != State::kBody || response_ended_ || !input_.empty() || !transport_->has_pipes()) {
    return nullptr;
  }
  limit = body_reader_.plain_bytes();
  if (limit < net::PipePool::kWorthwhile) return nullptr;
  limit = std::min(limit, events_->RequestPipeRoom());
  return limit == 0 ? nullptr : io_.pipes().Take();
}

void ServerConnection::ProcessPipe(base::PipePtr pipe) {
  body_reader_.Skip(pipe->size);
  expect_pending_ = false;
  const bool end = body_reader_.left() == 0;
  if (end) RequestComplete();
  events_->OnRequestPipe(std::move(pipe), end);
  if (state_ == State::kBody) RearmBodyTimer();
}

void ServerConnection::Process(std::string_view data) {
  if (input_.empty()) {
    const size_t used = ProcessSome(data);
    if (state_ != State::kClosed) input_.Append(data.substr(used));
  } else {
    input_.Append(data);
    const size_t used = ProcessSome(input_.view());
    if (state_ != State::kClosed) input_.Consume(used);
  }
  if (state_ == State::kBody) RearmBodyTimer();
}

// Uses up what it can of `data`; returns how much.
size_t ServerConnection::ProcessSome(std::string_view data) {
  size_t used = 0;
  while (used < data.size()) {
    const std::string_view rest = data.substr(used);
    size_t step = 0;
    switch (state_) {
      case State::kHead: step = ProcessHead(rest); break;
      case State::kBody:
      case State::kDrainBody: step = ProcessBody(rest); break;
      case State::kTunnel: step = ProcessTunnel(rest); break;
      case State::kLinger: step = rest.size(); break;
      case State::kExchange:
      case State::kClosed: break;
    }
    if (step == 0) break;
    used += step;
  }
  return used;
}

size_t ServerConnection::ProcessHead(std::string_view data) {
  if (!head_started_) {
    head_started_ = true;
    // The first head's time runs from the accept.
    if (requests_ > 0) read_timer_.Arm(options_.head_timeout);
  }
  const codec::RequestLimits& limits = options_.limits;
  const size_t size = scanner_.Scan(data);
  // An empty line may come before the request line.
  const auto line_too_long = [&] {
    return data.size() > limits.max_line_bytes + 2 &&
           data.find('\n', 2) >= limits.max_line_bytes + size_t{2};
  };
  if (size == HeadScanner::kIncomplete && data.size() <= limits.max_head_bytes &&
      !line_too_long()) {
    return 0;
  }
  io_.counters()[CounterId::kDownstreamRequests].Add();
  ++requests_;
  if (size == HeadScanner::kIncomplete || size > limits.max_head_bytes) {
    const bool line = line_too_long();
    const auto kind = line ? Failure::Kind::kTargetTooLong : Failure::Kind::kHeadTooLarge;
    Refuse(line ? 414 : 431, ClientFailure(kind, "request head too large"),
           FirstLine(data.substr(0, 1024)), false);
    return data.size();
  }

  scanner_.Restart();
  const std::string_view head = arena_.Copy(data.substr(0, size));
  const RequestParseResult result = ParseRequestHead(head, limits, arena_, head_);
  if (!result.ok()) {
    Refuse(result.status, ClientFailure(result.kind, result.detail), FirstLine(head), false);
    return size;
  }
  client_keep_alive_ = result.keep_alive;
  StartExchange(data.size() > size);
  return size;
}

void ServerConnection::StartExchange(bool more_follows) {
  read_timer_.Cancel();
  const bool end = head_.body.kind == BodyLength::Kind::kNone ||
                   (head_.body.kind == BodyLength::Kind::kFixed && head_.body.size == 0);
  state_ = end ? State::kExchange : State::kBody;
  body_reader_.Start(head_.body, options_.limits.max_trailer_bytes);
  // A client that sends its body at once does not wait.
  expect_pending_ = head_.expect_continue && !more_follows;
  pause_count_ = 0;
  drained_bytes_ = 0;
  head_sent_ = response_ended_ = false;
  framing_ = Framing::kNone;
  was_above_high_water_ = false;
  CountActive(true);

  http::ServerStreamEvents* events = environment_.handler.OnRequest(*this, head_, end);
  if (state_ == State::kClosed) return;
  events_ = events;
  MaybeSendContinue();
  if (state_ == State::kBody) RearmBodyTimer();
}

size_t ServerConnection::ProcessBody(std::string_view data) {
  std::string_view rest = data;
  // What follows an answer that ends the connection is of no interest, malformed or not.
  if (state_ == State::kBody && response_ended_ && !keep_alive_) return data.size();
  while (state_ == State::kDrainBody || (state_ == State::kBody && pause_count_ == 0)) {
    std::string_view piece;
    const BodyReader::Step step = body_reader_.Next(rest, piece);
    if (step == BodyReader::Step::kMore) break;
    if (step == BodyReader::Step::kError) {
      if (response_ended_) {
        keep_alive_ = false;
        if (state_ == State::kDrainBody) StartLinger();
      } else {
        FailExchange(ClientFailure(Failure::Kind::kProtocol, body_reader_.chunks().error()));
      }
      return data.size();
    }
    if (step == BodyReader::Step::kData) {
      expect_pending_ = false;
      const bool end = body_reader_.fixed() && body_reader_.left() == 0;
      if (response_ended_) {
        drained_bytes_ += piece.size();
        if (drained_bytes_ > options_.max_drain_bytes) {
          // Not worth waiting for. The response may not have left yet; the client hears of the end
          // after it.
          keep_alive_ = false;
          if (state_ == State::kDrainBody) StartLinger();
          return data.size();
        }
        if (end) RequestComplete();
        continue;
      }
      if (end) RequestComplete();
      events_->OnRequestBody(piece, end);
      if (state_ == State::kClosed) return data.size();
      continue;
    }
    // The end of a chunked body.
    const bool deliver = !response_ended_;
    ChunkedDecoder& chunks = body_reader_.chunks();
    http::HeaderMap trailers;
    if (deliver && chunks.has_trailers() &&
        !ParseTrailers(arena_.Copy(chunks.trailer_section()), options_.limits.max_fields,
                       trailers)) {
      FailExchange(ClientFailure(Failure::Kind::kProtocol, "malformed trailer section"));
      return data.size();
    }
    chunks.Clear();
    RequestComplete();
    if (deliver) {
      if (trailers.empty()) {
        events_->OnRequestBody({}, true);
      } else {
        events_->OnRequestTrailers(trailers);
      }
      if (state_ == State::kClosed) return data.size();
    }
  }
  return data.size() - rest.size();
}

size_t ServerConnection::ProcessTunnel(std::string_view data) {
  if (pause_count_ > 0) return 0;
  events_->OnRequestBody(data, false);
  return data.size();
}

// The client has ended its direction and all that it sent was delivered.
void ServerConnection::EndTunnelRequest() {
  state_ = State::kExchange;
  events_->OnRequestBody({}, true);
  if (state_ != State::kClosed && response_ended_ && output_.empty()) FinishExchange();
}

void ServerConnection::RequestComplete() {
  read_timer_.Cancel();
  if (state_ == State::kDrainBody) {
    AwaitNextRequest();
  } else {
    state_ = State::kExchange;
  }
}

void ServerConnection::RearmBodyTimer() {
  if (pause_count_ == 0) {
    read_timer_.Arm(options_.body_timeout);
  } else {
    read_timer_.Cancel();
  }
}

void ServerConnection::OnReadEnd(bool orderly) {
  read_ended_ = true;
  readable_ = false;
  switch (state_) {
    case State::kTunnel:
      if (orderly) return EndTunnelRequest();
      FailExchange(ClientFailure(Failure::Kind::kReset, "client reset the connection"));
      return;
    case State::kExchange:
      // A client may end its direction and still wait for the response.
      if (orderly && !options_.cancel_on_half_close) return;
      [[fallthrough]];
    case State::kBody:
      FailExchange(orderly ? ClientFailure(Failure::Kind::kClosed, "client closed the connection")
                           : ClientFailure(Failure::Kind::kReset, "client reset the connection"));
      return;
    default: Close(false); return;
  }
}

void ServerConnection::PauseReading() {
  ++pause_count_;
  if (state_ == State::kBody) read_timer_.Cancel();
}

void ServerConnection::ResumeReading() {
  HEADGATE_CHECK(pause_count_ > 0);
  if (--pause_count_ > 0 || (state_ != State::kBody && state_ != State::kTunnel)) return;
  MaybeSendContinue();
  if (state_ == State::kBody) RearmBodyTimer();
  if (readable_ || !input_.empty()) io_.loop().Schedule(ready_task_);
}

// ---- ending ----

void ServerConnection::Refuse(uint16_t status, const Failure& failure,
                              std::string_view request_line, bool exchange_known) {
  if (!exchange_known) {
    io_.counters()[CounterId::kDownstreamBadRequests].Add();
    CountActive(true);
  }
  read_timer_.Cancel();
  events_ = nullptr;
  refusing_ = true;
  head_sent_ = response_ended_ = false;
  state_ = State::kExchange;
  environment_.handler.OnBadRequest(*this, {.status = status,
                                            .failure = failure,
                                            .request_line = request_line,
                                            .exchange_known = exchange_known});
  if (state_ != State::kClosed && !response_ended_) Close(false);
}

void ServerConnection::FailExchange(const Failure& failure) {
  http::ServerStreamEvents* const events = std::exchange(events_, nullptr);
  if (events != nullptr) {
    if (failure.kind != Failure::Kind::kDraining) {
      io_.counters()[CounterId::kDownstreamResets].Add();
    }
    events->OnDownstreamReset(failure);
    if (state_ == State::kClosed) return;
    if (!head_sent_ && state_ == State::kBody &&
        (failure.kind == Failure::Kind::kProtocol || failure.kind == Failure::Kind::kTimeout)) {
      const bool timeout = failure.kind == Failure::Kind::kTimeout;
      Refuse(timeout ? 408 : 400, failure, {}, true);
      return;
    }
  }
  Close(true);
}

void ServerConnection::Reset() {
  events_ = nullptr;
  Close(true);
}

void ServerConnection::StartLinger() {
  state_ = State::kLinger;
  transport_->ShutdownWrite();
  read_timer_.Arm(options_.linger_timeout);
  if (readable_ || !input_.empty()) io_.loop().Schedule(ready_task_);
}

void ServerConnection::Drain() {
  draining_ = true;
  if (state_ == State::kHead && !head_started_ && input_.empty()) Close(false);
}

void ServerConnection::CountActive(bool active) {
  if (active == counted_active_) return;
  counted_active_ = active;
  auto& level = io_.counters()[CounterId::kDownstreamRequestsActive];
  if (active) {
    level.Add();
  } else {
    level.Subtract();
  }
}

void ServerConnection::Close(bool abort) {
  if (state_ == State::kClosed) return;
  const bool complete = response_ended_ && output_.empty();
  if (abort && head_sent_ && framing_ == Framing::kUntilClose && !complete) {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(transport_->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  }
  // A client that has left an idle connection does not listen.
  const bool left = state_ == State::kHead && read_ended_;
  if (!abort && !left && output_.empty()) transport_->AnnounceEnd();
  state_ = State::kClosed;
  registration_.Reset();
  transport_.reset();
  read_timer_.Cancel();
  send_timer_.Cancel();
  ready_task_.Unlink();
  flush_task_.Unlink();
  output_.Clear();
  CountActive(false);
  environment_.owner.OnConnectionClosed(*this);
}

}  // namespace headgate::http1
