#include "dataplane/http1/client_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "dataplane/codec/websocket.h"
#include "dataplane/http1/response_parser.h"
#include "dataplane/http1/upgrade.h"
#include "dataplane/net/socket.h"

namespace headgate::http1 {
namespace {

using base::Failure;
using http::BodyLength;
using observe::CounterId;

// 1xx responses that one attempt may bring.
constexpr uint32_t kMaxInformational = 32;

}  // namespace

ClientConnection::ClientConnection(codec::WorkerIo& io, const codec::ClientOptions& options,
                                   ClientConnectionOwner& owner,
                                   std::unique_ptr<net::Transport> transport)
    : io_(io),
      options_(options),
      owner_(owner),
      transport_(std::move(transport)),
      read_timer_(io.loop().timers(), *this),
      send_timer_(io.loop().timers(), *this),
      ready_task_(*this),
      flush_task_(*this) {
  io_.counters()[CounterId::kUpstreamConnectionsActive].Add();
}

ClientConnection::~ClientConnection() {
  if (state_ != State::kClosed) io_.counters()[CounterId::kUpstreamConnectionsActive].Subtract();
}

bool ClientConnection::Start(codec::milliseconds connect_timeout, std::string_view preamble) {
  preamble_ = preamble;
  registration_ = io_.loop().Watch(transport_->fd(), *this);
  if (!registration_) return false;
  started_ = idle_since_ = io_.loop().now();
  read_timer_.Arm(connect_timeout);
  return true;
}

void ClientConnection::StartRace(std::vector<base::Address> addresses,
                                 codec::milliseconds connect_timeout, std::string_view preamble) {
  preamble_ = preamble;
  started_ = idle_since_ = io_.loop().now();
  read_timer_.Arm(connect_timeout);
  net::ConnectRace::Owner& owner = *this;
  race_ = std::make_unique<net::ConnectRace>(io_.loop(), std::move(addresses), owner);
  race_->Start();
}

void ClientConnection::OnRaceWon(net::Fd fd, net::IoRegistration registration,
                                 const base::Address& address, net::IoEvents edges) {
  EndRace();
  transport_ = owner_.OnRaceWon(std::move(fd), address);
  registration_ = std::move(registration);
  registration_.SetHandler(*this);
  OnIo({.readable = true, .writable = true, .peer_closed = edges.peer_closed});
}

void ClientConnection::OnRaceLost() {
  io_.counters()[CounterId::kUpstreamConnectFailures].Add();
  Fail(Failure::Kind::kConnectRefused, "no address could be connected with");
}

void ClientConnection::EndRace() {
  if (race_ == nullptr) return;
  race_->Stop();
  io_.loop().Retire(std::move(race_));
}

http::ClientStream& ClientConnection::StartAttempt(http::ClientStreamEvents& events,
                                                   base::Arena& arena,
                                                   const codec::AttemptTimeouts& timeouts) {
  HEADGATE_CHECK(available());
  attempt_open_ = true;
  reused_ = state_ == State::kOpen;
  events_ = &events;
  arena_ = &arena;
  timeouts_ = timeouts;
  ++attempts_;
  pause_count_ = 0;
  written_before_ = output_.written();
  framing_ = BodyLength::Kind::kNone;
  fixed_left_ = 0;
  head_request_ = request_head_sent_ = request_ended_ = was_above_high_water_ = false;
  upgrade_ = websocket_key_ = {};
  response_ = Response::kHead;
  scanner_.Restart();
  informational_ = 0;
  received_ = reusable_ = false;
  return *this;
}

void ClientConnection::OnIo(net::IoEvents events) {
  readable_ |= events.readable;
  peer_closed_ |= events.peer_closed;
  if (state_ == State::kConnecting || state_ == State::kHandshake) {
    ContinueConnecting(events.writable);
    if (state_ != State::kOpen) return;
  }
  if (events.writable || transport_->is_tls()) output_.Unblock();
  if (!output_.empty()) {
    Flush();
    if (state_ == State::kClosed) return;
  }
  ReadAndProcess();
}

void ClientConnection::ContinueConnecting(bool writable) {
  if (state_ == State::kConnecting) {
    if (!writable) return;
    if (net::ConnectError(transport_->fd()) != 0) {
      io_.counters()[CounterId::kUpstreamConnectFailures].Add();
      Fail(Failure::Kind::kConnectRefused, "connection refused or failed");
      return;
    }
    if (!preamble_.empty() && !net::SendFirst(transport_->fd(), preamble_)) {
      return Fail(Failure::Kind::kConnectRefused, "the connection broke at once");
    }
    state_ = State::kHandshake;
  }
  switch (transport_->Handshake().status) {
    case net::IoResult::Status::kOk: break;
    case net::IoResult::Status::kBlocked: return;
    case net::IoResult::Status::kEof:
    case net::IoResult::Status::kFailed:
      io_.counters()[CounterId::kUpstreamTlsFailures].Add();
      Fail(Failure::Kind::kTlsHandshake, "TLS handshake failed");
      return;
  }
  state_ = State::kOpen;
  readable_ = true;
  read_timer_.Cancel();
  io_.counters()[CounterId::kUpstreamConnections].Add();
  if (transport_->resumed()) io_.counters()[CounterId::kUpstreamTlsResumptions].Add();
  idle_since_ = io_.loop().now();
  if (events_ != nullptr) events_->OnUpstreamWritable();
}

void ClientConnection::OnTimer(net::Timer& timer) {
  if (state_ == State::kConnecting || state_ == State::kHandshake) {
    io_.counters()[CounterId::kUpstreamConnectTimeouts].Add();
    Fail(Failure::Kind::kConnectTimeout, "connection not established in time");
    return;
  }
  io_.counters()[CounterId::kUpstreamTimeouts].Add();
  Fail(Failure::Kind::kTimeout, &timer == &send_timer_ ? "upstream does not read the request"
                                                       : "upstream does not answer in time");
}

void ClientConnection::RunReady() {
  if (write_failed_) {
    AfterWriteFailure();
    return;
  }
  MaybeNotifyWritable();
  if (state_ == State::kClosed) return;
  if (!input_.empty()) {
    input_.Consume(ProcessSome(input_.view()));
    if (state_ == State::kClosed) return;
  }
  MaybeFinishAttempt();
  if (state_ == State::kClosed) return;
  ReadAndProcess();
}

// ---- reading; writing is in client_connection_write.cc ----

bool ClientConnection::WantsToRead() const {
  if (state_ != State::kOpen) return false;
  // While idle, and after the response, only to see what must not come: more bytes or the end.
  return !attempt_open_ || response_ == Response::kComplete || pause_count_ == 0;
}

void ClientConnection::ReadAndProcess() {
  while (readable_ && WantsToRead()) {
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
        bulk_ = !result.drained;
        io_.counters()[CounterId::kUpstreamBytesRead].Add(result.bytes);
        if (pipe == nullptr) {
          Process({buffer.data(), result.bytes});
        } else {
          ProcessPipe(std::move(pipe));
        }
        break;
      case net::IoResult::Status::kBlocked: readable_ = false; return;
      case net::IoResult::Status::kEof:
        readable_ = false;
        OnReadEnd(true);
        return;
      case net::IoResult::Status::kFailed:
        readable_ = false;
        OnReadEnd(false);
        return;
    }
  }
}

// For the next read, of at most `limit` bytes; null: it goes to memory.
base::PipePtr ClientConnection::TakePipe(uint64_t& limit) {
  if (response_ != Response::kBody || !input_.empty() || !transport_->has_pipes()) return nullptr;
  limit = body_reader_.plain_bytes();
  if (limit < net::PipePool::kWorthwhile || (body_reader_.until_close() && !bulk_)) return nullptr;
  limit = std::min(limit, events_->ResponsePipeRoom());
  return limit == 0 ? nullptr : io_.pipes().Take();
}

void ClientConnection::ProcessPipe(base::PipePtr pipe) {
  body_reader_.Skip(pipe->size);
  const bool end = body_reader_.fixed() && body_reader_.left() == 0;
  if (end) response_ = Response::kComplete;
  events_->OnResponsePipe(std::move(pipe), end);
  if (state_ == State::kClosed) return;
  UpdateReadTimer();
  MaybeFinishAttempt();
}

void ClientConnection::Process(std::string_view data) {
  if (!attempt_open_) {
    // Nobody asked for anything: what it says could be taken for the next answer.
    Close();
    return;
  }
  if (input_.empty()) {
    const size_t used = ProcessSome(data);
    if (state_ != State::kClosed) input_.Append(data.substr(used));
  } else {
    input_.Append(data);
    const size_t used = ProcessSome(input_.view());
    if (state_ != State::kClosed) input_.Consume(used);
  }
  if (state_ == State::kClosed) return;
  UpdateReadTimer();
  MaybeFinishAttempt();
}

size_t ClientConnection::ProcessSome(std::string_view data) {
  if (output_.written() == written_before_) {
    Fail(Failure::Kind::kProtocol, "response before the request");
    return data.size();
  }
  received_ = true;
  size_t used = 0;
  while (used < data.size() && state_ == State::kOpen) {
    const std::string_view rest = data.substr(used);
    size_t step = 0;
    if (response_ == Response::kHead) {
      step = ProcessHead(rest);
    } else if (response_ == Response::kBody) {
      step = ProcessBody(rest);
    } else {
      excess_ = true;
      return data.size();
    }
    if (step == 0) break;
    used += step;
  }
  return used;
}

size_t ClientConnection::ProcessHead(std::string_view data) {
  const size_t size = scanner_.Scan(data);
  const size_t limit = options_.limits.max_head_bytes;
  if (size == HeadScanner::kIncomplete && data.size() <= limit) return 0;
  if (size == HeadScanner::kIncomplete || size > limit) {
    Fail(Failure::Kind::kProtocol, "response head too large");
    return data.size();
  }
  scanner_.Restart();
  const ResponseParseResult result =
      ParseResponseHead(arena_->Copy(data.substr(0, size)), options_.limits, head_request_, head_);
  if (!result.ok()) {
    Fail(Failure::Kind::kProtocol, result.error);
    return data.size();
  }
  if (head_.status < 200) {
    if (head_.status == 101) {
      if (!AcceptsUpgrade(head_, result.upgrade, upgrade_)) {
        Fail(Failure::Kind::kProtocol, "switching protocols to what was not asked for");
        return data.size();
      }
      if (!websocket_key_.empty() && head_.fields.Get("Sec-WebSocket-Accept") !=
                                         codec::WebSocketAccept(websocket_key_, *arena_)) {
        Fail(Failure::Kind::kProtocol, "Sec-WebSocket-Accept does not fit the key");
        return data.size();
      }
      return StartTunnel(size);
    }
    if (++informational_ > kMaxInformational) {
      Fail(Failure::Kind::kProtocol, "too many informational responses");
      return data.size();
    }
    events_->OnResponseInformational(head_);
    return size;
  }
  reusable_ = result.keep_alive;
  body_reader_.Start(head_.body, options_.limits.max_trailer_bytes);
  const bool end = head_.body.kind == BodyLength::Kind::kNone ||
                   (head_.body.kind == BodyLength::Kind::kFixed && head_.body.size == 0);
  response_ = end ? Response::kComplete : Response::kBody;
  events_->OnResponseHead(head_, end);
  return size;
}

size_t ClientConnection::ProcessBody(std::string_view data) {
  std::string_view rest = data;
  while (state_ == State::kOpen && response_ == Response::kBody && pause_count_ == 0) {
    std::string_view piece;
    const BodyReader::Step step = body_reader_.Next(rest, piece);
    if (step == BodyReader::Step::kMore) break;
    if (step == BodyReader::Step::kError) {
      Fail(Failure::Kind::kProtocol, body_reader_.chunks().error());
      return data.size();
    }
    if (step == BodyReader::Step::kData) {
      const bool end = body_reader_.fixed() && body_reader_.left() == 0;
      if (end) response_ = Response::kComplete;
      events_->OnResponseBody(piece, end);
      continue;
    }
    // The end of a chunked body.
    ChunkedDecoder& chunks = body_reader_.chunks();
    http::HeaderMap trailers;
    if (chunks.has_trailers() && !ParseTrailers(arena_->Copy(chunks.trailer_section()),
                                                options_.limits.max_fields, trailers)) {
      Fail(Failure::Kind::kProtocol, "malformed trailer section");
      return data.size();
    }
    chunks.Clear();
    response_ = Response::kComplete;
    if (trailers.empty()) {
      events_->OnResponseBody({}, true);
    } else {
      events_->OnResponseTrailers(trailers);
    }
  }
  return data.size() - rest.size();
}

void ClientConnection::OnReadEnd(bool orderly) {
  if (tunnel_) {
    if (!orderly) return Fail(Failure::Kind::kReset, "upstream reset the tunnel");
    if (response_ == Response::kComplete) return;  // known already
    response_ = Response::kComplete;
    events_->OnResponseBody({}, true);
    if (state_ != State::kClosed) EndTunnelSide();
    return;
  }
  if (!attempt_open_ || response_ == Response::kComplete) {
    // The response is whole; whether the rest of the request would have been read does not matter
    // any more.
    Close();
    return;
  }
  if (orderly && response_ == Response::kBody && body_reader_.until_close()) {
    reusable_ = false;
    response_ = Response::kComplete;
    events_->OnResponseBody({}, true);
    if (state_ != State::kClosed) Close();
    return;
  }
  Fail(orderly ? Failure::Kind::kClosed : Failure::Kind::kReset,
       received_ ? "upstream closed the connection in mid-response"
                 : "upstream closed the connection without an answer");
}

void ClientConnection::UpdateReadTimer() {
  const bool waiting = attempt_open_ && state_ == State::kOpen && !tunnel_ &&
                       (request_ended_ || write_failed_) && output_.empty() &&
                       response_ != Response::kComplete && pause_count_ == 0;
  if (waiting) {
    read_timer_.Arm(timeouts_.read);
  } else if (state_ == State::kOpen) {
    read_timer_.Cancel();
  }
}

void ClientConnection::PauseReading() {
  ++pause_count_;
  UpdateReadTimer();
}

void ClientConnection::ResumeReading() {
  HEADGATE_CHECK(pause_count_ > 0);
  if (--pause_count_ > 0 || state_ != State::kOpen) return;
  UpdateReadTimer();
  if (readable_ || !input_.empty()) io_.loop().Schedule(ready_task_);
}

// ---- ending ----

void ClientConnection::MaybeFinishAttempt() {
  if (!attempt_open_ || response_ != Response::kComplete) return;
  // An upstream that has answered in full need not read the rest of a request, but then the
  // connection is of no further use. The exchange resets the stream when it does not want to go on
  // sending.
  if (!request_ended_) return;
  if (tunnel_ && !output_.empty() && !write_failed_) return;
  if (!reusable_ || excess_ || !input_.empty() || !output_.empty() || peer_closed_ ||
      write_failed_ || too_old() ||
      (options_.max_requests != 0 && attempts_ >= options_.max_requests)) {
    Close();
    return;
  }
  attempt_open_ = false;
  events_ = nullptr;
  arena_ = nullptr;
  response_ = Response::kNone;
  head_ = http::ResponseHead();
  read_timer_.Cancel();
  send_timer_.Cancel();
  idle_since_ = io_.loop().now();
  if (readable_) io_.loop().Schedule(ready_task_);
  owner_.OnConnectionIdle(*this);
}

Failure::Retry ClientConnection::RetryAfterFailure(Failure::Kind kind) const {
  if (state_ != State::kOpen || output_.written() == written_before_) {
    return Failure::Retry::kAlways;
  }
  if (received_ || kind == Failure::Kind::kProtocol) return Failure::Retry::kNever;
  return Failure::Retry::kIdempotent;
}

void ClientConnection::Fail(Failure::Kind kind, std::string_view detail) {
  const Failure failure{.side = Failure::Side::kUpstream,
                        .kind = kind,
                        .retry = RetryAfterFailure(kind),
                        .detail = detail};
  http::ClientStreamEvents* const events = std::exchange(events_, nullptr);
  const bool complete = response_ == Response::kComplete && !tunnel_;
  if (kind == Failure::Kind::kProtocol) {
    io_.counters()[CounterId::kUpstreamProtocolErrors].Add();
  } else if (kind == Failure::Kind::kReset || kind == Failure::Kind::kClosed) {
    io_.counters()[CounterId::kUpstreamResets].Add();
  }
  Close();
  // A complete response has been delivered: there is nothing to fail any more.
  if (events != nullptr && !complete) events->OnUpstreamReset(failure);
}

void ClientConnection::Reset() {
  events_ = nullptr;
  if (tunnel_ && state_ != State::kClosed && !(request_ended_ && output_.empty())) {
    // What the upstream got so far must not look complete to it.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(transport_->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  }
  Close();
}

void ClientConnection::Close() {
  if (state_ == State::kClosed) return;
  if (state_ == State::kOpen && !attempt_open_ && !peer_closed_) transport_->AnnounceEnd();
  state_ = State::kClosed;
  attempt_open_ = false;
  events_ = nullptr;
  EndRace();
  registration_.Reset();
  transport_.reset();
  read_timer_.Cancel();
  send_timer_.Cancel();
  ready_task_.Unlink();
  flush_task_.Unlink();
  output_.Clear();
  io_.counters()[CounterId::kUpstreamConnectionsActive].Subtract();
  owner_.OnConnectionClosed(*this);
}

}  // namespace headgate::http1
