#include "controller/app/admin_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "common/log.h"
#include "common/strings.h"

namespace headgate::app {
namespace {

constexpr size_t kMaxHeadBytes = 8192;
constexpr size_t kMaxConnections = 64;
constexpr absl::Duration kRequestLimit = absl::Seconds(10);
constexpr absl::Duration kReplyLimit = absl::Seconds(30);

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

std::string Format(const AdminReply& reply, bool with_body) {
  std::string out =
      StrCat("HTTP/1.1 ", reply.status, " ", ReasonOf(reply.status), "\r\n",
             "Content-Type: ", reply.content_type, "\r\n", "Content-Length: ", reply.body.size(),
             "\r\n", "Connection: close\r\n\r\n");
  if (with_body) out += reply.body;
  return out;
}

AdminReply Simple(int status) { return {.status = status, .body = StrCat(ReasonOf(status), "\n")}; }

}  // namespace

absl::StatusOr<std::unique_ptr<AdminServer>> AdminServer::Start(const HostPort& listen,
                                                                Handler handler,
                                                                const Clock& clock) {
  std::unique_ptr<AdminServer> server(new AdminServer(std::move(handler), clock));
  if (absl::Status status = server->Listen(listen); !status.ok()) return status;
  server->thread_ = std::thread([raw = server.get()] { raw->Run(); });
  return server;
}

AdminServer::~AdminServer() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    // An eventfd takes eight bytes at once or, when its count is full, is readable anyway.
    (void)!write(stop_, &one, sizeof(one));
    thread_.join();
  }
  for (Connection& connection : connections_) close(connection.fd);
  if (listener_ >= 0) close(listener_);
  if (stop_ >= 0) close(stop_);
}

absl::Status AdminServer::Listen(const HostPort& listen) {
  stop_ = eventfd(0, EFD_CLOEXEC);
  addrinfo hints{};
  hints.ai_family = listen.host.empty() ? AF_INET6 : AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(listen.port);
  if (const int error = getaddrinfo(listen.host.empty() ? nullptr : listen.host.c_str(),
                                    service.c_str(), &hints, &found);
      error != 0) {
    return absl::InvalidArgumentError(
        StrCat("cannot listen on ", listen.ToString(), ": ", gai_strerror(error)));
  }
  const auto fail = [&](const char* what) {
    const absl::Status status =
        absl::ErrnoToStatus(errno, StrCat("cannot ", what, " ", listen.ToString()));
    freeaddrinfo(found);
    return status;
  };
  listener_ = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener_ < 0) return fail("make a socket for");
  const int on = 1;
  const int off = 0;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (found->ai_family == AF_INET6) {
    setsockopt(listener_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  if (bind(listener_, found->ai_addr, found->ai_addrlen) != 0) return fail("listen on");
  if (::listen(listener_, SOMAXCONN) != 0) return fail("listen on");
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (getsockname(listener_, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return fail("ask for the port of");
  }
  port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                            : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  freeaddrinfo(found);
  return absl::OkStatus();
}

void AdminServer::Run() {
  while (true) {
    std::vector<pollfd> polled;
    polled.push_back({stop_, POLLIN, 0});
    const absl::Duration now = clock_.MonotonicNow();
    // With all places taken, newcomers wait in the kernel's queue.
    const bool accepting = connections_.size() < kMaxConnections && now >= accept_after_;
    polled.push_back({accepting ? listener_ : -1, POLLIN, 0});
    absl::Duration wait = accepting ? absl::Seconds(60) : absl::Milliseconds(100);
    for (const Connection& connection : connections_) {
      const bool writes = !connection.reply.empty() && !connection.draining;
      polled.push_back({connection.fd, static_cast<short>(writes ? POLLOUT : POLLIN), 0});
      wait = std::min(wait, connection.deadline - now);
    }
    const int timeout_ms =
        static_cast<int>(std::max<int64_t>(0, absl::ToInt64Milliseconds(wait) + 1));
    if (poll(polled.data(), polled.size(), timeout_ms) < 0 && errno != EINTR) {
      HEADGATE_LOG_EVERY(60, kError, "admin", "poll failed", {"errno", errno});
    }
    if (polled[0].revents != 0) return;
    size_t i = 2;
    const absl::Duration after = clock_.MonotonicNow();
    for (auto connection = connections_.begin(); connection != connections_.end(); ++i) {
      const bool alive =
          (polled[i].revents == 0 || Serve(*connection)) && connection->deadline > after;
      if (alive) {
        ++connection;
      } else {
        close(connection->fd);
        connection = connections_.erase(connection);
      }
    }
    if (polled[1].revents != 0) Accept();
  }
}

void AdminServer::Accept() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE) {
      // The listener would be readable again at once.
      accept_after_ = clock_.MonotonicNow() + absl::Milliseconds(100);
      HEADGATE_LOG_EVERY(60, kWarn, "admin", "out of file descriptors");
    }
    return;
  }
  Connection& connection = connections_.emplace_back();
  connection.fd = fd;
  connection.deadline = clock_.MonotonicNow() + kRequestLimit;
}

bool AdminServer::Serve(Connection& connection) {
  if (connection.draining || connection.reply.empty()) {
    if (!Read(connection)) return false;
  }
  return connection.draining || connection.reply.empty() || Write(connection);
}

bool AdminServer::Read(Connection& connection) {
  std::array<char, 4096> buffer;
  const ssize_t n = recv(connection.fd, buffer.data(), buffer.size(), 0);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  if (n == 0) return false;
  if (connection.draining) return true;
  connection.received.append(buffer.data(), static_cast<size_t>(n));
  const size_t end = connection.received.find("\r\n\r\n");
  if (end != std::string::npos) {
    connection.reply = ReplyTo(std::string_view(connection.received).substr(0, end));
  } else if (connection.received.size() > kMaxHeadBytes) {
    connection.reply = Format(Simple(431), true);
  } else {
    return true;
  }
  connection.deadline = clock_.MonotonicNow() + kReplyLimit;
  return true;
}

bool AdminServer::Write(Connection& connection) {
  while (connection.written < connection.reply.size()) {
    const ssize_t n = send(connection.fd, connection.reply.data() + connection.written,
                           connection.reply.size() - connection.written, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    connection.written += static_cast<size_t>(n);
  }
  // What the client still sends must not turn our close into a reset, which could take the reply
  // with it (RFC 9112 section 9.6).
  shutdown(connection.fd, SHUT_WR);
  connection.draining = true;
  connection.deadline = clock_.MonotonicNow() + absl::Seconds(1);
  return true;
}

std::string AdminServer::ReplyTo(std::string_view head) const {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last ||
      line.substr(last + 1).substr(0, 7) != "HTTP/1." || line[first + 1] != '/') {
    return Format(Simple(400), true);
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (method != "GET" && method != "HEAD") return Format(Simple(405), true);
  return Format(handler_(target.substr(0, target.find('?'))), method == "GET");
}

}  // namespace headgate::app
