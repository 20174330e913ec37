#include "dataplane/proxy/mirrors.h"

#include <utility>

#include "dataplane/base/arena.h"
#include "dataplane/net/event_loop.h"

namespace headgate::proxy {

using base::Failure;

class Mirrors::Copy final : public net::Retirable, private http::ClientStreamEvents {
 public:
  Copy(Mirrors& owner, CopyId own_id) : id(own_id), owner_(owner), arena_(owner.io_.blocks()) {}

  // False: no connection could be begun.
  bool Begin(upstream::Endpoint& endpoint, const http::RequestHead& head, bool end,
             const codec::AttemptTimeouts& timeouts) {
    endpoint.OnAttemptBegin();
    stream_ = endpoint.Open(*this, arena_, timeouts, /*fresh=*/false, {});
    if (stream_ == nullptr) {
      endpoint.OnAttemptEnd(endpoint.unopened());
      return false;
    }
    endpoint_ = &endpoint;
    sent_ = end;
    stream_->SendHead(head, end);
    return true;
  }

  void SendBody(std::string_view piece, bool end) {
    if (stream_->unsent_bytes() + piece.size() > kMaxUnsentBytes) return Drop();
    sent_ = end;
    stream_->SendBody(piece, end);
  }

  void SendTrailers(const http::HeaderMap& trailers) {
    sent_ = true;
    stream_->SendTrailers(trailers);
  }

  // Gives it up.
  void Drop() {
    stream_->Reset();
    End({.given_up = true});
  }

  bool sent() const { return sent_; }

  // Without a word to the owner.
  void Close() {
    if (stream_ == nullptr) return;
    std::exchange(stream_, nullptr)->Reset();
    endpoint_->OnAttemptEnd({.given_up = true});
  }

  const CopyId id;

 private:
  void OnResponseInformational(const http::ResponseHead& /*head*/) override {}
  void OnResponseHead(const http::ResponseHead& head, bool end) override {
    status_ = head.status;
    if (end) Finish();
  }
  void OnResponseBody(std::string_view /*piece*/, bool end) override {
    if (end) Finish();
  }
  void OnResponseTrailers(const http::HeaderMap& /*trailers*/) override { Finish(); }
  void OnUpstreamWritable() override {}
  void OnUpstreamReset(const Failure& failure) override {
    End({.failure = failure.kind, .status = status_});
  }

  void Finish() {
    if (!sent_) stream_->Reset();  // answered early: the rest has no reader
    End({.status = status_});
  }

  void End(const upstream::AttemptOutcome& outcome) {
    stream_ = nullptr;
    endpoint_->OnAttemptEnd(outcome);
    owner_.Remove(*this);
  }

  Mirrors& owner_;
  base::Arena arena_;
  http::ClientStream* stream_ = nullptr;
  upstream::Endpoint* endpoint_ = nullptr;
  uint16_t status_ = 0;
  bool sent_ = false;  // all of the request
};

Mirrors::Mirrors(codec::WorkerIo& io, upstream::ClusterSet& clusters)
    : io_(io), clusters_(clusters) {}

Mirrors::~Mirrors() {
  for (auto& [id, copy] : copies_) {
    copy->Close();
    io_.loop().Retire(std::move(copy));
  }
}

Mirrors::CopyId Mirrors::Begin(config::ClusterSlot cluster, const http::RequestHead& head, bool end,
                               const codec::AttemptTimeouts& timeouts) {
  upstream::Cluster* const mirror = clusters_.Find(cluster);
  upstream::Endpoint* const endpoint =
      mirror == nullptr ? nullptr : mirror->Pick({.now = io_.loop().now()});
  if (endpoint == nullptr || copies_.size() >= kMaxCopies) return kNone;
  const CopyId id = ++last_id_;
  auto copy = std::make_unique<Copy>(*this, id);
  Copy& added = *copies_.emplace(id, std::move(copy)).first->second;
  if (added.Begin(*endpoint, head, end, timeouts)) return id;
  Remove(added);
  return kNone;
}

void Mirrors::SendBody(CopyId id, std::string_view piece, bool end) {
  if (Copy* copy = Find(id)) copy->SendBody(piece, end);
}

void Mirrors::SendTrailers(CopyId id, const http::HeaderMap& trailers) {
  if (Copy* copy = Find(id)) copy->SendTrailers(trailers);
}

void Mirrors::Abandon(CopyId id) {
  Copy* copy = Find(id);
  if (copy != nullptr && !copy->sent()) copy->Drop();
}

Mirrors::Copy* Mirrors::Find(CopyId id) const {
  if (id == kNone) return nullptr;
  const auto it = copies_.find(id);
  return it == copies_.end() ? nullptr : it->second.get();
}

// It may be in the middle of an event.
void Mirrors::Remove(Copy& copy) {
  const auto it = copies_.find(copy.id);
  std::unique_ptr<Copy> gone = std::move(it->second);
  copies_.erase(it);
  io_.loop().Retire(std::move(gone));
}

}  // namespace headgate::proxy
