#include "dataplane/proxy/request_body.h"

#include <limits>
#include <utility>

namespace headgate::proxy {

void RequestBody::Start(bool complete) {
  Drop();
  received_ = 0;
  complete_ = complete;
  passed_on_ = false;
  discarded_ = false;
}

void RequestBody::Discard() {
  Drop();
  discarded_ = true;
}

void RequestBody::Hold(const config::Buffering& limits) {
  // On disk the room of the whole process is the limit.
  buffer_.Start(BodyBuffer::Keep::kAll, limits.request_memory, std::numeric_limits<int64_t>::max());
}

void RequestBody::Receive(std::string_view piece, bool end, http::ClientStream* upstream) {
  if (discarded_) return Ignore(piece, end);
  received_ += piece.size();
  complete_ = end;
  if (upstream == nullptr || buffer_.unread() > 0) {
    buffer_.Append(piece);
    return;
  }
  passed_on_ = true;
  upstream->SendBody(piece, end);
}

uint64_t RequestBody::PipeRoom(const http::ClientStream* upstream) const {
  if (discarded_ || upstream == nullptr || buffer_.unread() > 0) return 0;
  return upstream->pipe_room();
}

void RequestBody::ReceivePipe(base::PipePtr pipe, bool end, http::ClientStream& upstream) {
  received_ += pipe->size;
  complete_ = end;
  passed_on_ = true;
  upstream.SendPipe(std::move(pipe), end);
}

void RequestBody::ReceiveTrailers(const http::HeaderMap& trailers, http::ClientStream* upstream) {
  complete_ = true;
  if (discarded_) return;
  if (upstream == nullptr || buffer_.unread() > 0) {
    trailers_ = trailers;
    trailers_held_ = true;
    return;
  }
  passed_on_ = true;
  upstream->SendTrailers(trailers);
}

void RequestBody::Ignore(std::string_view piece, bool end) {
  Drop();
  received_ += piece.size();
  complete_ = end;
}

bool RequestBody::BeginAttempt(http::RequestHead& head) {
  if (discarded_) {
    head.body = http::BodyLength::None();
    return true;
  }
  buffer_.Rewind();
  trailers_held_ = !trailers_.empty();
  if (!complete_) return false;
  if (head.body.kind == http::BodyLength::Kind::kChunked && !trailers_held_) {
    head.body = http::BodyLength::Fixed(buffer_.size());
  }
  return !anything_held();
}

bool RequestBody::SendHeld(http::ClientStream& upstream) {
  while (buffer_.unread() > 0 && upstream.unsent_bytes() <= http::ServerStream::kHighWater) {
    const std::string_view piece = buffer_.Next();
    if (piece.empty()) return false;
    upstream.SendBody(piece, sent());
  }
  if (trailers_held_ && buffer_.unread() == 0) {
    trailers_held_ = false;
    upstream.SendTrailers(trailers_);
  }
  return true;
}

bool RequestBody::ShouldPause(const http::ClientStream& upstream) const {
  if (complete_ || discarded_) return false;
  return !upstream.connected() || buffer_.unread() > 0 ||
         upstream.unsent_bytes() > http::ServerStream::kHighWater;
}

void RequestBody::Drop() {
  buffer_.Clear();
  trailers_.Clear();
  trailers_held_ = false;
}

}  // namespace headgate::proxy
