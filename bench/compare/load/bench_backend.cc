// The application behind every proxy in bench/compare: one thread, one epoll, answers from memory.
//
//   GET /bytes/N    200 with N bytes
//   POST anything   200 with the number of body bytes received, in decimal
//
// With --sink=ADDR:PORT it also accepts connections there and throws away what they send: a log
// collector for peers that ship their access log over TCP.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bench/compare/load/fail.h"
#include "bench/compare/load/flags.h"
#include "bench/compare/load/message_head.h"

namespace headgate::bench {
namespace {

constexpr char kUsage[] =
    "bench_backend: the application behind the proxies that bench/compare measures.\n"
    "  --listen=ADDR:PORT   serve HTTP/1.1 here: GET /bytes/N answers N bytes, POST answers the\n"
    "                       number of bytes it received\n"
    "  --sink=ADDR:PORT     also accept and discard anything here (a log collector)\n";

constexpr size_t kMaxBody = 64u << 20;
constexpr size_t kReadSize = 256u << 10;

const std::string& Pattern() {
  static const std::string pattern = [] {
    std::string text(kMaxBody, '\0');
    for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
    return text;
  }();
  return pattern;
}

struct Connection {
  int fd = -1;
  bool sink = false;
  // Read but not consumed yet: an incomplete head, or requests behind an answer that is still being
  // written.
  std::string input;
  uint64_t body_size = 0;
  uint64_t body_left = 0;
  bool close_after = false;
  std::string head;
  size_t head_sent = 0;
  size_t answer_size = 0;
  size_t answer_sent = 0;
  bool waits_for_output = false;
};

class Backend {
 public:
  Backend(const std::string& listen, const std::string& sink) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    listener_ = Listen(listen);
    if (!sink.empty()) sink_listener_ = Listen(sink);
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int n = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      if (n < 0 && errno != EINTR) FailErrno("epoll_wait");
      for (int i = 0; i < n; ++i) {
        const auto data = events[static_cast<size_t>(i)].data.u64;
        if (data == kListener || data == kSinkListener) {
          Accept(data == kSinkListener);
        } else {
          OnEvent(reinterpret_cast<Connection*>(data));
        }
      }
    }
  }

 private:
  static constexpr uint64_t kListener = 1;
  static constexpr uint64_t kSinkListener = 2;

  int Listen(const std::string& text) {
    const sockaddr_in address = ParseAddress(text);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd, 4096) != 0) {
      FailErrno("cannot listen on " + text);
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = listener_ < 0 ? kListener : kSinkListener;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    return fd;
  }

  void Accept(bool sink) {
    for (;;) {
      const int fd = accept4(sink ? sink_listener_ : listener_, nullptr, nullptr,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno != EAGAIN && errno != ECONNABORTED) FailErrno("accept");
        return;
      }
      auto connection = std::make_unique<Connection>();
      connection->fd = fd;
      connection->sink = sink;
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = connection.release();  // owned by the descriptor; Close() deletes it
      epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
  }

  static void Close(Connection* connection) {
    close(connection->fd);
    delete connection;
  }

  void OnEvent(Connection* connection) {
    if (connection->waits_for_output) {
      if (!Write(*connection)) return Close(connection);
      if (connection->waits_for_output) return;
      if (!Consume(*connection, {})) Close(connection);
      return;
    }
    static std::string buffer(kReadSize, '\0');
    const ssize_t n = recv(connection->fd, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return Close(connection);
    if (connection->sink) return;
    if (!Consume(*connection, {buffer.data(), static_cast<size_t>(n)})) Close(connection);
  }

  static bool IsPost(const MessageHead& head) { return head.first_line.starts_with("POST "); }

  // Answers what is complete and keeps the rest. False: the connection is done.
  bool Consume(Connection& connection, std::string_view data) {
    std::string joined;
    if (!connection.input.empty()) {
      joined = std::move(connection.input);
      joined.append(data);
      connection.input.clear();
      data = joined;
    }
    while (!data.empty() && !connection.waits_for_output) {
      if (connection.body_left > 0) {
        const auto take = std::min<uint64_t>(connection.body_left, data.size());
        data.remove_prefix(take);
        connection.body_left -= take;
        if (connection.body_left == 0 && !AnswerCount(connection)) return false;
        continue;
      }
      const MessageHead head = ParseHead(data);
      if (head.size == 0) break;
      if (head.chunked) Fail("the backend got a chunked request; every request here has a length");
      data.remove_prefix(head.size);
      connection.close_after = head.close;
      if (IsPost(head)) {
        connection.body_size = static_cast<uint64_t>(std::max<int64_t>(head.content_length, 0));
        connection.body_left = connection.body_size;
        if (connection.body_left == 0 && !AnswerCount(connection)) return false;
      } else if (!Answer(connection, RequestedBytes(head), {})) {
        return false;
      }
    }
    connection.input.assign(data);
    return true;
  }

  static size_t RequestedBytes(const MessageHead& head) {
    constexpr std::string_view kPath = "/bytes/";
    const size_t at = head.first_line.find(kPath);
    size_t bytes = 0;
    if (at == std::string_view::npos)
      Fail("the backend got '" + std::string(head.first_line) + "'");
    std::from_chars(head.first_line.data() + at + kPath.size(),
                    head.first_line.data() + head.first_line.size(), bytes);
    if (bytes > kMaxBody) Fail("the backend serves at most 64 MiB");
    return bytes;
  }

  bool AnswerCount(Connection& connection) {
    return Answer(connection, 0, std::to_string(connection.body_size));
  }

  // The body is `text`, then `bytes` bytes of the pattern.
  bool Answer(Connection& connection, size_t bytes, const std::string& text) {
    connection.head =
        "HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
        "Content-Type: text/plain\r\nContent-Length: " +
        std::to_string(bytes + text.size()) +
        (connection.close_after ? "\r\nConnection: close" : "") + "\r\n\r\n" + text;
    connection.head_sent = 0;
    connection.answer_size = bytes;
    connection.answer_sent = 0;
    return Write(connection);
  }

  bool Write(Connection& connection) {
    while (connection.head_sent < connection.head.size() ||
           connection.answer_sent < connection.answer_size) {
      std::array<iovec, 2> parts;
      parts[0].iov_base = connection.head.data() + connection.head_sent;
      parts[0].iov_len = connection.head.size() - connection.head_sent;
      parts[1].iov_base = const_cast<char*>(Pattern().data()) + connection.answer_sent;
      parts[1].iov_len = connection.answer_size - connection.answer_sent;
      msghdr message{};
      message.msg_iov = parts.data();
      message.msg_iovlen = parts.size();
      const ssize_t n = sendmsg(connection.fd, &message, MSG_NOSIGNAL);
      if (n < 0) {
        if (errno != EAGAIN) return false;
        WaitForOutput(connection, true);
        return true;
      }
      const size_t of_head = std::min(static_cast<size_t>(n), parts[0].iov_len);
      connection.head_sent += of_head;
      connection.answer_sent += static_cast<size_t>(n) - of_head;
    }
    if (connection.waits_for_output) WaitForOutput(connection, false);
    return !connection.close_after;
  }

  void WaitForOutput(Connection& connection, bool wait) {
    if (connection.waits_for_output == wait) return;
    connection.waits_for_output = wait;
    epoll_event event{};
    event.events = wait ? EPOLLOUT : EPOLLIN;
    event.data.ptr = &connection;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  }

  int epoll_ = -1;
  int listener_ = -1;
  int sink_listener_ = -1;
};

}  // namespace
}  // namespace headgate::bench

int main(int argc, char** argv) {
  using headgate::bench::Backend;
  const headgate::bench::Flags flags(argc, argv, headgate::bench::kUsage,
                                     {{"listen", ""}, {"sink", ""}});
  std::signal(SIGPIPE, SIG_IGN);
  headgate::bench::RaiseFileLimit();
  headgate::bench::Pattern();
  Backend(flags.Text("listen"), flags.Text("sink")).Run();
}
