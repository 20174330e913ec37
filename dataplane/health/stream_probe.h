#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/health/probe.h"
#include "dataplane/http/stream.h"
#include "dataplane/http1/client_connection.h"
#include "dataplane/http2/client_connection.h"

namespace headgate::health {

// One request and what its response says of the endpoint, without regard to the protocol it travels
// by. The response must be complete; of one that is long the beginning is enough.
class StreamProbe : public Probe, private http::ClientStreamEvents {
 protected:
  StreamProbe(const ProbeContext& context, const base::Address& address, tls::SessionSlot& session,
              ProbeOwner& owner);

  // A transport that has begun to connect.
  absl::StatusOr<std::unique_ptr<net::Transport>> Connect();
  http::ClientStreamEvents& events() { return *this; }
  void SendRequest(http::ClientStream& stream);

  const ProbeContext context_;
  base::Arena arena_;

 private:
  static constexpr uint64_t kEnoughBody = 64 * 1024;

  void OnResponseInformational(const http::ResponseHead& /*head*/) override {}
  void OnResponseHead(const http::ResponseHead& head, bool end) override;
  void OnResponseBody(std::string_view piece, bool end) override;
  void OnResponseTrailers(const http::HeaderMap& trailers) override;
  void OnUpstreamWritable() override {}
  void OnUpstreamReset(const base::Failure& failure) override;

  bool is_grpc() const { return context_.check.kind == config::HealthCheck::Kind::kGrpc; }
  ProbeResult JudgeHead(const http::ResponseHead& head) const;
  ProbeResult JudgeCall(std::string_view grpc_status) const;
  void Finish(ProbeResult result);

  const base::Address address_;
  tls::SessionSlot& session_;
  const std::string authority_;
  http::ClientStream* stream_ = nullptr;
  ProbeResult result_;  // as far as the head goes
  uint64_t body_size_ = 0;
  std::string grpc_body_;
};

// Over HTTP/1.1.
class Http1Probe final : public StreamProbe, private http1::ClientConnectionOwner {
 public:
  Http1Probe(const ProbeContext& context, const base::Address& address, tls::SessionSlot& session,
             ProbeOwner& owner)
      : StreamProbe(context, address, session, owner) {}

  absl::Status Start() override;

 private:
  void OnConnectionIdle(http1::ClientConnection& /*connection*/) override {}
  void OnConnectionClosed(http1::ClientConnection& connection) override;

  std::unique_ptr<http1::ClientConnection> connection_;
};

// Over HTTP/2, prior knowledge where there is no TLS.
class Http2Probe final : public StreamProbe, private http2::ClientConnectionOwner {
 public:
  Http2Probe(const ProbeContext& context, const base::Address& address, tls::SessionSlot& session,
             ProbeOwner& owner)
      : StreamProbe(context, address, session, owner) {}

  absl::Status Start() override;

 private:
  void OnConnectionIdle(http2::ClientConnection& /*connection*/) override {}
  void OnConnectionClosed(http2::ClientConnection& connection) override;

  std::unique_ptr<http2::ClientConnection> connection_;
};

}  // namespace headgate::health
