#include "dataplane/downstream/hello_greeting.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "dataplane/tls/client_hello.h"

namespace headgate::downstream {

using observe::CounterId;

void HelloGreeting::Start(net::IoEvents edges) {
  if (!Watch(edges)) return;
  timer_.Arm(environment_.options.handshake_timeout);
  Look();
}

void HelloGreeting::OnIo(net::IoEvents events) {
  peer_closed_ |= events.peer_closed;
  if (events.readable || events.peer_closed) Look();
}

void HelloGreeting::OnTimer(net::Timer& /*timer*/) {
  environment_.io.counters()[CounterId::kDownstreamTlsFailures].Add();
  Close();
}

void HelloGreeting::Look() {
  using Status = tls::ClientHelloResult::Status;
  const std::span<char> buffer = environment_.io.read_buffer();
  static_assert(codec::WorkerIo::kReadBufferSize >= tls::kMaxClientHelloBytes);
  ssize_t got;
  do {
    got = recv(accepted_.transport->fd(), buffer.data(), tls::kMaxClientHelloBytes, MSG_PEEK);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
  const tls::ClientHelloResult hello =
      tls::ParseClientHello({buffer.data(), static_cast<size_t>(std::max<ssize_t>(got, 0))});
  // Of a client that is gone nothing more will come: TLS says what is to be said.
  if (hello.status == Status::kIncomplete && got > 0 && !peer_closed_) return;
  End();
  owner_.OnHello(*this, std::move(accepted_),
                 hello.status == Status::kComplete ? hello.server_name : std::string(),
                 {.readable = true, .peer_closed = peer_closed_});
}

}  // namespace headgate::downstream
