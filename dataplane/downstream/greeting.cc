#include "dataplane/downstream/greeting.h"

#include <string>
#include <string_view>
#include <utility>

namespace headgate::downstream {
namespace {

using observe::CounterId;

// For a client that speaks plain HTTP to a TLS port: the words are nginx's, people search for them.
constexpr std::string_view kPlainHttpReply =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 220\r\nConnection: close\r\n\r\n"
    "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n"
    "<center><h1>400 Bad Request</h1></center>\r\n"
    "<center>The plain HTTP request was sent to HTTPS port</center>\r\n</body>\r\n</html>\r\n";

}  // namespace

Greeting::Greeting(Connections& owner, const codec::ServerEnvironment& environment,
                   codec::Accepted accepted)
    : owner_(owner),
      environment_(environment),
      accepted_(std::move(accepted)),
      timer_(environment.io.loop().timers(), *this) {}

void Greeting::Start(net::IoEvents edges) {
  peer_closed_ = edges.peer_closed;
  if (accepted_.registration) {
    accepted_.registration.SetHandler(*this);
  } else {
    accepted_.registration = environment_.io.loop().Watch(accepted_.transport->fd(), *this);
  }
  if (!accepted_.registration) {
    Close();
    return;
  }
  timer_.Arm(environment_.options.handshake_timeout);
  ContinueHandshake();
}

void Greeting::OnIo(net::IoEvents events) {
  peer_closed_ |= events.peer_closed;
  ContinueHandshake();
}

void Greeting::OnTimer(net::Timer& /*timer*/) {
  environment_.io.counters()[CounterId::kDownstreamTlsFailures].Add();
  Close();
}

void Greeting::ContinueHandshake() {
  switch (accepted_.transport->Handshake().status) {
    case net::IoResult::Status::kOk:
      Promote();
      return;
    case net::IoResult::Status::kBlocked:
      return;
    case net::IoResult::Status::kEof:
    case net::IoResult::Status::kFailed:
      environment_.io.counters()[CounterId::kDownstreamTlsFailures].Add();
      accepted_.transport->ReplyInPlain(kPlainHttpReply);
      Close();
      return;
  }
}

void Greeting::Promote() {
  accepted_.info.tls = accepted_.transport->is_tls();
  accepted_.info.server_name = std::string(accepted_.transport->server_name());
  accepted_.info.client = accepted_.transport->client_identity();
  observe::CounterShard& counters = environment_.io.counters();
  counters[CounterId::kDownstreamTlsHandshakes].Add();
  if (accepted_.transport->resumed()) counters[CounterId::kDownstreamTlsResumptions].Add();
  over_ = true;
  timer_.Cancel();
  // The handshake's last read may have brought the first request.
  owner_.Promote(*this, std::move(accepted_), {},
                 {.readable = true, .peer_closed = peer_closed_});
}

void Greeting::Abort(const base::Failure& /*failure*/) { Close(); }

void Greeting::Close() {
  if (over_) return;
  over_ = true;
  timer_.Cancel();
  accepted_.registration.Reset();
  accepted_.transport.reset();
  environment_.owner.OnConnectionClosed(*this);
}

}  // namespace headgate::downstream
