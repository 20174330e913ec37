#include "tests/support/dataplane/peer.h"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "dataplane/http/header_map.h"

namespace headgate::test {
namespace {

constexpr int kLimitMs = 10'000;
constexpr int kShortMs = 100;

bool WaitFor(int fd, short events, int timeout_ms) {
  pollfd waiting{fd, events, 0};
  return poll(&waiting, 1, timeout_ms) > 0;
}

}  // namespace

size_t FirstReadable(std::initializer_list<int> sockets) {
  std::vector<pollfd> waiting;
  for (const int fd : sockets) waiting.push_back({fd, POLLIN, 0});
  if (poll(waiting.data(), waiting.size(), kLimitMs) <= 0) ADD_FAILURE() << "nothing happens";
  const auto ready = std::find_if(waiting.begin(), waiting.end(),
                                  [](const pollfd& fd) { return fd.revents != 0; });
  return static_cast<size_t>(ready - waiting.begin()) % waiting.size();
}

Peer::Peer(net::Fd fd) : fd_(std::move(fd)) {}

TlsEnd::TlsEnd(const TlsEndOptions& options)
    : context_(SSL_CTX_new(TLS_server_method())), alpn_(options.alpn) {
  signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without MSG_NOSIGNAL
  const auto text = [](const std::string& pem) {
    return BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  };
  BIO* chain = text(options.chain);
  X509* leaf = PEM_read_bio_X509(chain, nullptr, nullptr, nullptr);
  BIO* key_text = text(options.key);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(key_text, nullptr, nullptr, nullptr);
  EXPECT_EQ(SSL_CTX_use_cert_and_key(context_, leaf, key, nullptr, 1), 1);
  X509_free(leaf);
  EVP_PKEY_free(key);
  BIO_free(chain);
  BIO_free(key_text);
  SSL_CTX_set_max_proto_version(context_, options.max_version);
  SSL_CTX_set_session_id_context(context_, reinterpret_cast<const unsigned char*>("peer"), 4);
  if (!options.client_ca.empty()) {
    BIO* ca_text = text(options.client_ca);
    X509* ca = PEM_read_bio_X509(ca_text, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_), ca);
    X509_free(ca);
    BIO_free(ca_text);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  SSL_CTX_set_alpn_select_cb(
      context_,
      [](SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
         unsigned in_size, void* self) {
        const std::string& wanted = static_cast<TlsEnd*>(self)->alpn_;
        for (unsigned at = 0; at + 1 < in_size; at += in[at] + 1u) {
          if (wanted != std::string_view(reinterpret_cast<const char*>(in + at + 1), in[at]))
            continue;
          *out = in + at + 1;
          *size = in[at];
          return SSL_TLSEXT_ERR_OK;
        }
        return SSL_TLSEXT_ERR_NOACK;
      },
      this);
}

TlsEnd::~TlsEnd() { SSL_CTX_free(context_); }

bool Peer::StartTls(TlsEnd& end) {
  tls_.reset(SSL_new(end.context_));
  return Handshake(SSL_accept);
}

bool Peer::StartTlsAsClient(const std::string& server_name, std::string_view alpn) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  tls_.reset(SSL_new(context));
  SSL_CTX_free(context);
  SSL_set_tlsext_host_name(tls_.get(), const_cast<char*>(server_name.c_str()));
  std::string protocols(1, static_cast<char>(alpn.size()));
  protocols += alpn;
  SSL_set_alpn_protos(tls_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned>(protocols.size()));
  return Handshake(SSL_connect);
}

bool Peer::Handshake(int (*step)(SSL*)) {
  SSL_set_fd(tls_.get(), fd_.get());
  while (true) {
    ERR_clear_error();
    const int result = step(tls_.get());
    if (result == 1) return true;
    if (!WaitForTls(result)) return false;
  }
}

bool Peer::WaitForTls(int result) {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ: return WaitFor(fd_.get(), POLLIN, kLimitMs);
    case SSL_ERROR_WANT_WRITE: return WaitFor(fd_.get(), POLLOUT, kLimitMs);
    default: return false;
  }
}

Peer Peer::Connect(uint16_t port) {
  auto fd = net::ConnectTcp(*base::Address::ParseIp("127.0.0.1", port));
  if (!fd.ok()) {
    ADD_FAILURE() << "connect: " << fd.status();
    return {};
  }
  EXPECT_TRUE(WaitFor(fd->get(), POLLOUT, kLimitMs)) << "connect takes too long";
  if (net::ConnectError(fd->get()) != 0) return {};
  return Peer(*std::move(fd));
}

bool Peer::Send(std::string_view bytes) {
  while (tls_ != nullptr && !bytes.empty()) {
    const int sent = SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (sent <= 0 && !WaitForTls(sent)) return false;
  }
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!WaitFor(fd_.get(), POLLOUT, kLimitMs)) {
        ADD_FAILURE() << "the other end takes nothing";
        return false;
      }
    } else {
      return false;
    }
  }
  return true;
}

bool Peer::Fill(int timeout_ms) {
  if (!fd_) return false;
  const bool held = tls_ != nullptr && SSL_pending(tls_.get()) > 0;
  if (!held && !WaitFor(fd_.get(), POLLIN, timeout_ms)) {
    if (timeout_ms == kLimitMs) ADD_FAILURE() << "nothing came; so far: " << buffer_.substr(0, 500);
    return false;
  }
  char bytes[65536];
  if (tls_ != nullptr) {
    ERR_clear_error();
    const int count = SSL_read(tls_.get(), bytes, sizeof(bytes));
    if (count > 0) buffer_.append(bytes, static_cast<size_t>(count));
    if (count <= 0 && SSL_get_error(tls_.get(), count) != SSL_ERROR_WANT_READ) {
      reset_ = SSL_get_error(tls_.get(), count) != SSL_ERROR_ZERO_RETURN;
      return false;
    }
    return true;
  }
  const ssize_t got = recv(fd_.get(), bytes, sizeof(bytes), 0);
  if (got < 0 && errno == EAGAIN) return true;
  if (got < 0) reset_ = true;
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(got));
  return true;
}

std::string Peer::ReadHead() {
  size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(kLimitMs)) return std::exchange(buffer_, {});
  }
  std::string head = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);
  return head;
}

std::string Peer::Read(size_t bytes) {
  while (buffer_.size() < bytes && Fill(kLimitMs)) {
  }
  const size_t size = std::min(bytes, buffer_.size());
  std::string result = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return result;
}

std::string Peer::ReadExactly(size_t bytes) {
  std::string result;
  while (result.size() < bytes && WaitFor(fd_.get(), POLLIN, kLimitMs)) {
    std::string rest(bytes - result.size(), '\0');
    const ssize_t got = recv(fd_.get(), rest.data(), rest.size(), 0);
    if (got <= 0) break;
    result.append(rest, 0, static_cast<size_t>(got));
  }
  return result;
}

std::string Peer::ReadSome() {
  while (buffer_.empty() && Fill(kLimitMs)) {
  }
  return std::exchange(buffer_, {});
}

std::string Peer::ReadToEnd(bool* reset) {
  while (Fill(kLimitMs)) {
  }
  if (reset != nullptr) *reset = reset_;
  return std::exchange(buffer_, {});
}

std::string Peer::Message::Field(std::string_view name) const {
  size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    const size_t end = head.find("\r\n", at + 2);
    const std::string_view line = std::string_view(head).substr(at + 2, end - at - 2);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && http::EqualsIgnoreCase(line.substr(0, colon), name)) {
      std::string_view value = line.substr(colon + 1);
      while (value.starts_with(' ')) value.remove_prefix(1);
      return std::string(value);
    }
    at = end;
  }
  return {};
}

Peer::Message Peer::ReadMessage(bool without_body, bool until_close) {
  Message message;
  message.head = ReadHead();
  if (message.head.starts_with("HTTP/1.")) message.status = std::atoi(message.head.c_str() + 9);
  const bool bodiless =
      without_body || message.status / 100 == 1 || message.status == 204 || message.status == 304;
  if (bodiless) return message;
  if (message.Field("Transfer-Encoding") == "chunked") {
    while (true) {
      size_t end;
      while ((end = buffer_.find("\r\n")) == std::string::npos) {
        if (!Fill(kLimitMs)) return message;
      }
      const size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      buffer_.erase(0, end + 2);
      if (size == 0) break;
      message.body += Read(size);
      Read(2);
    }
    while (true) {  // trailers
      size_t end;
      while ((end = buffer_.find("\r\n")) == std::string::npos) {
        if (!Fill(kLimitMs)) return message;
      }
      const std::string line = buffer_.substr(0, end + 2);
      buffer_.erase(0, end + 2);
      if (line == "\r\n") return message;
      message.head.insert(message.head.size() - 2, line);
    }
  }
  if (const std::string length = message.Field("Content-Length"); !length.empty()) {
    message.body = Read(std::strtoull(length.c_str(), nullptr, 10));
  } else if (until_close) {
    message.body = ReadToEnd();
  }
  return message;
}

Peer::Message Peer::ReadResponse(bool to_head_request) {
  return ReadMessage(to_head_request, true);
}

Peer::Message Peer::ReadRequest() { return ReadMessage(false, false); }

bool Peer::CanSend() { return WaitFor(fd_.get(), POLLOUT, kShortMs); }

bool Peer::Silent() { return buffer_.empty() && !WaitFor(fd_.get(), POLLIN, kShortMs); }

bool Peer::Ended() {
  while (buffer_.empty() && Fill(kLimitMs)) {
  }
  return buffer_.empty();
}

void Peer::ShutdownWrite() { shutdown(fd_.get(), SHUT_WR); }

void Peer::Abort() {
  const linger abort{1, 0};
  setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
  fd_.Close();
}

PeerListener::PeerListener()
    : fd_(std::move(*net::BindTcp(*base::Address::ParseHostPort("127.0.0.1:0")))) {
  EXPECT_EQ(listen(fd_.get(), 128), 0);
  address_ = *net::LocalAddress(fd_.get());
}

Peer PeerListener::Accept() {
  if (!WaitFor(fd_.get(), POLLIN, kLimitMs)) {
    ADD_FAILURE() << "nobody connects";
    return {};
  }
  return Peer(net::Fd(accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)));
}

bool PeerListener::HasConnection() { return WaitFor(fd_.get(), POLLIN, kShortMs); }

}  // namespace headgate::test
