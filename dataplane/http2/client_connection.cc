#include "dataplane/http2/client_connection.h"

#include <algorithm>
#include <span>
#include <utility>

#include "common/check.h"
#include "dataplane/net/socket.h"

namespace headgate::http2 {
namespace {

using base::Failure;
using observe::CounterId;

SessionOptions MakeSessionOptions(const codec::ClientOptions& options, uint32_t stream_window,
                                  uint32_t connection_window) {
  SessionOptions out;
  out.stream_window = stream_window;
  out.connection_window = connection_window;
  out.limits.max_head_bytes = options.limits.max_head_bytes;
  out.limits.max_fields = options.limits.max_fields;
  return out;
}

}  // namespace

ClientConnection::ClientConnection(codec::WorkerIo& io, const codec::ClientOptions& options,
                                   ClientConnectionOwner& owner,
                                   std::unique_ptr<net::Transport> transport)
    : io_(io),
      options_(options),
      owner_(owner),
      transport_(std::move(transport)),
      scheme_(transport_ != nullptr && transport_->is_tls() ? "https" : "http"),
      connect_timer_(io.loop().timers(), *this),
      header_arena_(io.blocks()),
      session_(Side::kClient, MakeSessionOptions(options, kStreamWindow, kConnectionWindow), *this,
               io.loop().now()) {
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
  connect_timer_.Arm(connect_timeout);
  return true;
}

void ClientConnection::StartRace(std::vector<base::Address> addresses, bool tls,
                                 codec::milliseconds connect_timeout, std::string_view preamble) {
  scheme_ = tls ? "https" : "http";
  preamble_ = preamble;
  started_ = idle_since_ = io_.loop().now();
  connect_timer_.Arm(connect_timeout);
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
  CloseAndReport(Failure::Kind::kConnectRefused, "no address could be connected with");
}

void ClientConnection::EndRace() {
  if (race_ == nullptr) return;
  race_->Stop();
  io_.loop().Retire(std::move(race_));
}

bool ClientConnection::available() const {
  return state_ != State::kClosed && !going_away_ && !too_old() &&
         streams_.size() < std::min(kMaxStreams, session_.peer_max_streams());
}

http::ClientStream& ClientConnection::StartAttempt(http::ClientStreamEvents& events,
                                                   base::Arena& arena,
                                                   const codec::AttemptTimeouts& timeouts) {
  HEADGATE_CHECK(available());
  streams_.push_back(
      std::make_unique<ClientStream>(*this, events, arena, timeouts, state_ == State::kOpen));
  streams_.back()->owner_index = streams_.size() - 1;
  ++attempts_;
  if (options_.max_requests != 0 && attempts_ >= options_.max_requests) going_away_ = true;
  return *streams_.back();
}

// ---- connecting ----

void ClientConnection::OnIo(net::IoEvents events) {
  readable_ |= events.readable;
  peer_closed_ |= events.peer_closed;
  if (state_ == State::kConnecting || state_ == State::kHandshake) {
    ContinueConnecting(events.writable);
    if (state_ != State::kOpen) return;
  }
  if (events.writable || transport_->is_tls()) output_.Unblock();
  if (!output_.empty()) ScheduleFlush();
  Read();
}

void ClientConnection::ContinueConnecting(bool writable) {
  if (state_ == State::kConnecting) {
    if (!writable) return;
    if (net::ConnectError(transport_->fd()) != 0) {
      io_.counters()[CounterId::kUpstreamConnectFailures].Add();
      return CloseAndReport(Failure::Kind::kConnectRefused, "connection refused or failed");
    }
    if (!preamble_.empty() && !net::SendFirst(transport_->fd(), preamble_)) {
      return CloseAndReport(Failure::Kind::kConnectRefused, "the connection broke at once");
    }
    state_ = State::kHandshake;
  }
  switch (transport_->Handshake().status) {
    case net::IoResult::Status::kOk: break;
    case net::IoResult::Status::kBlocked: return;
    case net::IoResult::Status::kEof:
    case net::IoResult::Status::kFailed:
      io_.counters()[CounterId::kUpstreamTlsFailures].Add();
      return CloseAndReport(Failure::Kind::kTlsHandshake, "TLS handshake failed");
  }
  // RFC 9113 section 3.2.
  if (transport_->is_tls() && transport_->alpn() != "h2") {
    io_.counters()[CounterId::kUpstreamTlsFailures].Add();
    return CloseAndReport(Failure::Kind::kTlsHandshake, "upstream did not agree to HTTP/2");
  }
  OnConnected();
}

void ClientConnection::OnConnected() {
  state_ = State::kOpen;
  readable_ = true;
  connect_timer_.Cancel();
  io_.counters()[CounterId::kUpstreamConnections].Add();
  io_.counters()[CounterId::kUpstreamHttp2Connections].Add();
  if (transport_->resumed()) io_.counters()[CounterId::kUpstreamTlsResumptions].Add();
  last_read_ = idle_since_ = io_.loop().now();
  ScheduleFlush();
  for (size_t i = streams_.size(); i-- > 0;) {
    if (i < streams_.size()) streams_[i]->OnConnected();
  }
}

void ClientConnection::OnTimer(net::Timer& /*timer*/) {
  io_.counters()[CounterId::kUpstreamConnectTimeouts].Add();
  CloseAndReport(Failure::Kind::kConnectTimeout, "connection not established in time");
}

// ---- reading and writing ----

void ClientConnection::Read() {
  while (readable_ && state_ == State::kOpen) {
    const std::span<char> buffer = io_.read_buffer();
    const net::IoResult result = transport_->Read(buffer);
    switch (result.status) {
      case net::IoResult::Status::kOk:
        // A short read means that nothing is left, except that the end of the stream gives no
        // further edge.
        if (result.drained && !peer_closed_) readable_ = false;
        io_.counters()[CounterId::kUpstreamBytesRead].Add(result.bytes);
        last_read_ = io_.loop().now();
        session_.Receive({buffer.data(), result.bytes}, last_read_);
        ScheduleFlush();
        break;
      case net::IoResult::Status::kBlocked: readable_ = false; return;
      case net::IoResult::Status::kEof:
        return CloseAndReport(Failure::Kind::kClosed, "upstream closed the connection");
      case net::IoResult::Status::kFailed:
        return CloseAndReport(Failure::Kind::kReset, "the connection with the upstream broke");
    }
  }
}

void ClientConnection::ScheduleFlush() {
  if (state_ == State::kOpen) io_.loop().ScheduleFlush(flush_task_);
}

void ClientConnection::Flush() {
  codec::OutputQueue::Result result = codec::OutputQueue::Result::kDone;
  do {
    session_.Produce(output_, kOutputLimit);
    if (output_.empty()) break;
    result = output_.Flush(*transport_);
    io_.counters()[CounterId::kUpstreamBytesWritten].Add(output_.written() - counted_written_);
    counted_written_ = output_.written();
  } while (result == codec::OutputQueue::Result::kDone && state_ == State::kOpen);
  if (result == codec::OutputQueue::Result::kFailed) {
    // What it said before counts more than that it did not read all.
    readable_ = true;
    Read();
    if (state_ == State::kOpen) {
      CloseAndReport(Failure::Kind::kReset, "upstream closed the connection");
    }
    return;
  }
  CloseIfOver();
}

bool ClientConnection::CloseIfOver() {
  if (state_ != State::kOpen) return true;
  if (!session_.alive()) {
    CloseAndReport(Failure::Kind::kProtocol, "upstream broke the protocol");
    return true;
  }
  if (!going_away_ || !streams_.empty()) return false;
  Close();
  return true;
}

// ---- streams ----

Stream& ClientConnection::OnStreamOpened(int32_t /*id*/) {
  HEADGATE_CHECK(false, "a server opens no streams");  // push is off, and the library refuses it
  return *streams_.front();
}

void ClientConnection::OnGoaway(int32_t last_stream, ErrorCode /*error*/) {
  going_away_ = true;
  last_processed_ = std::min(last_processed_, last_stream);
}

void ClientConnection::OnSettings() {
  for (const auto& stream : streams_) stream->OnSettings();
}

void ClientConnection::OnStreamOver(ClientStream& stream) {
  const size_t index = stream.owner_index;
  io_.loop().Retire(std::move(streams_[index]));
  if (index + 1 != streams_.size()) {
    streams_[index] = std::move(streams_.back());
    streams_[index]->owner_index = index;
  }
  streams_.pop_back();
  if (!streams_.empty()) return;
  if (state_ == State::kClosed) return owner_.OnConnectionClosed(*this);
  idle_since_ = io_.loop().now();
  going_away_ |= too_old();
  if (going_away_) {
    ScheduleFlush();  // which closes
  } else {
    owner_.OnConnectionIdle(*this);
  }
}

bool ClientConnection::DistrustAfterTimeout(net::TimePoint waiting_since) {
  if (last_read_ >= waiting_since) return false;
  CloseAndReport(Failure::Kind::kTimeout, "upstream does not answer in time");
  return true;
}

// ---- the end ----

void ClientConnection::MakeInert() {
  if (state_ == State::kOpen && streams_.empty()) transport_->AnnounceEnd();
  state_ = State::kClosed;
  going_away_ = true;
  EndRace();
  registration_.Reset();
  transport_.reset();
  connect_timer_.Cancel();
  flush_task_.Unlink();
  output_.Clear();
  io_.counters()[CounterId::kUpstreamConnectionsActive].Subtract();
}

void ClientConnection::Close() {
  if (state_ == State::kClosed) return;
  MakeInert();
  owner_.OnConnectionClosed(*this);
}

void ClientConnection::CloseAndReport(Failure::Kind kind, std::string_view detail) {
  if (streams_.empty()) return Close();
  const bool sent = state_ == State::kOpen && output_.written() > 0;
  MakeInert();
  // A stream that is over takes itself off the list, and the last one tells the owner.
  for (size_t i = streams_.size(); i-- > 0;) {
    if (i < streams_.size()) streams_[i]->OnConnectionClosed(kind, sent, detail);
  }
}

}  // namespace headgate::http2
