#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "dataplane/base/client_identity.h"
#include "dataplane/base/failure.h"
#include "dataplane/base/pipe.h"

namespace headgate::net {

// What one read or write did.
struct IoResult {
  enum class Status : uint8_t {
    kOk,       // `bytes` were moved, at least one
    kBlocked,  // nothing to do before the next readiness edge
    kEof,      // reads only: the peer has ended its direction in an orderly way
    kFailed,   // see `failure`; the transport is of no further use
  };
  Status status = Status::kBlocked;
  size_t bytes = 0;
  // True when the kernel is known to hold nothing more right now (short read) or to take nothing
  // more (short write): the next call may be saved until the next edge.
  bool drained = false;
  base::Failure::Kind failure = base::Failure::Kind::kNone;
};

// A non-blocking byte stream over a connected socket: plain TCP or TLS. Owned by a connection, used
// on its loop's thread. The connection registers fd() with the loop (edge-triggered, both
// directions) and passes the edges on by calling Read and Write; a transport never touches the
// loop.
class Transport {
 public:
  virtual ~Transport() = default;

  virtual int fd() const = 0;

  // TLS: moves the handshake on. kOk when it is complete (always so for TCP), kBlocked when an edge
  // in either direction is needed, kFailed. Call until kOk before the first Read or Write.
  virtual IoResult Handshake() = 0;

  // Reads up to into.size() bytes. TLS may return kOk repeatedly with `drained` false while it
  // holds decrypted bytes: read until `drained`, kBlocked, kEof or kFailed.
  virtual IoResult Read(std::span<char> into) = 0;

  // Writes the pieces in order, as many bytes as are taken without blocking. After kBlocked the
  // same bytes (more may follow) must be offered again.
  virtual IoResult Write(std::span<const iovec> pieces) = 0;

  // Whether bytes can move between the socket and a pipe within the kernel, which is what these do:
  // as Read into an empty pipe, at most `limit` bytes, and as Write of what the pipe holds. Only
  // kBlocked tells that nothing more can be moved now.
  virtual bool has_pipes() const { return false; }
  virtual IoResult ReadPipe(base::Pipe& /*into*/, size_t /*limit*/) { return {}; }
  virtual IoResult WritePipe(base::Pipe& /*from*/) { return {}; }

  // TLS: tells the peer that nothing more comes (close_notify), so that it can tell the end from a
  // cut (RFC 8446 section 6.1); many clients resume no session that ended without. For right before
  // an orderly close. Does not block; best effort.
  virtual void AnnounceEnd() {}
  // Sends the end of our direction: AnnounceEnd, and FIN. Does not block; best effort.
  virtual void ShutdownWrite() = 0;

  // After a Handshake that failed because the client speaks plain HTTP: sends `reply` past TLS,
  // best effort, and ends our direction. Does nothing in every other case.
  virtual void ReplyInPlain(std::string_view /*reply*/) {}

  // What TLS negotiated; "" for none or TCP.
  virtual std::string_view alpn() const { return {}; }
  virtual std::string_view server_name() const { return {}; }
  // As OpenSSL names them; constants of the program.
  virtual std::string_view tls_version() const { return {}; }
  virtual std::string_view tls_cipher() const { return {}; }
  virtual bool is_tls() const { return false; }
  // The handshake took up an earlier session.
  virtual bool resumed() const { return false; }
  // What the client showed, where certificates are asked for; else null. Call once: it is made anew
  // each time.
  virtual std::shared_ptr<const base::ClientIdentity> client_identity() const { return nullptr; }
};

}  // namespace headgate::net
