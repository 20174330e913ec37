#include "dataplane/http2/session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "common/check.h"
#include "dataplane/http2/field_list.h"

namespace headgate::http2 {
namespace {

constexpr size_t kFrameHeaderSize = 9;
constexpr uint8_t kPriorityUpdate = 0x10;  // RFC 9218 section 7.1
// CONTINUATION frames of one block. Releases of the library with a limit of their own (8) break off
// there without a word.
constexpr uint32_t kMaxContinuations = 8;

std::string_view View(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

bool HasFlag(const nghttp2_frame_hd& header, uint8_t flag) { return (header.flags & flag) != 0; }

// Errors that a peer can make us answer with RST_STREAM, as often as it likes.
bool IsPeersFault(uint32_t error) {
  switch (static_cast<ErrorCode>(error)) {
    case ErrorCode::kProtocolError:
    case ErrorCode::kFlowControlError:
    case ErrorCode::kStreamClosed:
    case ErrorCode::kFrameSizeError:
    case ErrorCode::kRefusedStream:
    case ErrorCode::kEnhanceYourCalm: return true;
    default: return false;
  }
}

}  // namespace

// What nghttp2 calls. The last argument of each is the session.
struct Session::Callbacks {
  static Session& Self(void* self) { return *static_cast<Session*>(self); }

  static int OnBeginFrame(nghttp2_session*, const nghttp2_frame_hd* header, void* self) {
    Self(self).OnFrameBegun(*header);
    return 0;
  }

  static int OnBeginHeaders(nghttp2_session* library, const nghttp2_frame* frame, void* self) {
    Session& session = Self(self);
    const int32_t id = frame->hd.stream_id;
    Stream* stream = session.Find(id);
    if (session.side_ == Side::kServer && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      stream = &session.events_.OnStreamOpened(id);
      stream->id_ = id;
      session.NoteBegun(id);
      nghttp2_session_set_stream_user_data(library, id, stream);
    }
    if (stream == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    session.block_.Start(stream->header_arena(), session.limits_);
    return 0;
  }

  static int OnHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* self) {
    Session& session = Self(self);
    if (session.terminated_) return 0;
    if (!session.block_.Add(View(name, name_size), View(value, value_size))) {
      session.Count(Abuse::kHeaders);
    }
    return 0;
  }

  static int OnInvalidHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t*, size_t,
                             const uint8_t*, size_t, uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // never left out in silence: PROTOCOL_ERROR
  }

  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Self(self).OnFrameReceived(*frame);
    return 0;
  }

  static int OnDataChunk(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size,
                         void* self) {
    Session& session = Self(self);
    Stream* const stream = session.Find(id);
    if (stream == nullptr) {
      nghttp2_session_consume_connection(session.session_, size);
      return 0;
    }
    stream->owed_credit_ += static_cast<uint32_t>(size);
    stream->OnData(View(data, size));
    return 0;
  }

  static int OnFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    Self(self).OnFrameSent(*frame);
    return 0;
  }

  static int OnStreamClose(nghttp2_session*, int32_t id, uint32_t error, void* self) {
    Session& session = Self(self);
    Stream* const stream = session.Find(id);
    if (stream == nullptr) return 0;
    nghttp2_session_consume_connection(session.session_, std::exchange(stream->owed_credit_, 0));
    nghttp2_session_set_stream_user_data(session.session_, id, nullptr);
    stream->id_ = 0;
    stream->body_.Clear();
    stream->OnClosed(static_cast<ErrorCode>(error));
    return 0;
  }

  // How much of the body goes into the next DATA frame.
  static ssize_t OnReadBody(nghttp2_session* library, int32_t id, uint8_t*, size_t most,
                            uint32_t* flags, nghttp2_data_source* source, void*) {
    Stream& stream = *static_cast<Stream*>(source->ptr);
    const size_t size = std::min(most, stream.body_.size());
    if (size == 0 && !stream.body_ended_) {
      stream.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (stream.body_ended_ && size == stream.body_.size()) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (stream.has_trailers_) {
        FieldList fields;
        AppendTrailers(stream.trailers_, fields);
        if (fields.size() > 0) {
          *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
          nghttp2_submit_trailer(library, id, fields.data(), fields.size());
        }
      }
    }
    return static_cast<ssize_t>(size);
  }

  // Writes that frame.
  static int OnSendData(nghttp2_session*, nghttp2_frame*, const uint8_t* header, size_t size,
                        nghttp2_data_source* source, void* self) {
    Session& session = Self(self);
    if (session.output_->size() >= session.limit_) return NGHTTP2_ERR_WOULDBLOCK;
    Stream& stream = *static_cast<Stream*>(source->ptr);
    char* const out = session.output_->Reserve(kFrameHeaderSize + size);
    std::copy_n(reinterpret_cast<const char*>(header), kFrameHeaderSize, out);
    std::copy_n(stream.body_.view().data(), size, out + kFrameHeaderSize);
    session.output_->Commit(kFrameHeaderSize + size);
    if (size > 0) {
      stream.body_.Consume(size);
      stream.OnBodyTaken(size);
    }
    return 0;
  }

  static const nghttp2_session_callbacks* Table() {
    static nghttp2_session_callbacks* const table = [] {
      nghttp2_session_callbacks* made = nullptr;
      HEADGATE_CHECK(nghttp2_session_callbacks_new(&made) == 0, "out of memory");
      nghttp2_session_callbacks_set_on_begin_frame_callback(made, OnBeginFrame);
      nghttp2_session_callbacks_set_on_begin_headers_callback(made, OnBeginHeaders);
      nghttp2_session_callbacks_set_on_header_callback(made, OnHeader);
      nghttp2_session_callbacks_set_on_invalid_header_callback(made, OnInvalidHeader);
      nghttp2_session_callbacks_set_on_frame_recv_callback(made, OnFrame);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, OnDataChunk);
      nghttp2_session_callbacks_set_on_frame_send_callback(made, Callbacks::OnFrameSent);
      nghttp2_session_callbacks_set_on_stream_close_callback(made, OnStreamClose);
      nghttp2_session_callbacks_set_send_data_callback(made, OnSendData);
      return made;
    }();
    return table;
  }

  static const nghttp2_option* Options() {
    static nghttp2_option* const options = [] {
      nghttp2_option* made = nullptr;
      HEADGATE_CHECK(nghttp2_option_new(&made) == 0, "out of memory");
      nghttp2_option_set_no_auto_window_update(made, 1);
      nghttp2_option_set_no_closed_streams(made, 1);
      // AbuseGuard is stricter, and says so to the peer and to the operator.
      nghttp2_option_set_stream_reset_rate_limit(made, 10'000, 10'000);
      return made;
    }();
    return options;
  }
};

Session::Session(Side side, const SessionOptions& options, SessionEvents& events,
                 net::TimePoint now)
    : side_(side),
      events_(events),
      limits_(options.limits),
      guard_(now),
      now_(now),
      walker_(side == Side::kServer ? NGHTTP2_CLIENT_MAGIC_LEN : 0) {
  const bool server = side == Side::kServer;
  const int made =
      server
          ? nghttp2_session_server_new2(&session_, Callbacks::Table(), this, Callbacks::Options())
          : nghttp2_session_client_new2(&session_, Callbacks::Table(), this, Callbacks::Options());
  HEADGATE_CHECK(made == 0, "out of memory");
  std::array<nghttp2_settings_entry, 4> settings = {{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       options.limits.max_head_bytes + 32 * options.limits.max_fields},
      {server ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS : NGHTTP2_SETTINGS_ENABLE_PUSH,
       server ? options.max_streams : 0},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(),
                          server ? settings.size() : settings.size() - 1);
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<int32_t>(options.connection_window));
}

Session::~Session() { nghttp2_session_del(session_); }

void Session::Receive(std::string_view bytes, net::TimePoint now) {
  now_ = now;
  size_t fed = 0;
  bool reset = false;  // one of these bytes' frames may have ended the stream
  // The library passes over unknown types and body for unknown streams without a word. Whether a
  // stream is unknown shows when all that came before has been fed.
  walker_.Walk(bytes, [&](const FrameWalker::Header& header, size_t offset) {
    if (header.type > NGHTTP2_CONTINUATION) {
      Count(header.type == kPriorityUpdate ? Abuse::kPriorities : Abuse::kUnknownFrames);
    }
    reset |= header.type == NGHTTP2_RST_STREAM;
    continuations_ = header.type == NGHTTP2_CONTINUATION ? continuations_ + 1 : 0;
    if (continuations_ > kMaxContinuations) Count(Abuse::kHeaders);
    if (header.type != NGHTTP2_DATA || (!reset && Find(header.stream_id) != nullptr)) return;
    Feed(bytes.substr(fed, offset - std::min(fed, offset)));
    fed = std::max(fed, offset);
    if (Find(header.stream_id) == nullptr) CheckStream(header.type, header.stream_id);
  });
  Feed(bytes.substr(fed));
}

void Session::Feed(std::string_view bytes) {
  if (bytes.empty() || failed_ || terminated_) return;
  const ssize_t used = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  if (used < 0) failed_ = true;
}

void Session::Produce(codec::OutputQueue& output, size_t limit) {
  output_ = &output;
  limit_ = limit;
  while (output.size() < limit) {
    const uint8_t* data = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) failed_ = true;
    if (size <= 0) break;
    output.Append(View(data, static_cast<size_t>(size)));
  }
  output_ = nullptr;
}

bool Session::alive() const {
  return !failed_ &&
         (nghttp2_session_want_read(session_) != 0 || nghttp2_session_want_write(session_) != 0);
}

uint32_t Session::peer_max_streams() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

bool Session::peer_takes_extended_connect() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) ==
         1;
}

Stream* Session::Find(int32_t id) const {
  return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

void Session::Count(Abuse abuse) {
  if (terminated_ || guard_.Count(abuse, now_)) return;
  abuse_ = abuse;
  Terminate(ErrorCode::kEnhanceYourCalm);
}

void Session::NoteBegun(int32_t id) {
  begun_[next_begun_] = {.id = id};
  next_begun_ = (next_begun_ + 1) % begun_.size();
  last_begun_ = id;
}

void Session::NoteEnded(int32_t id) {
  for (Begun& begun : begun_) {
    if (begun.id == id) begun.ended = true;
  }
}

// A frame for a stream that is not there. What the peer sent before it heard of our reset is passed
// over, by the library; what it sends although it has ended the stream, or never begun it, is an
// error of the connection (RFC 9113 sections 5.1 and 5.1.1). The library does not remember streams;
// keeping them would cost an idle connection more than this.
void Session::CheckStream(uint8_t type, int32_t id) {
  if (type != NGHTTP2_DATA && type != NGHTTP2_HEADERS) return;
  if (side_ != Side::kServer || id % 2 == 0 || id > last_begun_ || Find(id) != nullptr) return;
  const int32_t oldest = begun_[next_begun_].id;  // 0 while the ring is not full
  for (const Begun& begun : begun_) {
    if (begun.id != id) continue;
    if (begun.ended) Terminate(ErrorCode::kStreamClosed);
    return;
  }
  if (id > oldest) Terminate(ErrorCode::kProtocolError);
}

void Session::OnFrameBegun(const nghttp2_frame_hd& header) {
  CheckStream(header.type, header.stream_id);
  switch (header.type) {
    case NGHTTP2_DATA:
      if (header.length == 0 && !HasFlag(header, NGHTTP2_FLAG_END_STREAM)) Count(Abuse::kEmptyData);
      break;
    case NGHTTP2_HEADERS: block_.wire_bytes = 0; [[fallthrough]];
    case NGHTTP2_CONTINUATION:
      in_header_block_ = !HasFlag(header, NGHTTP2_FLAG_END_HEADERS);
      if (!block_.AddWireBytes(kFrameHeaderSize + header.length)) Count(Abuse::kHeaders);
      break;
    case NGHTTP2_PRIORITY: Count(Abuse::kPriorities); break;
    case NGHTTP2_SETTINGS:
      if (!HasFlag(header, NGHTTP2_FLAG_ACK)) Count(Abuse::kSettings);
      break;
    case NGHTTP2_PING: Count(Abuse::kPings); break;
    case NGHTTP2_WINDOW_UPDATE: Count(Abuse::kWindowUpdates); break;
    case NGHTTP2_RST_STREAM:
      if (Find(header.stream_id) == nullptr) Count(Abuse::kUnknownFrames);
      break;
    default: Count(Abuse::kUnknownFrames); break;
  }
}

void Session::OnFrameReceived(const nghttp2_frame& frame) {
  Stream* const stream = Find(frame.hd.stream_id);
  const bool end = HasFlag(frame.hd, NGHTTP2_FLAG_END_STREAM);
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      if (stream == nullptr || terminated_) return;
      if (end) NoteEnded(frame.hd.stream_id);
      stream->OnHeaders(block_, end);
      if (end) stream->OnEnd();
      break;
    case NGHTTP2_DATA:
      if (stream == nullptr) return;
      if (end) {
        NoteEnded(frame.hd.stream_id);
        stream->OnEnd();
      } else if (frame.hd.length != 0 && frame.hd.length <= frame.data.padlen) {
        Count(Abuse::kEmptyData);
      }
      break;
    case NGHTTP2_RST_STREAM:
      NoteEnded(frame.hd.stream_id);
      // One that is complete is no longer known.
      if (stream != nullptr && side_ == Side::kServer) Count(Abuse::kResets);
      break;
    case NGHTTP2_SETTINGS:
      if (HasFlag(frame.hd, NGHTTP2_FLAG_ACK)) break;
      knows_peer_ = true;
      events_.OnSettings();
      break;
    case NGHTTP2_PING:
      if (HasFlag(frame.hd, NGHTTP2_FLAG_ACK)) events_.OnPingAck();
      break;
    case NGHTTP2_GOAWAY:
      events_.OnGoaway(frame.goaway.last_stream_id,
                       static_cast<ErrorCode>(frame.goaway.error_code));
      break;
    default: break;
  }
}

void Session::OnFrameSent(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_DATA:
      guard_.CreditWindowUpdates();
      if (!HasFlag(frame.hd, NGHTTP2_FLAG_END_STREAM)) return;
      if (Stream* const stream = Find(frame.hd.stream_id)) stream->OnEndSent();
      break;
    case NGHTTP2_HEADERS:
      if (Stream* const stream = Find(frame.hd.stream_id)) {
        stream->head_bytes_ += static_cast<uint32_t>(kFrameHeaderSize + frame.hd.length);
        if (HasFlag(frame.hd, NGHTTP2_FLAG_END_STREAM)) stream->OnEndSent();
      }
      break;
    case NGHTTP2_RST_STREAM:
      if (side_ == Side::kServer && IsPeersFault(frame.rst_stream.error_code)) {
        Count(Abuse::kResets);
      }
      break;
    default: break;
  }
}

void Session::SendInformational(Stream& stream, const http::ResponseHead& head) {
  if (stream.id_ == 0) return;
  const NumberText status(head.status);
  FieldList fields;
  AppendInformational(head, status.view(), fields);
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id_, nullptr, fields.data(),
                         fields.size(), nullptr);
}

void Session::SendResponse(Stream& stream, const http::ResponseHead& head, std::string_view date,
                           bool no_body, bool end) {
  if (stream.id_ == 0) return;
  const NumberText status(head.status == 101 ? 200 : head.status);
  const NumberText length(head.body.size);
  FieldList fields;
  AppendResponse(head, status.view(), date, length, no_body, fields);
  const nghttp2_data_provider body = {.source = {.ptr = &stream},
                                      .read_callback = Callbacks::OnReadBody};
  nghttp2_submit_response(session_, stream.id_, fields.data(), fields.size(),
                          end ? nullptr : &body);
}

bool Session::SendRequest(Stream& stream, const http::RequestHead& head, std::string_view scheme,
                          bool end) {
  if (nghttp2_session_check_request_allowed(session_) == 0) return false;
  const NumberText length(head.body.size);
  FieldList fields;
  AppendRequest(head, scheme, length, fields);
  const nghttp2_data_provider body = {.source = {.ptr = &stream},
                                      .read_callback = Callbacks::OnReadBody};
  const int32_t id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(),
                                            end ? nullptr : &body, &stream);
  if (id < 0) return false;
  stream.id_ = id;
  return true;
}

void Session::ResumeBody(Stream& stream) {
  if (stream.deferred_ && stream.id_ != 0) {
    stream.deferred_ = false;
    nghttp2_session_resume_data(session_, stream.id_);
  }
}

void Session::SendBody(Stream& stream, std::string_view piece, bool end) {
  if (stream.id_ == 0 || stream.body_ended_) return;
  stream.body_.Append(piece);
  stream.body_ended_ = end;
  if (!piece.empty() || end) ResumeBody(stream);
}

void Session::SendTrailers(Stream& stream, const http::HeaderMap& trailers) {
  if (stream.id_ == 0 || stream.body_ended_) return;
  stream.trailers_ = trailers;
  stream.has_trailers_ = true;
  SendBody(stream, {}, true);
}

void Session::Reset(Stream& stream, ErrorCode error) {
  if (stream.id_ == 0) return;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, static_cast<uint32_t>(error));
}

void Session::ReturnCredit(Stream& stream) {
  if (stream.owed_credit_ == 0 || stream.id_ == 0) return;
  nghttp2_session_consume(session_, stream.id_, std::exchange(stream.owed_credit_, 0));
}

void Session::AnnounceShutdown() {
  nghttp2_submit_shutdown_notice(session_);
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
}

void Session::Shutdown() {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void Session::Terminate(ErrorCode error) {
  if (terminated_) return;
  terminated_ = true;
  nghttp2_session_terminate_session(session_, static_cast<uint32_t>(error));
}

}  // namespace headgate::http2
