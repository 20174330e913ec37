#include "bench/compare/load/h2_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "bench/compare/load/fail.h"

namespace headgate::bench {
namespace {

constexpr size_t kReadSize = 256u << 10;

// One for all connections: nothing stays in it between two calls.
char* ReadBuffer() {
  static std::string buffer(kReadSize, '\0');
  return buffer.data();
}

}  // namespace

H2Socket::~H2Socket() {
  if (tls_ != nullptr) SSL_free(tls_);
  close(fd_);
}

long H2Socket::Read(char* into, size_t size) {
  if (tls_ != nullptr) {
    const int n = SSL_read(tls_, into, static_cast<int>(size));
    if (n > 0) return n;
    return SSL_get_error(tls_, n) == SSL_ERROR_WANT_READ ? 0 : -1;
  }
  const ssize_t n = recv(fd_, into, size, 0);
  if (n > 0) return n;
  return n < 0 && errno == EAGAIN ? 0 : -1;
}

long H2Socket::Write(const char* from, size_t size) {
  if (tls_ != nullptr) {
    const int n = SSL_write(tls_, from, static_cast<int>(size));
    if (n > 0) return n;
    const int error = SSL_get_error(tls_, n);
    return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ ? 0 : -1;
  }
  const ssize_t n = send(fd_, from, size, MSG_NOSIGNAL);
  if (n >= 0) return n;
  return errno == EAGAIN ? 0 : -1;
}

bool H2Socket::Receive(nghttp2_session* session) {
  for (;;) {
    const long got = Read(ReadBuffer(), kReadSize);
    if (got < 0) return false;
    if (got == 0) return true;
    const auto* bytes = reinterpret_cast<const uint8_t*>(ReadBuffer());
    const ssize_t used = nghttp2_session_mem_recv(session, bytes, static_cast<size_t>(got));
    if (used < 0) Fail(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(used)));
    if (tls_ == nullptr && static_cast<size_t>(got) < kReadSize) return true;
  }
}

bool H2Socket::Send(nghttp2_session* session) {
  for (;;) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session, &bytes);
    if (size < 0) Fail(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(size)));
    if (size == 0) break;
    output_.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  }
  while (sent_ < output_.size()) {
    const long wrote =
        Write(output_.data() + sent_, std::min<size_t>(output_.size() - sent_, 64u << 10));
    if (wrote < 0) return false;
    if (wrote == 0) return true;
    sent_ += static_cast<size_t>(wrote);
  }
  output_.clear();
  sent_ = 0;
  return true;
}

nghttp2_nv H2Field(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

}  // namespace headgate::bench
