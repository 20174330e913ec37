#include "controller/app/http_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "common/log.h"
#include "common/strings.h"

namespace headgate::app {
namespace {

constexpr size_t kMaxHeadBytes = 8192;
constexpr size_t kMaxTlsWrite = 1 << 20;
constexpr absl::Duration kRequestLimit = absl::Seconds(10);
constexpr absl::Duration kReplyLimit = absl::Seconds(30);

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return "Error";
  }
}

std::string Format(const HttpReply& reply, bool with_body) {
  std::string out =
      StrCat("HTTP/1.1 ", reply.status, " ", ReasonOf(reply.status), "\r\n",
             "Content-Type: ", reply.content_type, "\r\n", "Content-Length: ", reply.body.size(),
             "\r\n", "Connection: close\r\n\r\n");
  if (with_body) out += reply.body;
  return out;
}

// The value of the first field of this name, in lower case.
std::optional<std::string_view> FindField(std::string_view head, std::string_view name) {
  for (size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - (at + 2));
    if (line.size() <= name.size() || line[name.size()] != ':' ||
        !absl::EqualsIgnoreCase(ToAbsl(line.substr(0, name.size())), ToAbsl(name))) {
      continue;
    }
    return ToStd(absl::StripAsciiWhitespace(ToAbsl(line.substr(name.size() + 1))));
  }
  return std::nullopt;
}

// What a call of OpenSSL that did nothing amounts to, in terms of recv and send: 0 for the end, -1
// with errno.
ssize_t TlsOutcome(const SSL* tls, int result, bool& wants_write) {
  const int error = SSL_get_error(tls, result);
  wants_write = error == SSL_ERROR_WANT_WRITE;
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  errno = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? EAGAIN : EPROTO;
  return -1;
}

HttpReply Simple(int status) { return {.status = status, .body = StrCat(ReasonOf(status), "\n")}; }

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options,
                                                              Handler handler, const Clock& clock) {
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(options), std::move(handler), clock));
  if (absl::Status status = server->Listen(); !status.ok()) return status;
  server->thread_ = std::thread([raw = server.get()] { raw->Run(); });
  return server;
}

HttpServer::~HttpServer() {
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

absl::Status HttpServer::Listen() {
  const HostPort& listen = options_.listen;
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

void HttpServer::Run() {
  while (true) {
    std::vector<pollfd> polled;
    polled.push_back({stop_, POLLIN, 0});
    const absl::Duration now = clock_.MonotonicNow();
    // With all places taken, newcomers wait in the kernel's queue.
    const bool accepting = connections_.size() < options_.max_connections && now >= accept_after_;
    polled.push_back({accepting ? listener_ : -1, POLLIN, 0});
    absl::Duration wait = accepting ? absl::Seconds(60) : absl::Milliseconds(100);
    for (const Connection& connection : connections_) {
      const bool writes =
          (!connection.reply.empty() && !connection.draining) || connection.tls_wants_write;
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

void HttpServer::Accept() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE) {
      // The listener would be readable again at once.
      accept_after_ = clock_.MonotonicNow() + absl::Milliseconds(100);
      HEADGATE_LOG_EVERY(60, kWarn, "admin", "out of file descriptors");
    }
    return;
  }
  std::shared_ptr<SSL> tls;
  if (options_.tls != nullptr) {
    const std::shared_ptr<SSL_CTX> context = options_.tls();
    tls.reset(context == nullptr ? nullptr : SSL_new(context.get()), SSL_free);
    if (tls == nullptr || SSL_set_fd(tls.get(), fd) != 1) {
      close(fd);
      return;
    }
    SSL_set_accept_state(tls.get());
  }
  Connection& connection = connections_.emplace_back();
  connection.fd = fd;
  connection.tls = std::move(tls);
  connection.deadline = clock_.MonotonicNow() + kRequestLimit;
}

bool HttpServer::Serve(Connection& connection) {
  if (connection.draining || connection.reply.empty()) {
    if (!Read(connection)) return false;
  }
  return connection.draining || connection.reply.empty() || Write(connection);
}

ssize_t HttpServer::Receive(Connection& connection, char* to, size_t size) {
  if (connection.tls == nullptr) return recv(connection.fd, to, size, 0);
  ERR_clear_error();
  const int n = SSL_read(connection.tls.get(), to, static_cast<int>(size));
  return n > 0 ? n : TlsOutcome(connection.tls.get(), n, connection.tls_wants_write);
}

ssize_t HttpServer::Send(Connection& connection, std::string_view bytes) {
  if (connection.tls == nullptr) {
    return send(connection.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  ERR_clear_error();
  const size_t size = std::min(bytes.size(), kMaxTlsWrite);
  const int n = SSL_write(connection.tls.get(), bytes.data(), static_cast<int>(size));
  return n > 0 ? n : TlsOutcome(connection.tls.get(), n, connection.tls_wants_write);
}

bool HttpServer::Read(Connection& connection) {
  std::array<char, 16384> buffer;
  // Until there is no more: TLS may hold bytes of which poll knows nothing.
  while (true) {
    connection.tls_wants_write = false;
    const ssize_t n = Receive(connection, buffer.data(), buffer.size());
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    if (n == 0) return false;
    if (connection.draining) return true;
    if (TakeIn(connection, {buffer.data(), static_cast<size_t>(n)})) break;
  }
  connection.deadline = clock_.MonotonicNow() + kReplyLimit;
  return true;
}

bool HttpServer::TakeIn(Connection& connection, std::string_view bytes) {
  HttpRequest& request = connection.request;
  if (request.method.empty()) {
    connection.received.append(bytes);
    const size_t end = connection.received.find("\r\n\r\n");
    if (end == std::string::npos && connection.received.size() <= kMaxHeadBytes) return false;
    const int bad =
        end == std::string::npos
            ? 431
            : ReadHead(connection, std::string_view(connection.received).substr(0, end));
    if (bad != 0) {
      connection.reply = Format(Simple(bad), true);
      return true;
    }
    bytes = std::string_view(connection.received).substr(end + 4);
  }
  bytes = bytes.substr(0, connection.body_left);
  request.body.append(bytes);
  connection.body_left -= bytes.size();
  if (connection.body_left > 0) return false;
  connection.reply = Format(handler_(request), request.method != "HEAD");
  return true;
}

bool HttpServer::Write(Connection& connection) {
  while (connection.written < connection.reply.size()) {
    const ssize_t n =
        Send(connection, std::string_view(connection.reply).substr(connection.written));
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    connection.written += static_cast<size_t>(n);
  }
  // What the client still sends must not turn our close into a reset, which could take the reply
  // with it (RFC 9112 section 9.6).
  if (connection.tls != nullptr) SSL_shutdown(connection.tls.get());
  shutdown(connection.fd, SHUT_WR);
  connection.draining = true;
  connection.deadline = clock_.MonotonicNow() + absl::Seconds(1);
  return true;
}

int HttpServer::ReadHead(Connection& connection, std::string_view head) const {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last ||
      line.substr(last + 1).substr(0, 7) != "HTTP/1." || line[first + 1] != '/') {
    return 400;
  }
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const bool post = method == "POST" && options_.max_body > 0;
  if (method != "GET" && method != "HEAD" && !post) return 405;
  if (post) {
    const std::optional<std::string_view> length = FindField(head, "content-length");
    uint64_t bytes = 0;
    if (!length || FindField(head, "transfer-encoding")) return 411;
    if (!absl::SimpleAtoi(ToAbsl(*length), &bytes)) return 400;
    if (bytes > options_.max_body) return 413;
    connection.body_left = static_cast<size_t>(bytes);
  }
  connection.request.method = method;
  connection.request.path = target.substr(0, target.find('?'));
  return 0;
}

}  // namespace headgate::app
