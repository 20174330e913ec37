#include "bench/compare/load/connection.h"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "bench/compare/load/fail.h"
#include "bench/compare/load/message_head.h"

namespace headgate::bench {
namespace {

constexpr size_t kReadSize = 256u << 10;

// One for all connections: nothing stays in it between two calls.
char* ReadBuffer() {
  static std::string buffer(kReadSize, '\0');
  return buffer.data();
}

int SessionIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

int KeepSession(SSL* ssl, SSL_SESSION* session) {
  auto** slot = static_cast<SSL_SESSION**>(SSL_get_ex_data(ssl, SessionIndex()));
  if (*slot != nullptr) SSL_SESSION_free(*slot);
  *slot = session;
  return 1;
}

std::string TlsError() {
  std::array<char, 256> text;
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  return text.data();
}

}  // namespace

SSL_CTX* NewClientContext(int version, bool resume) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  constexpr std::array<unsigned char, 9> kAlpn = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context, kAlpn.data(), kAlpn.size());
  if (resume) {
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, KeepSession);
  }
  return context;
}

Connection::~Connection() {
  if (open()) Close();
  if (session_ != nullptr) SSL_SESSION_free(session_);
}

void Connection::Open(int epoll, uint64_t data) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) FailErrno("socket");
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&plan_.target), sizeof plan_.target) != 0 &&
      errno != EINPROGRESS) {
    FailErrno("connect");
  }
  epoll_ = epoll;
  epoll_data_ = data;
  wanted_ = EPOLLOUT;
  epoll_event event{};
  event.events = wanted_;
  event.data.u64 = data;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event) != 0) FailErrno("epoll_ctl");
  state_ = State::kConnecting;
  if (plan_.tls == nullptr) return;
  ssl_ = SSL_new(plan_.tls);
  SSL_set_fd(ssl_, fd_);
  SSL_set_connect_state(ssl_);
  SSL_set_tlsext_host_name(ssl_, plan_.server_name.c_str());
  SSL_set_ex_data(ssl_, SessionIndex(), &session_);
  if (plan_.resume && session_ != nullptr) SSL_set_session(ssl_, session_);
}

void Connection::Close() {
  if (ssl_ != nullptr) {
    // A clean shutdown keeps the session fit for resumption.
    if (state_ == State::kIdle || state_ == State::kDraining) SSL_shutdown(ssl_);
    ERR_clear_error();
    SSL_free(ssl_);
    ssl_ = nullptr;
  }
  close(fd_);
  fd_ = -1;
  state_ = State::kIdle;
  input_.clear();
}

void Connection::WantEvents(uint32_t events) {
  if (wanted_ == events) return;
  wanted_ = events;
  epoll_event event{};
  event.events = events;
  event.data.u64 = epoll_data_;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event);
}

Connection::Progress Connection::Send(std::string_view head) {
  head_ = head;
  head_sent_ = 0;
  body_sent_ = 0;
  answer_left_ = -1;
  if (state_ != State::kIdle) return Progress::kPending;  // still connecting: sent when it is up
  state_ = State::kSending;
  return Flush();
}

Connection::Progress Connection::OnEvent(uint32_t events) {
  // TLS has bytes of its own to read at any time; on a plain socket this is a refusal of the
  // request.
  if (state_ == State::kSending && ssl_ == nullptr && (events & EPOLLIN) != 0) {
    ReadAnswer();
    Fail("an answer before the request was complete");
  }
  return Advance();
}

Connection::Progress Connection::Advance() {
  switch (state_) {
    case State::kConnecting: {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) Fail(std::string("connect: ") + std::strerror(error));
      state_ = ssl_ != nullptr ? State::kHandshaking : State::kSending;
      return Advance();
    }
    case State::kHandshaking: {
      const int result = SSL_connect(ssl_);
      if (result != 1) {
        const int why = SSL_get_error(ssl_, result);
        if (why == SSL_ERROR_WANT_READ) {
          WantEvents(EPOLLIN);
        } else if (why == SSL_ERROR_WANT_WRITE) {
          WantEvents(EPOLLOUT);
        } else {
          Fail("TLS handshake: " + TlsError());
        }
        return Progress::kPending;
      }
      if (plan_.resume && session_ != nullptr && SSL_session_reused(ssl_) != 1) {
        Fail("the server did not resume the session");
      }
      state_ = State::kSending;
      return Flush();
    }
    case State::kSending: return Flush();
    case State::kReading:
    case State::kDraining:
    case State::kIdle: return ReadAnswer();
  }
  return Progress::kPending;
}

Connection::Progress Connection::Flush() {
  while (head_sent_ < head_.size() || body_sent_ < plan_.body.size()) {
    const bool in_head = head_sent_ < head_.size();
    const std::string_view rest =
        in_head ? head_.substr(head_sent_) : plan_.body.substr(body_sent_, kReadSize);
    size_t written = 0;
    const Io result = Write(rest, &written);
    if (result == Io::kAgain) {
      WantEvents(EPOLLOUT | (ssl_ == nullptr ? EPOLLIN : 0u));
      return Progress::kPending;
    }
    if (result == Io::kEnd) Fail("the server closed the connection before the request was sent");
    (in_head ? head_sent_ : body_sent_) += written;
  }
  state_ = State::kReading;
  WantEvents(EPOLLIN);
  return Progress::kPending;
}

Connection::Progress Connection::ReadAnswer() {
  char* buffer = ReadBuffer();
  for (;;) {
    size_t got = 0;
    const Io result = Read(buffer, kReadSize, &got);
    if (result == Io::kAgain) return Progress::kPending;
    if (result == Io::kEnd) {
      if (state_ == State::kReading) Fail("the server closed the connection instead of answering");
      Close();
      return Progress::kClosed;
    }
    if (state_ == State::kIdle) Fail("bytes that no request asked for");
    if (state_ == State::kDraining) Fail("bytes behind an answer with 'Connection: close'");
    std::string_view data(buffer, got);
    if (answer_left_ < 0) {
      if (!input_.empty()) {
        input_.append(data);
        data = input_;
      }
      const MessageHead head = ParseHead(data);
      if (head.size == 0) {
        if (input_.empty()) input_.assign(data);
        continue;
      }
      int status = 0;
      if (head.first_line.size() >= 12) {
        std::from_chars(head.first_line.data() + 9, head.first_line.data() + 12, status);
      }
      if (status != plan_.expected_status) {
        Fail("expected status " + std::to_string(plan_.expected_status) + ", got '" +
             std::string(head.first_line) + "'");
      }
      if (head.chunked || head.content_length < 0) Fail("an answer without Content-Length");
      if (plan_.expected_length >= 0 && head.content_length != plan_.expected_length) {
        Fail("expected " + std::to_string(plan_.expected_length) + " bytes, the answer has " +
             std::to_string(head.content_length));
      }
      answer_left_ = head.content_length;
      server_closes_ = head.close;
      data.remove_prefix(head.size);
    }
    if (static_cast<int64_t>(data.size()) > answer_left_) Fail("more bytes than the answer has");
    answer_left_ -= static_cast<int64_t>(data.size());
    input_.clear();
    if (answer_left_ > 0) {
      // A short read on a plain socket means that it is empty.
      if (ssl_ == nullptr && got < kReadSize) return Progress::kPending;
      continue;
    }
    if (plan_.close_each && !server_closes_) Fail("the server ignores 'Connection: close'");
    if (!server_closes_) {
      state_ = State::kIdle;
      return Progress::kAnswered;
    }
    state_ = State::kDraining;
  }
}

Connection::Io Connection::Write(std::string_view data, size_t* written) {
  if (ssl_ == nullptr) {
    const ssize_t n = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return Io::kAgain;
    if (n <= 0) return Io::kEnd;
    *written = static_cast<size_t>(n);
    return Io::kDone;
  }
  const int result = SSL_write_ex(ssl_, data.data(), data.size(), written);
  if (result == 1) return Io::kDone;
  const int why = SSL_get_error(ssl_, result);
  ERR_clear_error();
  return why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ ? Io::kAgain : Io::kEnd;
}

Connection::Io Connection::Read(char* buffer, size_t size, size_t* got) {
  if (ssl_ == nullptr) {
    const ssize_t n = recv(fd_, buffer, size, 0);
    if (n < 0 && errno == EAGAIN) return Io::kAgain;
    if (n <= 0) return Io::kEnd;
    *got = static_cast<size_t>(n);
    return Io::kDone;
  }
  const int result = SSL_read_ex(ssl_, buffer, size, got);
  if (result == 1) return Io::kDone;
  const int why = SSL_get_error(ssl_, result);
  ERR_clear_error();
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? Io::kAgain : Io::kEnd;
}

}  // namespace headgate::bench
