#include "dataplane/tls/tls_transport.h"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/check.h"
#include "dataplane/tls/openssl_ptr.h"

namespace headgate::tls {
namespace {

using net::IoResult;
using Status = IoResult::Status;
using Kind = base::Failure::Kind;

constexpr size_t kMaxRecord = SSL3_RT_MAX_PLAIN_LENGTH;
// Ciphertext that is gathered for one send. Also what a connection whose peer does not read may
// hold.
constexpr size_t kSendSize = 64 * 1024;
constexpr size_t kHandshakeRead = 16 * 1024;
// Room for record headers and tags beyond the plain bytes asked for.
constexpr size_t kReadOverhead = 512;

bool IsBlocked(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

// The BIO through which OpenSSL reaches the transport.
struct TlsTransport::Bio {
  static TlsTransport& Owner(BIO* bio) { return *static_cast<TlsTransport*>(BIO_get_data(bio)); }

  static int Read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    TlsTransport& owner = Owner(bio);
    const int got = owner.TakeCiphertext(out, size);
    if (got > 0 || owner.socket_eof_) return got;
    if (owner.socket_empty_ && !owner.plain_http_) BIO_set_retry_read(bio);
    return -1;
  }

  static int Write(BIO* bio, const char* data, int size) {
    BIO_clear_retry_flags(bio);
    Owner(bio).scratch_.write.append(data, static_cast<size_t>(size));
    return size;
  }

  static long Control(BIO* bio, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH: return 1;
      case BIO_CTRL_EOF: return Owner(bio).socket_eof_ ? 1 : 0;
      default: return 0;
    }
  }

  static const BIO_METHOD* Method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "headgate");
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    return method;
  }
};

TlsTransport::TlsTransport(ServerContext& context, net::Fd fd)
    : TlsTransport(context.scratch_, SSL_new(context.context_), std::move(fd)) {
  SSL_set_accept_state(ssl_);
}

TlsTransport::TlsTransport(ClientContext& context, net::Fd fd, SessionSlot& session)
    : TlsTransport(context.scratch_, SSL_new(context.context_.get()), std::move(fd)) {
  session_ = &session;
  server_name_ = context.policy_->server_name;
  SSL_set_connect_state(ssl_);
  if (!server_name_.empty()) SSL_set_tlsext_host_name(ssl_, server_name_.c_str());
  if (session.session_ == nullptr) return;
  // A copy: OpenSSL never resumes a session again whose connection was not shut down in an orderly
  // way.
  SSL_SESSION* const copy = SSL_SESSION_dup(session.session_.get());
  if (copy != nullptr) SSL_set_session(ssl_, copy);
  SSL_SESSION_free(copy);
}

TlsTransport::TlsTransport(IoScratch& scratch, SSL* ssl, net::Fd fd)
    : scratch_(scratch), fd_(std::move(fd)), ssl_(ssl) {
  BIO* bio = BIO_new(Bio::Method());
  HEADGATE_CHECK(ssl_ != nullptr && bio != nullptr, "out of memory");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_app_data(ssl_, this);
}

TlsTransport::~TlsTransport() { SSL_free(ssl_); }

void TlsTransport::BeginCall(size_t read_limit) {
  ERR_clear_error();
  incoming_ = unread_;
  read_limit_ = std::min(read_limit, IoScratch::kReadSize);
  socket_empty_ = false;
  scratch_.write.clear();
}

void TlsTransport::EndCall() {
  if (incoming_.empty()) {
    if (!unread_.empty()) unread_ = std::string();  // gives the memory back
  } else if (incoming_.data() != unread_.data()) {
    std::string rest(incoming_);  // may point into unread_
    unread_ = std::move(rest);
  }
  incoming_ = {};
}

int TlsTransport::TakeCiphertext(char* out, int size) {
  if (incoming_.empty() && !socket_empty_ && !socket_eof_ && socket_error_ == 0)
    ReceiveCiphertext();
  if (!first_byte_seen_ && !incoming_.empty()) {
    first_byte_seen_ = true;
    // A TLS record starts with 22, HTTP/1 with a method.
    plain_http_ = incoming_.front() >= 'A' && incoming_.front() <= 'Z';
  }
  if (plain_http_) return 0;
  const size_t count = std::min(incoming_.size(), static_cast<size_t>(size));
  if (count > 0) std::memcpy(out, incoming_.data(), count);
  incoming_.remove_prefix(count);
  return static_cast<int>(count);
}

void TlsTransport::ReceiveCiphertext() {
  char* const scratch = scratch_.read.get();
  ssize_t got;
  do {
    got = recv(fd_.get(), scratch, read_limit_, 0);
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    incoming_ = {scratch, static_cast<size_t>(got)};
    socket_empty_ = incoming_.size() < read_limit_;
  } else if (got == 0) {
    socket_eof_ = true;
  } else if (IsBlocked(errno)) {
    socket_empty_ = true;
  } else {
    socket_error_ = errno;
  }
}

bool TlsTransport::Flush() {
  std::string& fresh = scratch_.write;
  hold_ticket_ = false;
  if (!unsent_.empty()) {
    unsent_ += fresh;
    fresh.clear();
  }
  std::string_view rest = unsent_.empty() ? fresh : unsent_;
  while (!rest.empty() && socket_error_ == 0) {
    const ssize_t sent = send(fd_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      const bool all = static_cast<size_t>(sent) == rest.size();
      rest.remove_prefix(static_cast<size_t>(sent));
      if (!all) break;  // the socket is full
    } else if (IsBlocked(errno)) {
      break;
    } else if (errno != EINTR) {
      socket_error_ = errno;
    }
  }
  if (rest.empty()) {
    if (!unsent_.empty()) unsent_ = std::string();
  } else {
    std::string kept(rest);
    unsent_ = std::move(kept);
  }
  fresh.clear();
  return unsent_.empty();
}

IoResult TlsTransport::Fail(int result) {
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_ZERO_RETURN) return {.status = Status::kEof};
  broken_ = true;
  failure_detail_ = plain_http_ ? "plain HTTP on a TLS port" : TakeOpenSslError();
  ERR_clear_error();
  if (!plain_http_) Flush();  // an alert tells the peer what is wrong
  Kind kind = handshake_done_ ? Kind::kProtocol : Kind::kTlsHandshake;
  if (socket_error_ != 0) {
    kind = socket_error_ == ECONNRESET || socket_error_ == EPIPE ? Kind::kReset : Kind::kClosed;
    failure_detail_ = "the connection failed";
  } else if (socket_eof_) {
    kind = Kind::kClosed;
    failure_detail_ = "closed without close_notify";
  }
  return {.status = Status::kFailed, .failure = kind};
}

IoResult TlsTransport::Handshake() {
  if (broken_) return {.status = Status::kFailed, .failure = Kind::kTlsHandshake};
  BeginCall(kHandshakeRead);
  IoResult out{.status = Status::kOk};
  const int result = handshake_done_ ? 1 : SSL_do_handshake(ssl_);
  if (result != 1 && SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) {
    out = Fail(result);
    if (out.status == Status::kEof) out = {.status = Status::kFailed, .failure = Kind::kClosed};
  } else if (result == 1 && session_ == nullptr && !incoming_.empty() && unsent_.empty() &&
             SSL_version(ssl_) == TLS1_3_VERSION) {
    // The request is here already: the session ticket travels with the response.
    handshake_done_ = true;
    hold_ticket_ = true;
    unsent_ = scratch_.write;
  } else {
    handshake_done_ = result == 1;
    const bool flushed = Flush();
    if (socket_error_ != 0) {
      out = Fail(-1);
    } else if (!handshake_done_ || !flushed) {
      out = {.status = Status::kBlocked, .drained = true};
    }
  }
  EndCall();
  return out;
}

IoResult TlsTransport::ReadRecords(std::span<char> into) {
  IoResult out{.status = Status::kOk};
  while (out.bytes < into.size()) {
    const size_t room = std::min<size_t>(into.size() - out.bytes, 1 << 30);
    const int result = SSL_read(ssl_, into.data() + out.bytes, static_cast<int>(room));
    if (result > 0) {
      out.bytes += static_cast<size_t>(result);
      continue;
    }
    if (SSL_get_error(ssl_, result) == SSL_ERROR_WANT_READ) {
      out.drained = true;
      if (out.bytes == 0) out.status = Status::kBlocked;
      return out;
    }
    read_end_ = Fail(result);
    return out.bytes > 0 ? out : *read_end_;
  }
  return out;
}

IoResult TlsTransport::Read(std::span<char> into) {
  if (read_end_) return *read_end_;
  if (broken_) return {.status = Status::kFailed, .failure = Kind::kProtocol};
  BeginCall(into.size() + kReadOverhead);
  const IoResult out = ReadRecords(into);
  // Reading may call for an answer (a key update); what the socket does not take goes with the next
  // Write.
  if (!scratch_.write.empty()) Flush();
  EndCall();
  return out;
}

int TlsTransport::Encrypt(std::span<const iovec> pieces, size_t skip, size_t& taken,
                          size_t& last_record) {
  std::string& gathered = scratch_.record;
  size_t piece = 0;
  int result = 1;
  while (result > 0 && scratch_.write.size() < kSendSize) {
    while (piece < pieces.size() && skip >= pieces[piece].iov_len) skip -= pieces[piece++].iov_len;
    if (piece == pieces.size()) break;
    const char* data = static_cast<const char*>(pieces[piece].iov_base) + skip;
    size_t size = std::min(pieces[piece].iov_len - skip, kMaxRecord);
    skip += size;
    if (size < kMaxRecord && piece + 1 < pieces.size()) {
      gathered.assign(data, size);
      while (gathered.size() < kMaxRecord && ++piece < pieces.size()) {
        skip = std::min(pieces[piece].iov_len, kMaxRecord - gathered.size());
        gathered.append(static_cast<const char*>(pieces[piece].iov_base), skip);
      }
      if (piece == pieces.size()) skip = 0;
      data = gathered.data();
      size = gathered.size();
    }
    result = SSL_write(ssl_, data, static_cast<int>(size));
    if (result > 0) {
      last_record = size;
      taken += size;
    }
  }
  return result;
}

IoResult TlsTransport::Write(std::span<const iovec> pieces) {
  if (broken_) return {.status = Status::kFailed, .failure = Kind::kProtocol};
  size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  BeginCall(0);
  IoResult out{.status = Status::kOk};
  if (!unsent_.empty() && !hold_ticket_ && !Flush()) {
    out = socket_error_ != 0 ? Fail(-1) : IoResult{.status = Status::kBlocked, .drained = true};
    EndCall();
    return out;
  }
  size_t taken = std::exchange(owed_, 0);
  bool flushed = true;
  while (flushed && taken < total) {
    size_t last_record = 0;
    const int result = Encrypt(pieces, taken, taken, last_record);
    flushed = Flush();
    if (socket_error_ != 0 || result <= 0) {
      out = Fail(result);
      EndCall();
      return out;
    }
    if (!flushed) owed_ = last_record;
  }
  out.bytes = taken - owed_;
  out.drained = !flushed;
  if (out.bytes == 0 && total > 0) out.status = Status::kBlocked;
  EndCall();
  return out;
}

void TlsTransport::AnnounceEnd() {
  if (broken_ || (SSL_get_shutdown(ssl_) & SSL_SENT_SHUTDOWN) != 0) return;
  BeginCall(0);
  if (handshake_done_) SSL_shutdown(ssl_);
  Flush();
  EndCall();
  ERR_clear_error();
}

void TlsTransport::ShutdownWrite() {
  AnnounceEnd();
  shutdown(fd_.get(), SHUT_WR);
}

void TlsTransport::ReplyInPlain(std::string_view reply) {
  if (!plain_http_) return;
  // Takes what has arrived first: closing with unread input makes the kernel reset the connection,
  // and the client would lose the answer.
  char* const scratch = scratch_.read.get();
  for (int i = 0; i < 8 && recv(fd_.get(), scratch, IoScratch::kReadSize, 0) > 0; ++i) {
  }
  static_cast<void>(send(fd_.get(), reply.data(), reply.size(), MSG_NOSIGNAL));
  shutdown(fd_.get(), SHUT_WR);
}

std::string_view TlsTransport::tls_version() const { return SSL_get_version(ssl_); }

std::string_view TlsTransport::tls_cipher() const {
  return SSL_CIPHER_get_name(SSL_get_current_cipher(ssl_));
}

std::string_view TlsTransport::alpn() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string_view TlsTransport::version() const { return SSL_get_version(ssl_); }

std::shared_ptr<const base::ClientIdentity> TlsTransport::client_identity() const {
  return client_auth_ == 0 ? nullptr : IdentityOf(ssl_, client_auth_, pass_certificate_);
}

bool TlsTransport::resumed() const { return SSL_session_reused(ssl_) == 1; }

}  // namespace headgate::tls
