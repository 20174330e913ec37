// The floor that every proxy stands on: hands bytes through between client and backend, parses
// nothing, makes the fewest system calls that sockets allow. What a proxy costs above this is what
// it does with the requests.
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/compare/load/fail.h"
#include "bench/compare/load/flags.h"

namespace headgate::bench {
namespace {

constexpr char kUsage[] =
    "bench_relay: hands bytes through between its clients and one backend.\n"
    "  --listen=ADDR:PORT    accept clients here\n"
    "  --backend=ADDR:PORT   a connection there for each client\n";

constexpr size_t kReadSize = 128u << 10;

struct Pair;

// One end of a pair: reads from `fd`, writes to its peer.
struct End {
  int fd = -1;
  End* peer = nullptr;
  Pair* pair = nullptr;
  bool closed = false;
  bool ended = false;  // a FIN is in: read on behind a short read, for there is no other edge
  std::string unsent;  // read from `fd`, not yet taken by the peer
};

struct Pair {
  End client;
  End backend;
};

class Relay {
 public:
  Relay(const std::string& listen_on, const std::string& backend)
      : backend_(ParseAddress(backend)) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    const sockaddr_in address = ParseAddress(listen_on);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 4096) != 0) {
      FailErrno("cannot listen on " + listen_on);
    }
    Watch(listener_, nullptr);
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < n; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        auto* end = static_cast<End*>(event.data.ptr);
        if (end == nullptr) {
          Accept();
        } else if (!end->closed) {
          if ((event.events & EPOLLOUT) != 0 && !end->peer->unsent.empty()) Forward(*end->peer);
          if ((event.events & (EPOLLRDHUP | EPOLLHUP)) != 0) end->ended = true;
          if ((event.events & EPOLLIN) != 0 && !end->closed) Pull(*end);
        }
      }
      // Later events of the same batch may still have pointed at them.
      for (Pair* pair : done_) delete pair;
      done_.clear();
    }
  }

 private:
  void Watch(int fd, End* end) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = end;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) FailErrno("epoll_ctl");
  }

  void Accept() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      auto* pair = new Pair;
      pair->client.fd = fd;
      pair->backend.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      const int on = 1;
      setsockopt(pair->backend.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      if (connect(pair->backend.fd, reinterpret_cast<const sockaddr*>(&backend_),
                  sizeof backend_) != 0 &&
          errno != EINPROGRESS) {
        FailErrno("connect");
      }
      pair->client.peer = &pair->backend;
      pair->backend.peer = &pair->client;
      pair->client.pair = pair->backend.pair = pair;
      Watch(fd, &pair->client);
      Watch(pair->backend.fd, &pair->backend);
    }
  }

  // Reads until a short read says that the socket is empty, or the other side takes no more.
  void Pull(End& end) {
    static std::string buffer(kReadSize, '\0');
    while (end.unsent.empty()) {
      const ssize_t got = recv(end.fd, buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return Close(end);
      const auto bytes = static_cast<size_t>(got);
      const ssize_t sent = send(end.peer->fd, buffer.data(), bytes, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN && errno != ENOTCONN) return Close(end);
      const size_t taken = sent > 0 ? static_cast<size_t>(sent) : 0;
      end.unsent.assign(buffer, taken, bytes - taken);
      if (bytes < buffer.size() && !end.ended) return;
    }
  }

  // Writes what waited for the peer of `end`, then goes on reading.
  void Forward(End& end) {
    const ssize_t sent = send(end.peer->fd, end.unsent.data(), end.unsent.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN) Close(end);
      return;
    }
    end.unsent.erase(0, static_cast<size_t>(sent));
    if (end.unsent.empty()) Pull(end);
  }

  void Close(End& end) {
    close(end.fd);
    close(end.peer->fd);
    end.closed = end.peer->closed = true;
    done_.push_back(end.pair);
  }

  const sockaddr_in backend_;
  int epoll_ = -1;
  int listener_ = -1;
  std::vector<Pair*> done_;
};

}  // namespace
}  // namespace headgate::bench

int main(int argc, char** argv) {
  const headgate::bench::Flags flags(argc, argv, headgate::bench::kUsage,
                                     {{"listen", ""}, {"backend", ""}});
  std::signal(SIGPIPE, SIG_IGN);
  headgate::bench::RaiseFileLimit();
  headgate::bench::Relay(flags.Text("listen"), flags.Text("backend")).Run();
}
