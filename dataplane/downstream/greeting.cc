#include "dataplane/downstream/greeting.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

namespace headgate::downstream {
namespace {

using observe::CounterId;

// For a client that speaks plain HTTP to a TLS port: the words are nginx's, people search for them.
constexpr std::string_view kPlainHttpReply =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: 220\r\nConnection: "
    "close\r\n\r\n"
    "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS "
    "port</title></head>\r\n<body>\r\n"
    "<center><h1>400 Bad Request</h1></center>\r\n"
    "<center>The plain HTTP request was sent to HTTPS port</center>\r\n</body>\r\n</html>\r\n";

// RFC 9113 section 3.4. No request of HTTP/1 begins with it.
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

void Greeting::Start(net::IoEvents edges) {
  if (!Watch(edges)) return;
  if (accepted_.transport->is_tls()) {
    timer_.Arm(environment_.options.handshake_timeout);
    ContinueHandshake();
  } else {
    timer_.Arm(environment_.options.head_timeout);
    if (edges.readable) ReadPreface();
  }
}

void Greeting::OnIo(net::IoEvents events) {
  peer_closed_ |= events.peer_closed;
  if (accepted_.transport->is_tls()) {
    ContinueHandshake();
  } else if (events.readable || events.peer_closed) {
    ReadPreface();
  }
}

void Greeting::OnTimer(net::Timer& /*timer*/) {
  if (accepted_.transport->is_tls()) {
    environment_.io.counters()[CounterId::kDownstreamTlsFailures].Add();
  } else if (!held_.empty()) {
    environment_.io.counters()[CounterId::kDownstreamTimeouts].Add();
  }
  Close();
}

void Greeting::ContinueHandshake() {
  net::IoResult::Status status = accepted_.transport->Handshake().status;
  // A short read is taken for all there is, and the end of the stream gives no further edge.
  if (status == net::IoResult::Status::kBlocked && peer_closed_) {
    status = accepted_.transport->Handshake().status;
  }
  switch (status) {
    case net::IoResult::Status::kOk:
      Promote(accepted_.transport->alpn() == "h2" ? Protocol::kHttp2 : Protocol::kHttp1, {},
              true);  // the handshake's last read may have brought the first request
      return;
    case net::IoResult::Status::kBlocked: return;
    case net::IoResult::Status::kEof:
    case net::IoResult::Status::kFailed:
      environment_.io.counters()[CounterId::kDownstreamTlsFailures].Add();
      accepted_.transport->ReplyInPlain(kPlainHttpReply);
      Close();
      return;
  }
}

void Greeting::ReadPreface() {
  const std::span<char> buffer = environment_.io.read_buffer();
  const net::IoResult result = accepted_.transport->Read(buffer);
  if (result.status == net::IoResult::Status::kBlocked) return;
  if (result.status != net::IoResult::Status::kOk) {
    Close();
    return;
  }
  const bool more = !result.drained || peer_closed_;
  std::string_view early(buffer.data(), result.bytes);
  std::string joined;
  if (!held_.empty()) {
    joined = held_;
    joined += early;
    early = joined;
  }
  const size_t known = std::min(early.size(), kPreface.size());
  if (early.substr(0, known) != kPreface.substr(0, known)) {
    Promote(Protocol::kHttp1, early, more);
  } else if (known == kPreface.size()) {
    Promote(Protocol::kHttp2, early, more);
  } else if (peer_closed_) {
    Close();  // no more will come, and no edge to say so
  } else {
    held_ = early;
  }
}

void Greeting::Promote(Protocol protocol, std::string_view early, bool readable) {
  if (accepted_.transport->is_tls()) {
    accepted_.info.tls = true;
    const net::Transport& transport = *accepted_.transport;
    accepted_.info.handshake = std::make_unique<const http::TlsInfo>(
        http::TlsInfo{.server_name = std::string(transport.server_name()),
                      .version = transport.tls_version(),
                      .cipher = transport.tls_cipher(),
                      .client = transport.client_identity()});
    observe::CounterShard& counters = environment_.io.counters();
    counters[CounterId::kDownstreamTlsHandshakes].Add();
    if (accepted_.transport->resumed()) counters[CounterId::kDownstreamTlsResumptions].Add();
  }
  End();
  owner_.Promote(*this, protocol, std::move(accepted_), early,
                 {.readable = readable, .peer_closed = peer_closed_});
}

void Greeting::Drain() {
  if (!accepted_.transport->is_tls() && held_.empty()) Close();
}

}  // namespace headgate::downstream
