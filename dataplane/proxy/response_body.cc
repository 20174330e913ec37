#include "dataplane/proxy/response_body.h"

#include <utility>

#include "dataplane/proxy/compression.h"

namespace headgate::proxy {

using encoding::Coding;
using encoding::Encoder;

void ResponseBody::Reset(http::ServerStream& downstream) {
  downstream_ = &downstream;
  sent_bytes_ = 0;
  most_unsent_ = http::ServerStream::kHighWater;
  pace_ = nullptr;
  ahead_ = flush_ = complete_ = lost_ = false;
}

void ResponseBody::Start(const http::RequestHead& request, http::ResponseHead& head,
                         const config::Buffering& buffering, const config::Compression& compression,
                         ResponsePace* pace) {
  const bool length_known = head.body.kind == http::BodyLength::Kind::kFixed;
  if (const Coding coding = ChooseCoding(compression, request, head); coding != Coding::kIdentity) {
    level_ = compression.of(coding).level;
    encoder_ = encoders_.Take(coding, level_);
    if (encoder_ != nullptr) MarkEncoded(coding, head, downstream_->arena());
  }
  pace_ = pace;
  ahead_ = buffering.response;
  flush_ = !length_known;
  if (ahead_) {
    most_unsent_ = buffering.response_busy;
    buffer_.Start(BodyBuffer::Keep::kUnread, buffering.response_memory(), buffering.response_file);
  } else if (encoder_ != nullptr || pace_ != nullptr) {
    buffer_.Start(BodyBuffer::Keep::kUnread, kToEncode, 0);
  }
}

void ResponseBody::Send(std::string_view piece, bool end) {
  complete_ = end;
  if (encoder_ != nullptr) {
    buffer_.Append(piece);
    encoders_.Add(*this);
  } else if (buffer_.unread() > 0 || (pace_ != nullptr && !piece.empty()) ||
             (ahead_ && !piece.empty() && downstream_full())) {
    buffer_.Append(piece);
    SendHeld();
  } else {
    Pass(piece, end);
  }
}

uint64_t ResponseBody::pipe_room() const {
  return ahead_ || encoder_ != nullptr || pace_ != nullptr ? 0 : downstream_->pipe_room();
}

void ResponseBody::SendPipe(base::PipePtr pipe, bool end) {
  complete_ = end;
  sent_bytes_ += pipe->size;
  downstream_->SendPipe(std::move(pipe), end);
}

void ResponseBody::SendTrailers(const http::HeaderMap& trailers) {
  if (encoder_ == nullptr && buffer_.unread() == 0) return downstream_->SendTrailers(trailers);
  trailers_ = trailers;
  Send({}, true);
}

void ResponseBody::OnWritable() {
  if (encoder_ != nullptr) {
    encoders_.Add(*this);
  } else {
    SendHeld();
  }
}

// Ends with the end of the body or a client that has enough for now.
void ResponseBody::SendHeld() {
  while (buffer_.unread() > 0 && !downstream_full()) {
    const size_t room = Room();
    if (room == 0) return;
    const std::string_view piece = buffer_.Next(room);
    if (piece.empty()) {
      lost_ = true;
      return encoders_.Add(*this);  // the owner is not told from inside its call
    }
    Pass(piece, finished());
  }
}

bool ResponseBody::EncodeSlice() {
  if (downstream_full() || Room() == 0) return false;  // OnWritable goes on
  const std::string_view piece = buffer_.Next(kSlice);
  const bool more = buffer_.unread() > 0;
  lost_ |= piece.empty() && more;
  if (lost_) {
    owner_.OnResponseBodyFailed("the response body cannot be read from disk");
    return false;
  }
  if (piece.empty() && !complete_) return false;
  const Encoder::Op op = finished()        ? Encoder::Op::kFinish
                         : more || !flush_ ? Encoder::Op::kContinue
                                           : Encoder::Op::kFlush;
  if (!Encode(piece, op)) {
    owner_.OnResponseBodyFailed("no memory to encode the response body");
    return false;
  }
  if (op == Encoder::Op::kFinish) GiveEncoder();
  owner_.OnResponseBodyMoved();
  return more;
}

bool ResponseBody::Encode(std::string_view input, Encoder::Op op) {
  const std::span<char> out = encoders_.scratch();
  for (;;) {
    const Encoder::Result result = encoder_->Encode(input, op, out);
    if (result.failed) return false;
    const bool end = op == Encoder::Op::kFinish && result.done;
    if (result.produced > 0 || end) Pass({out.data(), result.produced}, end);
    if (result.done) return true;
  }
}

void ResponseBody::Pass(std::string_view piece, bool end) {
  sent_bytes_ += piece.size();
  if (end && !trailers_.empty()) {
    if (!piece.empty()) downstream_->SendBody(piece, false);
    return downstream_->SendTrailers(trailers_);
  }
  downstream_->SendBody(piece, end);
}

bool ResponseBody::downstream_full() const { return downstream_->unsent_bytes() > most_unsent_; }

bool ResponseBody::full() const {
  if (downstream_ == nullptr) return false;
  if (ahead_) return buffer_.full();
  return downstream_full() || ((encoder_ != nullptr || pace_ != nullptr) && buffer_.full());
}

void ResponseBody::GiveEncoder() { encoders_.Give(std::move(encoder_), level_); }

void ResponseBody::Drop() {
  Unlink();
  if (encoder_ != nullptr) GiveEncoder();
  buffer_.Clear();
  trailers_.Clear();
  pace_ = nullptr;
  downstream_ = nullptr;
}

}  // namespace headgate::proxy
