#pragma once

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/base/byte_buffer.h"
#include "dataplane/codec/output_queue.h"
#include "dataplane/http/message.h"
#include "dataplane/http2/abuse_guard.h"
#include "dataplane/http2/error_code.h"
#include "dataplane/http2/frame_walker.h"
#include "dataplane/http2/header_block.h"
#include "dataplane/net/timer_wheel.h"

namespace headgate::http2 {

class Session;

// One stream as the session sees it: base of what a connection makes of it. Owned by the
// connection, and alive until OnClosed.
//
// Events come from inside Session::Receive and Session::Produce, in this order: OnHeaders once or
// more, OnData, OnEnd ‖ OnBodyTaken, OnEndSent; at last OnClosed. They may call anything of the
// session but those two.
class Stream {
 public:
  int32_t id() const { return id_; }
  // Bytes of the body that were given to SendBody and are not in a frame yet.
  size_t unsent() const { return body_.size(); }
  // What our header blocks have taken of the output.
  uint32_t head_bytes() const { return head_bytes_; }

 protected:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() = default;

 private:
  friend class Session;

  // Where the text of header fields goes.
  virtual base::Arena& header_arena() = 0;
  // A complete header block: the first is the head (a client may see several, 1xx first), one after
  // data the trailer section. `end`: OnEnd follows at once.
  virtual void OnHeaders(HeaderBlock& block, bool end) = 0;
  // Each byte takes credit of the stream and of the connection from the peer until
  // Session::ReturnCredit.
  virtual void OnData(std::string_view piece) = 0;
  // The peer's message is complete, and its length is what content-length said.
  virtual void OnEnd() = 0;
  // Some of the body has left unsent().
  virtual void OnBodyTaken(size_t size) = 0;
  // The end of our message is in the output.
  virtual void OnEndSent() = 0;
  // Complete in both directions (kNoError) or reset, by whomever. The session has forgotten the
  // stream.
  virtual void OnClosed(ErrorCode error) = 0;

  int32_t id_ = 0;
  uint32_t owed_credit_ = 0;
  uint32_t head_bytes_ = 0;
  bool deferred_ = false;      // the library waits for more body
  bool body_ended_ = false;    // nothing more will come into body_
  bool has_trailers_ = false;  // trailers_ follow the body
  base::ByteBuffer body_;
  http::HeaderMap trailers_;
};

// What concerns the connection as a whole. From inside Receive.
class SessionEvents {
 public:
  // Server: the peer begins a stream.
  virtual Stream& OnStreamOpened(int32_t id) = 0;
  // The peer begins no further streams (server) or will serve none above `last_stream` (client),
  // whose streams are closed with kRefusedStream.
  virtual void OnGoaway(int32_t last_stream, ErrorCode error) = 0;
  // Client: Session::peer_max_streams() may have changed.
  virtual void OnSettings() = 0;
  // The answer to AnnounceShutdown has come: the peer knows.
  virtual void OnPingAck() = 0;

 protected:
  ~SessionEvents() = default;
};

enum class Side : uint8_t { kServer, kClient };

struct SessionOptions {
  uint32_t max_streams = 128;                // that the peer may have open at once
  uint32_t stream_window = 64 * 1024;        // body bytes under way in one stream
  uint32_t connection_window = 1024 * 1024;  // and in all
  HeadLimits limits;                         // until SetLimits
};

// HTTP/2 (RFC 9113) without I/O: bytes in, events out; calls in, bytes out. Glue over nghttp2, the
// same for both sides. Credit is never returned by itself, and what a peer can do too often is
// counted (AbuseGuard).
//
// A server connection answers OnStreamOpened with a stream of its own. A client connection makes a
// stream and gives it to SendRequest; OnHeaders then brings responses, which MakeResponseHead
// reads. Both feed Receive with what the transport reads, call Produce at the end of the turn and
// write what it gave, and are over when alive() is false.
//
// Thread: the worker's. Not to be destroyed from inside an event.
class Session {
 public:
  // `events` outlives this. The settings are part of the first output.
  Session(Side side, const SessionOptions& options, SessionEvents& events, net::TimePoint now);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // For header blocks that begin from now on.
  void SetLimits(const HeadLimits& limits) { limits_ = limits; }
  // Bytes from the peer, in pieces of any size. After a violation the rest is ignored, and alive()
  // becomes false once the output that says so has been produced.
  void Receive(std::string_view bytes, net::TimePoint now);
  // Appends frames to `output` until nothing is left or it holds `limit` bytes or a little more.
  void Produce(codec::OutputQueue& output, size_t limit);
  // False: the session is over, and all its output has been produced.
  bool alive() const;

  // What the peer did too often; it has been told to calm down (ENHANCE_YOUR_CALM) and the session
  // ends.
  std::optional<Abuse> abuse() const { return abuse_; }
  // A HEADERS frame came without the end of its block.
  bool in_header_block() const { return in_header_block_; }
  uint32_t peer_max_streams() const;
  // The peer's settings have come.
  bool knows_peer() const { return knows_peer_; }
  // And allow an extended CONNECT (RFC 8441 section 3).
  bool peer_takes_extended_connect() const;

  // ---- server ----
  void SendInformational(Stream& stream, const http::ResponseHead& head);
  // `end`: without body. `date`: written when the head has none. `no_body`: content-length
  // describes a body that does not follow. A head of status 101 is the positive answer to an
  // extended CONNECT.
  void SendResponse(Stream& stream, const http::ResponseHead& head, std::string_view date,
                    bool no_body, bool end);

  // ---- client ----
  // Opens the stream. False: no stream can be opened any more; `stream` has not been taken.
  [[nodiscard]] bool SendRequest(Stream& stream, const http::RequestHead& head,
                                 std::string_view scheme, bool end);

  // ---- both ----
  // After a head without `end`. The bytes are copied.
  void SendBody(Stream& stream, std::string_view piece, bool end);
  // Ends the message. The text of the fields must live until OnClosed.
  void SendTrailers(Stream& stream, const http::HeaderMap& trailers);
  // OnClosed follows from inside Produce. Body that has not been sent is dropped.
  void Reset(Stream& stream, ErrorCode error);
  // The peer may send as much again as OnData has brought since the last call.
  void ReturnCredit(Stream& stream);

  // Says that there will be a Shutdown; the peer's streams are accepted until then. OnPingAck when
  // it has heard.
  void AnnounceShutdown();
  // No streams of the peer beyond those it has begun. Those go on.
  void Shutdown();
  // The session ends with this error as soon as the output that says so is produced.
  void Terminate(ErrorCode error);

 private:
  struct Callbacks;

  // One of the streams that the peer has begun last.
  struct Begun {
    int32_t id = 0;
    bool ended = false;  // by the peer: nothing may come for it any more
  };

  void Count(Abuse abuse);
  void NoteBegun(int32_t id);
  void NoteEnded(int32_t id);
  void CheckStream(uint8_t type, int32_t id);
  void Feed(std::string_view bytes);
  void OnFrameBegun(const nghttp2_frame_hd& header);
  void OnFrameReceived(const nghttp2_frame& frame);
  void OnFrameSent(const nghttp2_frame& frame);
  Stream* Find(int32_t id) const;
  void ResumeBody(Stream& stream);

  const Side side_;
  SessionEvents& events_;
  HeadLimits limits_;
  nghttp2_session* session_ = nullptr;
  AbuseGuard guard_;
  net::TimePoint now_;
  std::optional<Abuse> abuse_;
  FrameWalker walker_;
  uint32_t continuations_ = 0;   // of the header block that comes in
  std::array<Begun, 16> begun_;  // a ring, for what the library has forgotten
  size_t next_begun_ = 0;
  int32_t last_begun_ = 0;
  bool failed_ = false;  // the library has given up: it must not be fed any more
  bool terminated_ = false;
  bool in_header_block_ = false;
  bool knows_peer_ = false;
  HeaderBlock block_;
  codec::OutputQueue* output_ = nullptr;  // during Produce
  size_t limit_ = 0;
};

}  // namespace headgate::http2
