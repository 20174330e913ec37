#pragma once

#include <cstdint>

#include "dataplane/net/event_loop.h"
#include "dataplane/net/socket.h"

namespace headgate::net {

class Listener;

class AcceptHandler {
 public:
  // A new non-blocking connection from `peer`.
  virtual void OnAccept(Listener& listener, Fd connection, const base::Address& peer) = 0;
  // accept failed for want of descriptors or memory (errno `error`). Waiting connections stay in
  // the queue and are tried again in a moment.
  virtual void OnAcceptOverload(Listener& listener, int error) = 0;

 protected:
  ~AcceptHandler() = default;
};

// Accepts connections of one listening socket on one loop: one a turn, for to find the queue empty
// costs as much as half an accept; but now and then, and as long as more are waiting, kBatch, so
// that a queue does not grow and open connections get their share.
class Listener final : private IoHandler, private TimerHandler {
 public:
  static constexpr int kBatch = 64;
  static constexpr int kSingles = 8;  // turns between two batches

  // Starts listening. `handler` outlives this. `fd` is a BindTcp() result.
  Listener(EventLoop& loop, Fd fd, AcceptHandler& handler);

  // Takes what waits in the accept queue and closes the socket. No OnAccept after this.
  void Close();
  bool closed() const { return !fd_; }

  const base::Address& address() const { return address_; }

 private:
  void OnIo(IoEvents events) override;
  void OnTimer(Timer& timer) override;
  enum class Accepted : uint8_t { kOne, kNone, kOverload };
  Accepted AcceptOne();

  EventLoop& loop_;
  AcceptHandler& handler_;
  Fd fd_;
  base::Address address_;
  IoRegistration registration_;
  int singles_left_ = kSingles;
  Timer retry_;  // armed, and the socket not watched, while accept is failing for want of resources
};

}  // namespace headgate::net
