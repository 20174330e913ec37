#include "controller/cli/admin_page.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "absl/strings/ascii.h"
#include "common/strings.h"

namespace headgate::cli {
namespace {

constexpr size_t kMaxPageBytes = size_t{256} << 20;

// Owns a socket.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

absl::Status Failed(const HostPort& admin, std::string_view what) {
  return absl::UnavailableError(StrCat(admin.ToString(), ": ", what));
}

// What of `answer` is the page.
absl::StatusOr<std::string> PageOf(const std::string& answer, const HostPort& admin) {
  const size_t body = answer.find("\r\n\r\n");
  const bool http = answer.starts_with("HTTP/1.") && body != std::string::npos;
  const std::string status = http ? answer.substr(8, 5) : "";
  if (status == " 200 ") return answer.substr(body + 4);
  if (status == " 404 ") {
    return absl::NotFoundError(absl::StripTrailingAsciiWhitespace(answer.substr(body + 4)));
  }
  return Failed(admin,
                StrCat("is not an admin port of Headgate: ", answer.substr(0, answer.find('\r'))));
}

}  // namespace

absl::StatusOr<std::string> FetchPage(const HostPort& admin, std::string_view path,
                                      absl::Duration timeout) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(admin.port);
  if (const int error = getaddrinfo(admin.host.c_str(), port.c_str(), &hints, &found); error != 0) {
    return Failed(admin, gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  const Socket socket(::socket(addresses->ai_family, addresses->ai_socktype | SOCK_CLOEXEC, 0));
  const timeval limit = absl::ToTimeval(timeout);
  setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (connect(socket.fd(), addresses->ai_addr, addresses->ai_addrlen) != 0) {
    return absl::ErrnoToStatus(errno, ToAbsl(admin.ToString()));
  }
  const std::string request = StrCat("GET ", path, " HTTP/1.0\r\nHost: ", admin.ToString(),
                                     "\r\nConnection: close\r\n\r\n");
  if (send(socket.fd(), request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return absl::ErrnoToStatus(errno, ToAbsl(admin.ToString()));
  }
  std::string answer;
  char buffer[65536];
  while (true) {
    const ssize_t got = recv(socket.fd(), buffer, sizeof buffer, 0);
    if (got < 0) return absl::ErrnoToStatus(errno, ToAbsl(admin.ToString()));
    if (got == 0) break;
    answer.append(buffer, static_cast<size_t>(got));
    if (answer.size() > kMaxPageBytes) return Failed(admin, "says too much");
  }
  return PageOf(answer, admin);
}

}  // namespace headgate::cli
