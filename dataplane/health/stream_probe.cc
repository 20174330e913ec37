#include "dataplane/health/stream_probe.h"

#include <algorithm>
#include <utility>

#include "dataplane/health/grpc_health.h"
#include "dataplane/net/tcp_transport.h"
#include "dataplane/tls/tls_transport.h"

namespace headgate::health {
namespace {

using http::FieldId;

constexpr std::string_view kUserAgent = "headgate-health-check";

// The owner's limit is for the whole probe; these must only not be shorter.
codec::AttemptTimeouts NoShorterThan(std::chrono::milliseconds limit) {
  return {.connect = limit, .send = limit, .read = limit};
}

// Begins a connection of either protocol and opens the stream that the request goes to.
template <typename Connection, typename Owner>
absl::StatusOr<std::unique_ptr<Connection>> StartConnection(
    const ProbeContext& context, Owner& owner, std::unique_ptr<net::Transport> transport) {
  auto connection =
      std::make_unique<Connection>(context.io, context.options, owner, std::move(transport));
  if (!connection->Start(context.check.timeout, context.preamble))
    return absl::ResourceExhaustedError("no watch");
  return connection;
}

}  // namespace

StreamProbe::StreamProbe(const ProbeContext& context, const base::Address& address,
                         tls::SessionSlot& session, ProbeOwner& owner)
    : Probe(owner),
      context_(context),
      arena_(context.io.blocks()),
      address_(address),
      session_(session),
      authority_(context.check.host.empty() ? address.Text() : context.check.host) {}

absl::StatusOr<std::unique_ptr<net::Transport>> StreamProbe::Connect() {
  auto fd = net::ConnectTcp(address_);
  if (!fd.ok()) return fd.status();
  if (context_.tls != nullptr) {
    return std::make_unique<tls::TlsTransport>(*context_.tls, *std::move(fd), session_);
  }
  return std::make_unique<net::TcpTransport>(*std::move(fd));
}

void StreamProbe::SendRequest(http::ClientStream& stream) {
  stream_ = &stream;
  http::RequestHead head;
  head.authority = authority_;
  head.fields.Add(FieldId::kHost, "Host", authority_);
  head.fields.Add(FieldId::kUserAgent, "User-Agent", kUserAgent);
  if (!is_grpc()) {
    head.method = http::Method::kGet;
    head.method_text = "GET";
    head.target = context_.check.path;
    return stream.SendHead(head, true);
  }
  head.method = http::Method::kPost;
  head.method_text = "POST";
  head.target = kGrpcCheckPath;
  head.fields.Add(FieldId::kContentType, "Content-Type", "application/grpc");
  head.fields.Add(FieldId::kTe, "TE", "trailers");
  head.body = http::BodyLength::Chunked();
  stream.SendHead(head, false);
  stream.SendBody(kGrpcCheckRequest, true);
}

ProbeResult StreamProbe::JudgeHead(const http::ResponseHead& head) const {
  if (is_grpc()) {
    const bool call = head.status == 200 && http::IsGrpc(head.fields.Get(FieldId::kContentType));
    return {.success = call, .detail = call ? "gRPC" : "not a gRPC response"};
  }
  const auto& expected = context_.check.expected_statuses;
  const bool good =
      std::any_of(expected.begin(), expected.end(), [&](const config::StatusRange& range) {
        return head.status >= range.first && head.status <= range.last;
      });
  return {.success = good, .detail = good ? "expected status" : "unexpected status"};
}

ProbeResult StreamProbe::JudgeCall(std::string_view grpc_status) const {
  if (grpc_status != "0") return {.success = false, .detail = "the call failed"};
  const bool serving = IsServing(grpc_body_);
  return {.success = serving, .detail = serving ? "serving" : "not serving"};
}

void StreamProbe::OnResponseHead(const http::ResponseHead& head, bool end) {
  if (end) stream_ = nullptr;
  result_ = JudgeHead(head);
  if (!result_.success) return Finish(result_);
  if (!end) return;
  Finish(is_grpc() ? JudgeCall(head.fields.Get("grpc-status")) : result_);
}

void StreamProbe::OnResponseBody(std::string_view piece, bool end) {
  if (end) stream_ = nullptr;
  if (is_grpc()) {
    grpc_body_.append(piece);
    if (end) return Finish({.success = false, .detail = "the call ended without a status"});
    if (grpc_body_.size() > kMaxGrpcCheckResponse) {
      Finish({.success = false, .detail = "the response is too long"});
    }
    return;
  }
  body_size_ += piece.size();
  if (end || body_size_ >= kEnoughBody) Finish(result_);
}

void StreamProbe::OnResponseTrailers(const http::HeaderMap& trailers) {
  stream_ = nullptr;
  Finish(is_grpc() ? JudgeCall(trailers.Get("grpc-status")) : result_);
}

void StreamProbe::OnUpstreamReset(const base::Failure& failure) {
  stream_ = nullptr;
  owner_.OnProbeDone({.success = false, .detail = failure.detail});
}

void StreamProbe::Finish(ProbeResult result) {
  // A stream that has ended is not reset: its connection closes by itself, or with us.
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->Reset();
  owner_.OnProbeDone(result);
}

absl::Status Http1Probe::Start() {
  auto transport = Connect();
  if (!transport.ok()) return transport.status();
  http1::ClientConnectionOwner& owner = *this;
  auto connection =
      StartConnection<http1::ClientConnection>(context_, owner, *std::move(transport));
  if (!connection.ok()) return connection.status();
  connection_ = *std::move(connection);
  SendRequest(connection_->StartAttempt(events(), arena_, NoShorterThan(context_.check.timeout)));
  return absl::OkStatus();
}

void Http1Probe::OnConnectionClosed(http1::ClientConnection& /*connection*/) {
  context_.io.loop().Retire(std::move(connection_));
}

absl::Status Http2Probe::Start() {
  auto transport = Connect();
  if (!transport.ok()) return transport.status();
  http2::ClientConnectionOwner& owner = *this;
  auto connection =
      StartConnection<http2::ClientConnection>(context_, owner, *std::move(transport));
  if (!connection.ok()) return connection.status();
  connection_ = *std::move(connection);
  SendRequest(connection_->StartAttempt(events(), arena_, NoShorterThan(context_.check.timeout)));
  return absl::OkStatus();
}

void Http2Probe::OnConnectionClosed(http2::ClientConnection& /*connection*/) {
  context_.io.loop().Retire(std::move(connection_));
}

}  // namespace headgate::health
