#include "dataplane/http2/server_connection.h"

#include <utility>

#include "common/check.h"

namespace headgate::http2 {
namespace {

using base::Failure;
using observe::CounterId;
using std::chrono::milliseconds;

// How long a client may take to answer that it has heard of the end.
constexpr milliseconds kDrainNotice{1'000};

constexpr Failure kGone{.side = Failure::Side::kDownstream,
                        .kind = Failure::Kind::kClosed,
                        .detail = "client closed the connection"};

SessionOptions OptionsFor(const codec::ServerOptions& options) {
  return {.max_streams = options.http2.max_streams,
          .stream_window = options.http2.stream_window,
          .connection_window = options.http2.connection_window,
          .limits = HeadLimits::Of(options.limits)};
}

CounterId CounterFor(Abuse abuse) {
  return static_cast<CounterId>(static_cast<size_t>(CounterId::kHttp2AbuseResets) +
                                static_cast<size_t>(abuse));
}
static_assert(static_cast<size_t>(CounterId::kHttp2AbuseResets) + kAbuses - 1 ==
              static_cast<size_t>(CounterId::kHttp2AbuseUnknownFrames));

}  // namespace

ServerConnection::ServerConnection(const codec::ServerEnvironment& environment,
                                   codec::Accepted accepted)
    : environment_(environment),
      io_(environment.io),
      options_(environment.options),
      transport_(std::move(accepted.transport)),
      registration_(std::move(accepted.registration)),
      timer_(io_.loop().timers(), *this),
      send_timer_(io_.loop().timers(), *this),
      info_(std::move(accepted.info)),
      session_(Side::kServer, OptionsFor(environment.options), *this, io_.loop().now()) {}

ServerConnection::~ServerConnection() = default;

void ServerConnection::Start(std::string_view early, net::IoEvents edges, bool draining) {
  io_.counters()[CounterId::kHttp2Connections].Add();
  if (registration_) {
    registration_.SetHandler(*this);
  } else {
    registration_ = io_.loop().Watch(transport_->fd(), *this);
    if (!registration_) {
      Close(kGone);
      return;
    }
  }
  readable_ = edges.readable;
  peer_closed_ = edges.peer_closed;
  if (draining) Drain();
  if (!early.empty()) {
    io_.counters()[CounterId::kDownstreamBytesRead].Add(early.size());
    Process(early);
  }
  UpdateTimer();
  ReadAndProcess();
  ScheduleFlush();
}

void ServerConnection::OnIo(net::IoEvents events) {
  readable_ |= events.readable;
  peer_closed_ |= events.peer_closed;
  // TLS may need a readable edge to write.
  if (events.writable || info_.tls) output_.Unblock();
  ReadAndProcess();
  if (state_ != State::kClosed && !output_.empty()) ScheduleFlush();
}

void ServerConnection::OnTimer(net::Timer& timer) {
  if (&timer == &send_timer_) {
    io_.counters()[CounterId::kDownstreamTimeouts].Add();
    Close({.side = Failure::Side::kDownstream,
           .kind = Failure::Kind::kTimeout,
           .detail = "client does not read the response"});
    return;
  }
  switch (std::exchange(timer_role_, TimerRole::kNone)) {
    case TimerRole::kNone: return;
    case TimerRole::kHeaders:
      io_.counters()[CounterId::kDownstreamTimeouts].Add();
      session_.Terminate(ErrorCode::kEnhanceYourCalm);
      break;
    case TimerRole::kFirstRequest:
    case TimerRole::kIdle:
    case TimerRole::kDrain: RefuseFurtherStreams(); break;
    case TimerRole::kLinger: Close(kGone); return;
  }
  ScheduleFlush();
}

// ---- reading ----

void ServerConnection::ReadAndProcess() {
  while (readable_ && state_ != State::kClosed) {
    if (abused_) {
      if (peer_closed_) Close(kGone);
      return;
    }
    const std::span<char> buffer = io_.read_buffer();
    const net::IoResult result = transport_->Read(buffer);
    switch (result.status) {
      case net::IoResult::Status::kOk:
        // A short read means that nothing is left, except that the end of the stream gives no
        // further edge.
        if (result.drained && !peer_closed_) readable_ = false;
        io_.counters()[CounterId::kDownstreamBytesRead].Add(result.bytes);
        if (state_ != State::kLinger) Process({buffer.data(), result.bytes});
        break;
      case net::IoResult::Status::kBlocked: readable_ = false; return;
      case net::IoResult::Status::kEof: Close(kGone); return;
      case net::IoResult::Status::kFailed:
        Close({.side = Failure::Side::kDownstream,
               .kind = Failure::Kind::kReset,
               .detail = "client reset the connection"});
        return;
    }
  }
}

void ServerConnection::Process(std::string_view data) {
  session_.SetLimits(HeadLimits::Of(options_.limits));
  session_.Receive(data, io_.loop().now());
  NoteAbuse();
  UpdateTimer();
  ScheduleFlush();
}

void ServerConnection::NoteAbuse() {
  if (!session_.abuse().has_value() || abused_) return;
  abused_ = true;
  io_.counters()[CounterFor(*session_.abuse())].Add();
}

void ServerConnection::UpdateTimer() {
  if (state_ == State::kLinger || state_ == State::kClosed || timer_role_ == TimerRole::kDrain)
    return;
  if (session_.in_header_block()) {
    if (timer_role_ != TimerRole::kHeaders) SetTimer(TimerRole::kHeaders, options_.head_timeout);
  } else if (!streams_.empty()) {
    timer_role_ = TimerRole::kNone;
    timer_.Cancel();
  } else if (requests_ == 0) {
    if (timer_role_ != TimerRole::kFirstRequest) {
      SetTimer(TimerRole::kFirstRequest, options_.head_timeout);
    }
  } else if (timer_role_ != TimerRole::kIdle) {
    SetTimer(TimerRole::kIdle, options_.idle_timeout);
  }
}

void ServerConnection::SetTimer(TimerRole role, milliseconds delay) {
  timer_role_ = role;
  timer_.Arm(delay);
}

Stream& ServerConnection::OnStreamOpened(int32_t /*id*/) {
  auto stream = std::make_unique<ServerStream>(*this);
  ServerStream& opened = *stream;
  opened.index_ = streams_.size();
  streams_.push_back(std::move(stream));
  ++requests_;
  io_.counters()[CounterId::kHttp2Streams].Add();
  if (options_.max_requests != 0 && requests_ >= options_.max_requests) Drain();
  return opened;
}

void ServerConnection::OnGoaway(int32_t /*last_stream*/, ErrorCode /*error*/) {
  // The client opens no further streams; the session is over when those it has are done.
}

// ---- writing ----

void ServerConnection::ScheduleFlush() {
  if (state_ != State::kClosed) io_.loop().ScheduleFlush(flush_task_);
}

void ServerConnection::Touch(ServerStream& stream) {
  if (!stream.linked()) sending_.PushBack(stream);
  ScheduleFlush();
}

void ServerConnection::Flush() {
  if (state_ == State::kClosed || state_ == State::kLinger) return;
  while (true) {
    session_.Produce(output_, kOutputTarget);
    NoteAbuse();  // resets that the client makes us send are noticed here
    const uint64_t produced = output_.written() + output_.size();
    sending_.ForEach([produced](ServerStream& stream) { stream.NoteProduced(produced); });
    if (output_.empty() || output_.blocked()) break;
    const uint64_t before = output_.written();
    const codec::OutputQueue::Result result = output_.Flush(*transport_);
    io_.counters()[CounterId::kDownstreamBytesWritten].Add(output_.written() - counted_written_);
    counted_written_ = output_.written();
    if (result == codec::OutputQueue::Result::kFailed) {
      Close({.side = Failure::Side::kDownstream,
             .kind = output_.failure(),
             .detail = "client closed the connection"});
      return;
    }
    if (result == codec::OutputQueue::Result::kBlocked) {
      if (output_.written() != before || !send_timer_.armed()) {
        send_timer_.Arm(options_.send_timeout);
      }
      break;
    }
  }
  if (output_.empty()) send_timer_.Cancel();
  const uint64_t written = output_.written();
  sending_.ForEach([written](ServerStream& stream) { stream.NoteWritten(written); });
  CheckEnd();
}

// ---- ending ----

void ServerConnection::Retire(ServerStream& stream) {
  HEADGATE_CHECK(streams_[stream.index_].get() == &stream);
  std::unique_ptr<ServerStream> retired = std::move(streams_[stream.index_]);
  if (stream.index_ + 1 != streams_.size()) {
    streams_[stream.index_] = std::move(streams_.back());
    streams_[stream.index_]->index_ = stream.index_;
  }
  streams_.pop_back();
  retired->Unlink();
  io_.loop().Retire(std::move(retired));
  if (!streams_.empty() || state_ == State::kClosed) return;
  if (options_.idle_timeout.count() == 0) RefuseFurtherStreams();
  UpdateTimer();
  ScheduleFlush();
}

void ServerConnection::Drain() {
  if (state_ != State::kOpen) return;
  state_ = State::kDraining;
  session_.AnnounceShutdown();
  SetTimer(TimerRole::kDrain, kDrainNotice);
  ScheduleFlush();
}

void ServerConnection::OnPingAck() {
  if (state_ == State::kDraining) RefuseFurtherStreams();
}

void ServerConnection::RefuseFurtherStreams() {
  if (state_ != State::kOpen && state_ != State::kDraining) return;
  state_ = State::kClosing;
  session_.Shutdown();
  if (timer_role_ == TimerRole::kDrain) timer_role_ = TimerRole::kNone;
  UpdateTimer();
  ScheduleFlush();
}

void ServerConnection::CheckEnd() {
  if (state_ == State::kClosed || state_ == State::kLinger || !output_.empty()) return;
  if (session_.alive() && (state_ != State::kClosing || !streams_.empty())) return;
  FailStreams({.side = Failure::Side::kDownstream,
               .kind = Failure::Kind::kProtocol,
               .detail = "the HTTP/2 session ended with an error"});
  StartLinger();
}

void ServerConnection::StartLinger() {
  state_ = State::kLinger;
  transport_->ShutdownWrite();
  SetTimer(TimerRole::kLinger, options_.linger_timeout);
  if (peer_closed_) readable_ = true;
  ReadAndProcess();
}

void ServerConnection::Abort(const Failure& failure) { Close(failure); }

void ServerConnection::Close(const Failure& failure) {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  registration_.Reset();
  transport_.reset();
  timer_.Cancel();
  send_timer_.Cancel();
  flush_task_.Unlink();
  output_.Clear();
  FailStreams(failure);
  environment_.owner.OnConnectionClosed(*this);
}

void ServerConnection::FailStreams(const Failure& failure) {
  while (!streams_.empty()) {
    ServerStream& stream = *streams_.back();
    stream.closed_ = true;  // in whatever state the session has left it
    stream.FailExchange(failure);
  }
}

}  // namespace headgate::http2
