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
  registration_ = loop_.Watch(fd_.get(), *this);
}

void Listener::Close() {
  if (!fd_) return;
  while (AcceptOne()) {
  }
  registration_.Reset();
  more_.Unlink();
  retry_.Cancel();
  fd_.Close();
}

void Listener::OnIo(IoEvents /*events*/) { AcceptBatch(); }

void Listener::OnTimer(Timer& /*timer*/) { AcceptBatch(); }

void Listener::AcceptBatch() {
  for (int i = 0; i < kBatch; ++i) {
    if (!fd_ || !AcceptOne()) return;
  }
  loop_.Schedule(more_);  // the edge is used up, but more may wait
}

bool Listener::AcceptOne() {
  sockaddr_storage storage;
  socklen_t length = sizeof(storage);
  Fd connection(accept4(fd_.get(), reinterpret_cast<sockaddr*>(&storage), &length,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (connection) {
    const auto peer = base::Address::FromSockaddr(reinterpret_cast<sockaddr*>(&storage), length);
    handler_.OnAccept(*this, std::move(connection), peer.value_or(base::Address()));
    return true;
  }
  switch (errno) {
    case EAGAIN:
      return false;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      if (!retry_.armed()) {
        retry_.Arm(kRetryDelay);
        handler_.OnAcceptOverload(*this, errno);
      }
      return false;
    default:
      return true;  // the peer gave up before we took it (ECONNABORTED and its kin)
  }
}

}  // namespace headgate::net
