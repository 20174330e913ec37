#include "dataplane/net/listener.h"

#include <errno.h>

namespace headgate::net {
namespace {

constexpr milliseconds kRetryDelay{100};

}  // namespace

Listener::Listener(EventLoop& loop, Fd fd, AcceptHandler& handler)
    : loop_(loop), handler_(handler), fd_(std::move(fd)), retry_(loop.timers(), *this) {
  constexpr int kBacklog = 4096;  // the kernel caps it at net.core.somaxconn
  if (listen(fd_.get(), kBacklog) != 0) return;
  if (const auto local = LocalAddress(fd_.get()); local.ok()) address_ = *local;
  registration_ = loop_.WatchListener(fd_.get(), *this);
}

void Listener::Close() {
  if (!fd_) return;
  while (AcceptOne() == Accepted::kOne) {
  }
  registration_.Reset();
  retry_.Cancel();
  fd_.Close();
}

void Listener::OnIo(IoEvents /*events*/) {
  const bool single = singles_left_ > 0;
  if (single) --singles_left_;
  for (int i = 0; i < (single ? 1 : kBatch); ++i) {
    const Accepted accepted = fd_ ? AcceptOne() : Accepted::kNone;
    if (accepted == Accepted::kOne) continue;
    if (accepted == Accepted::kNone) singles_left_ = kSingles;
    return;
  }
}

void Listener::OnTimer(Timer& /*timer*/) { registration_ = loop_.WatchListener(fd_.get(), *this); }

Listener::Accepted Listener::AcceptOne() {
  sockaddr_storage storage;
  socklen_t length = sizeof(storage);
  Fd connection(accept4(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &length,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (connection) {
    const auto peer = base::Address::FromSockaddr(reinterpret_cast<sockaddr*>(&storage), length);
    handler_.OnAccept(*this, std::move(connection), peer.value_or(base::Address()));
    return Accepted::kOne;
  }
  const int error = errno;
  switch (error) {
    case EAGAIN: return Accepted::kNone;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      registration_.Unwatch(fd_.get());
      retry_.Arm(kRetryDelay);
      handler_.OnAcceptOverload(*this, error);
      return Accepted::kOverload;
    default:
      return Accepted::kOne;  // the peer gave up before we took it (ECONNABORTED and its kin)
  }
}

}  // namespace headgate::net
