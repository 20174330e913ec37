#include "dataplane/proxy/body_buffer.h"

namespace headgate::proxy {

void BodyBuffer::Start(Keep keep, size_t memory_limit, uint64_t file_limit) {
  keep_ = keep;
  memory_limit_ = memory_limit;
  file_limit_ = file_limit;
}

void BodyBuffer::Append(std::string_view piece) {
  DropRead();
  const size_t together = memory_.size() + piece.size();
  if (together > memory_limit_ && !spill_refused_ && file_limit_ != 0) {
    if (!spilled()) file_begin_ = end_ - memory_.size();
    if (file_.size() + together <= file_limit_ && file_.Append(memory_.view(), piece)) {
      memory_.Clear();
      end_ += piece.size();
      return;
    }
    spill_refused_ = true;
  }
  memory_.Append(piece);
  end_ += piece.size();
}

std::string_view BodyBuffer::Next(size_t most) {
  DropRead();
  if (cursor_ == end_) return {};
  if (spilled() && cursor_ < file_begin_ + file_.size()) return NextFromFile(most);
  const uint64_t memory_begin = end_ - memory_.size();
  const std::string_view piece =
      memory_.view().substr(static_cast<size_t>(cursor_ - memory_begin), most);
  cursor_ += piece.size();
  return piece;
}

std::string_view BodyBuffer::NextFromFile(size_t most) {
  most = std::min(most, kReadBlock);
  block_.Clear();
  char* const into = block_.Reserve(most);
  const size_t got = file_.Read(cursor_ - file_begin_, {into, most});
  block_.Commit(got);
  cursor_ += got;
  return block_.view();
}

void BodyBuffer::Rewind() { cursor_ = 0; }

void BodyBuffer::DropRead() {
  const uint64_t memory_begin = end_ - memory_.size();
  if (cursor_ < memory_begin) return;
  block_.Clear();
  if (keep_ == Keep::kAll) return;
  if (spilled()) {
    file_.Clear();
    spill_refused_ = false;
  }
  memory_.Consume(static_cast<size_t>(cursor_ - memory_begin));
}

void BodyBuffer::Clear() {
  file_.Clear();
  memory_.Clear();
  block_.Clear();
  spill_refused_ = false;
  file_begin_ = cursor_ = end_ = 0;
}

}  // namespace headgate::proxy
