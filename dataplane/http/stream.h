#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/base/failure.h"
#include "dataplane/base/pipe.h"
#include "dataplane/http/connection_info.h"
#include "dataplane/http/message.h"

// The seam between protocols and the proxy. A codec (HTTP/1, HTTP/2) implements ServerStream for
// requests that come in and ClientStream for requests that go out; the exchange implements the two
// event interfaces and knows neither protocol.
//
// Rules for all four:
//  - one thread, the worker's;
//  - views given to a call are valid during that call only, except heads received: those live in
//  the arena;
//  - an event is never delivered from inside a call of the same stream: a Send that fails is
//  reported later,
//    from the loop;
//  - `end` marks the last piece of the message; nothing may be sent after it; it may come with an
//  empty piece;
//  - after Reset, and after both directions have ended, the stream delivers no more events and must
//  not be used;
//  - a response of status 101 to a request with `upgrade` makes the stream a tunnel: it comes with
//  `end` false, both
//    directions are open again, and each ends by itself (a client that half-closes ends the
//    request, not the tunnel);
//  - nothing written is visible to the peer before the end of the loop turn unless it is large:
//  small pieces of
//    one turn leave in one system call.

namespace headgate::http {

using base::Failure;

// The downstream side of one exchange: where its response goes.
class ServerStream {
 public:
  // 100 or 103. Dropped by the codec where the client cannot take it.
  virtual void SendInformational(const ResponseHead& head) = 0;
  // `head.body` says how the body is framed; the codec writes framing and connection fields itself
  // and drops hop-by-hop ones. 101 is for requests with `upgrade` only, and never the `end`.
  virtual void SendHead(const ResponseHead& head, bool end) = 0;
  virtual void SendBody(std::string_view piece, bool end) = 0;
  // How many bytes of the body SendPipe would take now: 0 for streams that take none, and while the
  // last pipe is not empty.
  virtual uint64_t pipe_room() const { return 0; }
  // As SendBody, with a pipe that holds something. REQUIRES: no more than pipe_room().
  virtual void SendPipe(base::PipePtr /*pipe*/, bool /*end*/) {}
  // Ends the response.
  virtual void SendTrailers(const HeaderMap& trailers) = 0;

  // Stop and go on delivering the request body. Counted: each Pause needs its Resume. A resumed
  // stream delivers from the loop, never from inside Resume.
  virtual void PauseReading() = 0;
  virtual void ResumeReading() = 0;

  // Give up on this exchange. The client sees a broken response if a head was sent (HTTP/1: the
  // connection closes; HTTP/2: RST_STREAM), never one that looks complete.
  virtual void Reset() = 0;

  // Bytes accepted by Send that the peer's socket has not taken. Above kHighWater the sender should
  // stop until OnDownstreamWritable. A pipe counts for kHighWater more than it holds: it is emptied
  // before anything is added.
  virtual size_t unsent_bytes() const = 0;

  // What the response's head took, for the log; 0 as long as it is not written.
  virtual uint64_t sent_head_bytes() const { return 0; }

  // Memory with the life of the exchange; request heads point into it.
  virtual base::Arena& arena() = 0;

  virtual const ConnectionInfo& connection() const = 0;

  static constexpr size_t kHighWater = 64 * 1024;
  static constexpr size_t kLowWater = 16 * 1024;

 protected:
  ~ServerStream() = default;
};

class ServerStreamEvents {
 public:
  virtual void OnRequestBody(std::string_view piece, bool end) = 0;
  // Asked before much is read: how many bytes may be given to OnRequestPipe now.
  virtual uint64_t RequestPipeRoom() const { return 0; }
  virtual void OnRequestPipe(base::PipePtr /*pipe*/, bool /*end*/) {}
  // Ends the request.
  virtual void OnRequestTrailers(const HeaderMap& trailers) = 0;
  // unsent_bytes() fell below kLowWater after having been above kHighWater.
  virtual void OnDownstreamWritable() = 0;
  // The client is gone or broke the protocol. Last event.
  virtual void OnDownstreamReset(const Failure& failure) = 0;
  // The whole response has been handed to the kernel. If the request was not complete, the codec
  // reads and drops the rest of it: body events end with the response. A tunnel is done when both
  // its directions are. Last event.
  virtual void OnExchangeDone() = 0;

 protected:
  ~ServerStreamEvents() = default;
};

// A request that its codec refuses.
struct BadRequest {
  uint16_t status = 400;
  Failure failure;
  // Its first line as far as it was read, for the log; may hold any byte. Valid during the call.
  std::string_view request_line;
  // The stream has been reset instead (RFC 9113 section 8.1.1): there is nothing to send, and
  // nothing can be.
  bool reset = false;
  // An exchange exists and has had OnDownstreamReset (its body was malformed or too slow, and
  // nothing had been answered): it has logged the request.
  bool exchange_known = false;
};

// Makes the receiver of a new request. Implemented by the worker, called by server connections.
class ServerHandler {
 public:
  // A complete request head (without body, `end` is true). `head` belongs to the stream, which
  // keeps it (and its capacity, for the next request) until the last event. The returned object
  // belongs to the handler, lives until its last event, and may call `stream` from inside this
  // call. Never null.
  virtual ServerStreamEvents* OnRequest(ServerStream& stream, const RequestHead& head,
                                        bool end) = 0;

  // Answer a request that cannot become an exchange: send a complete response (SendHead, SendBody,
  // `end`) from inside this call. There are no events; the connection or stream ends afterwards.
  virtual void OnBadRequest(ServerStream& stream, const BadRequest& bad) = 0;

 protected:
  ~ServerHandler() = default;
};

// The upstream side of one attempt: where the request goes.
class ClientStream {
 public:
  // A head with `upgrade` stays valid until the response head or the failure: whether it can be
  // sent may have to be found out first.
  virtual void SendHead(const RequestHead& head, bool end) = 0;
  virtual void SendBody(std::string_view piece, bool end) = 0;
  // As those of ServerStream.
  virtual uint64_t pipe_room() const { return 0; }
  virtual void SendPipe(base::PipePtr /*pipe*/, bool /*end*/) {}
  virtual void SendTrailers(const HeaderMap& trailers) = 0;

  virtual void PauseReading() = 0;
  virtual void ResumeReading() = 0;

  // Abandon the attempt. HTTP/1 closes the connection unless the exchange was complete.
  virtual void Reset() = 0;

  virtual size_t unsent_bytes() const = 0;

  // False while the connection is still being made: the body should be held back so that it is
  // there for another attempt. OnUpstreamWritable tells when it becomes true.
  virtual bool connected() const = 0;
  // The connection had served an earlier request; its death before any answer says little about the
  // endpoint.
  virtual bool reused() const = 0;

 protected:
  ~ClientStream() = default;
};

class ClientStreamEvents {
 public:
  virtual void OnResponseInformational(const ResponseHead& head) = 0;
  // A status of 101 is an answer to `upgrade` and names that protocol; the codec has checked it.
  virtual void OnResponseHead(const ResponseHead& head, bool end) = 0;
  virtual void OnResponseBody(std::string_view piece, bool end) = 0;
  // Asked before much is read: how many bytes may be given to OnResponsePipe now.
  virtual uint64_t ResponsePipeRoom() const { return 0; }
  virtual void OnResponsePipe(base::PipePtr /*pipe*/, bool /*end*/) {}
  virtual void OnResponseTrailers(const HeaderMap& trailers) = 0;
  // Connected, or below kLowWater after having been above kHighWater.
  virtual void OnUpstreamWritable() = 0;
  // The attempt failed. Last event.
  virtual void OnUpstreamReset(const Failure& failure) = 0;

 protected:
  ~ClientStreamEvents() = default;
};

}  // namespace headgate::http
