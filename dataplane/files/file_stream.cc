#include "dataplane/files/file_stream.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace headgate::files {

using base::Failure;

void FileStream::Start(http::ClientStreamEvents& events, base::Arena& arena,
                       const config::StaticAction& action, Located located) {
  events_ = &events;
  arena_ = &arena;
  action_ = &action;
  located_ = std::move(located);
  pause_count_ = 0;
  head_delivered_ = false;
  next_part_ = 0;
}

void FileStream::SendHead(const http::RequestHead& head, bool /*end*/) {
  MakeAnswer(head, located_.representation, *action_, server_.loop_.wall_now().tv_sec,
             server_.NextBoundary(*arena_), *arena_, head_, parts_);
  server_.loop_.Schedule(deliver_);
}

void FileStream::ResumeReading() {
  if (--pause_count_ == 0 && events_ != nullptr) server_.loop_.Schedule(deliver_);
}

// One piece a turn: others have their share of the loop between two pieces.
void FileStream::Deliver() {
  if (!std::exchange(head_delivered_, true)) {
    http::ClientStreamEvents& events = *events_;
    const bool end = parts_.empty();
    if (end) {
      End();
    } else {
      server_.loop_.Schedule(deliver_);
    }
    return events.OnResponseHead(head_, end);
  }
  if (pause_count_ > 0) return;
  http::ClientStreamEvents& events = *events_;
  base::PipePtr pipe = NextPipe();
  std::string_view piece;
  if (pipe == nullptr && !NextPiece(piece)) {
    End();
    return events.OnUpstreamReset({.side = Failure::Side::kUpstream,
                                   .kind = Failure::Kind::kClosed,
                                   .detail = "the file could not be read to its end"});
  }
  const bool end = next_part_ == parts_.size();
  if (end) {
    End();
  } else {
    server_.loop_.Schedule(deliver_);
  }
  if (pipe != nullptr) {
    events.OnResponsePipe(std::move(pipe), end);
  } else {
    events.OnResponseBody(piece, end);
  }
}

base::PipePtr FileStream::NextPipe() {
  const BodyPart& part = parts_[next_part_];
  if (located_.memory != nullptr || !part.text.empty() || part.size < FileServer::kPieceBytes)
    return nullptr;
  const uint64_t limit = std::min(part.size, events_->ResponsePipeRoom());
  base::PipePtr pipe = limit == 0 ? nullptr : server_.pipes_.Take();
  if (pipe == nullptr) return nullptr;
  // What fails here fails there too.
  if (net::FillPipeFromFile(*pipe, located_.file->fd.get(), part.offset, limit) <= 0)
    return nullptr;
  Advance(pipe->size);
  return pipe;
}

bool FileStream::NextPiece(std::string_view& piece) {
  BodyPart& part = parts_[next_part_];
  if (!part.text.empty()) {
    piece = std::exchange(part.text, {});
    if (part.size == 0) ++next_part_;
    return true;
  }
  const auto wanted = static_cast<size_t>(std::min<uint64_t>(part.size, FileServer::kPieceBytes));
  if (located_.memory != nullptr) {
    piece =
        std::string_view(located_.memory->content).substr(static_cast<size_t>(part.offset), wanted);
  } else {
    char* const buffer = server_.buffer();
    ssize_t got;
    do {
      got = pread(located_.file->fd.get(), buffer, wanted, static_cast<off_t>(part.offset));
    } while (got < 0 && errno == EINTR);
    if (got <= 0) return false;  // cut short under our hands
    piece = {buffer, static_cast<size_t>(got)};
  }
  Advance(piece.size());
  return true;
}

void FileStream::Advance(size_t bytes) {
  BodyPart& part = parts_[next_part_];
  part.offset += bytes;
  part.size -= bytes;
  if (part.size == 0) ++next_part_;
}

void FileStream::End() {
  if (events_ == nullptr) return;
  events_ = nullptr;
  deliver_.Unlink();
  server_.Recycle(*this);
}

}  // namespace headgate::files
