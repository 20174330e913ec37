#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "dataplane/base/arena.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/socket.h"
#include "dataplane/net/tcp_transport.h"
#include "dataplane/observe/counters.h"

namespace headgate::http1::testing {

// A loop that the test turns by hand, and what connections need.
class LoopTest : public ::testing::Test {
 protected:
  // Turns the loop until `done` holds; false after five seconds.
  bool TurnUntil(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!done()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      loop_.RunOnce(net::milliseconds(5));
    }
    return true;
  }
  // Some turns that do not wait, so that what is under way gets through.
  void Turn(int turns = 3) {
    for (int i = 0; i < turns; ++i) loop_.RunOnce(net::milliseconds(0));
  }

  uint64_t count(observe::CounterId id) const { return counters_[id].value(); }

  base::BlockPool blocks_;  // outlives the loop, which frees what is retired
  net::EventLoop loop_;
  observe::CounterShard counters_;
  codec::WorkerIo io_{loop_, blocks_, counters_};
};

// The test's end of a connection: does what a peer does, without a thread.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

  // Returns how many bytes the kernel took.
  size_t Send(std::string_view text) {
    const ssize_t sent = send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<size_t>(sent);
  }
  // Takes what has arrived; see received().
  void Receive() {
    char buffer[65536];
    while (!ended_) {
      const ssize_t got = recv(fd_.get(), buffer, sizeof(buffer), 0);
      if (got > 0) {
        received_.append(buffer, static_cast<size_t>(got));
      } else if (got == 0) {
        ended_ = true;
      } else if (errno == EAGAIN || errno == EINTR) {
        return;
      } else {
        ended_ = reset_ = true;
      }
    }
  }
  // Everything received so far.
  const std::string& received() {
    Receive();
    return received_;
  }
  std::string Take() {
    Receive();
    return std::exchange(received_, {});
  }
  // The other end has closed (orderly or not).
  bool ended() {
    Receive();
    return ended_;
  }
  bool was_reset() const { return reset_; }
  void EndWriting() { shutdown(fd_.get(), SHUT_WR); }
  void Close() { fd_.Close(); }
  void CloseWithReset() {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    fd_.Close();
  }
  int fd() const { return fd_.get(); }

 private:
  net::Fd fd_;
  std::string received_;
  bool ended_ = false;
  bool reset_ = false;
};

struct ConnectedPair {
  net::Fd ours;  // non-blocking
  net::Fd theirs;
};

// Two ends of a TCP connection over loopback. `buffer`: size of the kernel's buffers, 0 for the
// default.
inline ConnectedPair ConnectPair(int buffer = 0) {
  auto listener = net::BindTcp(*base::Address::ParseIp("127.0.0.1", 0));
  EXPECT_TRUE(listener.ok());
  EXPECT_EQ(listen(listener->get(), 1), 0);
  const auto address = net::LocalAddress(listener->get());
  EXPECT_TRUE(address.ok());
  if (buffer != 0) {
    setsockopt(listener->get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    setsockopt(listener->get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
  }
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (buffer != 0) {
    setsockopt(client, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    setsockopt(client, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
  }
  sockaddr_storage storage;
  const socklen_t length = address->ToSockaddr(storage);
  EXPECT_EQ(connect(client, reinterpret_cast<sockaddr*>(&storage), length), 0);
  pollfd waiting{.fd = listener->get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&waiting, 1, 5000), 1);
  const int accepted = accept4(listener->get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  EXPECT_GE(accepted, 0);
  return {net::Fd(accepted), net::Fd(client)};
}

}  // namespace headgate::http1::testing
