#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/net/socket.h"
#include "dataplane/net/transport.h"
#include "dataplane/tls/client_context.h"
#include "dataplane/tls/server_context.h"

namespace headgate::tls {

// Either end of a TLS connection. See net::Transport for the contract of the calls; beside it:
//  - one read(2) takes in many records, one Write becomes as few records and system calls as it
//  can;
//  - an orderly end (close_notify) is kEof, a connection cut without it is kFailed with kClosed, so
//  that a
//    truncated message is never taken for a complete one;
//  - after the handshake, Read must be called without waiting for an edge: the client's first
//  request may have come
//    with its last handshake message;
//  - an idle connection holds no buffers.
// What is said of clients below concerns the server's end.
//
// Thread: the worker's that owns the context. Owned by a connection.
class TlsTransport final : public net::Transport {
 public:
  // `fd` is connected and non-blocking.
  TlsTransport(ServerContext& context, net::Fd fd);
  // The client's end, to a peer whose sessions `session` keeps: it is resumed from there, and what
  // the peer offers for later goes there. `fd` is connecting or connected; Handshake may be called
  // once it is connected. `session` outlives the transport.
  TlsTransport(ClientContext& context, net::Fd fd, SessionSlot& session);
  ~TlsTransport() override;
  TlsTransport(const TlsTransport&) = delete;
  TlsTransport& operator=(const TlsTransport&) = delete;

  int fd() const override { return fd_.get(); }
  // Fails with kTlsHandshake (the peers could not agree, or it is not TLS at all), kClosed or
  // kReset.
  net::IoResult Handshake() override;
  net::IoResult Read(std::span<char> into) override;
  net::IoResult Write(std::span<const iovec> pieces) override;
  void AnnounceEnd() override;
  void ShutdownWrite() override;
  // The protocol agreed on; empty if the client did not ask.
  std::string_view alpn() const override;
  // The name asked for, in lower case; empty if none was.
  std::string_view server_name() const override { return server_name_; }
  std::string_view tls_version() const override;
  std::string_view tls_cipher() const override;
  bool is_tls() const override { return true; }
  std::shared_ptr<const base::ClientIdentity> client_identity() const override;

  // After a failed handshake: the client speaks plain HTTP. ReplyInPlain can tell it so.
  bool plain_http() const { return plain_http_; }
  void ReplyInPlain(std::string_view reply) override;

  // "TLSv1.3"; meaningful once the handshake is complete.
  std::string_view version() const;
  // An earlier session was resumed.
  bool resumed() const override;
  // Why a call failed, in OpenSSL's words; static text.
  std::string_view failure_detail() const { return failure_detail_; }

 private:
  friend class ServerContext;  // its callbacks set server_name_
  friend class ClientContext;  // its callbacks fill session_
  struct Bio;

  TlsTransport(IoScratch& scratch, SSL* ssl, net::Fd fd);

  // Around every call: lends the worker's scratch memory to the connection, and takes it back.
  void BeginCall(size_t read_limit);
  void EndCall();

  // What OpenSSL reads and writes through.
  int TakeCiphertext(char* out, int size);
  void ReceiveCiphertext();
  // Sends what is waiting; true when nothing is left.
  bool Flush();
  // Makes records of the pieces from `skip` on, until all are done or about one send's worth is
  // waiting. Returns OpenSSL's last result; adds up what was taken, and the size of the last
  // record.
  int Encrypt(std::span<const iovec> pieces, size_t skip, size_t& taken, size_t& last_record);
  net::IoResult Fail(int result);
  net::IoResult ReadRecords(std::span<char> into);

  IoScratch& scratch_;
  net::Fd fd_;
  SSL* ssl_;
  SessionSlot* session_ = nullptr;  // set at the client's end
  std::string server_name_;
  // ClientAuth::fingerprint() of the rules that hold; 0: no certificate was asked for.
  uint64_t client_auth_ = 0;
  bool pass_certificate_ = false;
  std::string_view failure_detail_;

  // Ciphertext that OpenSSL has not taken: `incoming_` during a call, in the worker's scratch or in
  // `unread_`; `unread_` between calls.
  std::string unread_;
  std::string_view incoming_;
  size_t read_limit_ = 0;
  // Ciphertext that the socket has not taken.
  std::string unsent_;
  // Plain bytes at the start of the next Write whose ciphertext is in unsent_: they count as
  // written when that is gone.
  size_t owed_ = 0;
  // How reading ended, when data came before it in the same call.
  std::optional<net::IoResult> read_end_;

  bool handshake_done_ = false;
  bool first_byte_seen_ = false;
  bool plain_http_ = false;
  bool broken_ = false;        // OpenSSL gave up: it must not be called again
  bool hold_ticket_ = false;   // unsent_ is a session ticket that goes out with the first response
  bool socket_empty_ = false;  // the last recv of this call took all there was
  bool socket_eof_ = false;
  int socket_error_ = 0;
};

}  // namespace headgate::tls
