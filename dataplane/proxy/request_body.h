#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/config/body_policy.h"
#include "dataplane/http/stream.h"
#include "dataplane/proxy/body_buffer.h"

namespace headgate::proxy {

// The body of one request between the client that sends it and the attempts that pass it on: either
// held until it is complete, or passed on as it comes. Part of an exchange; `upstream` is that of
// the attempt under way.
//
// A body that finds no room any more is passed on as it comes from then on, which costs it its
// other attempts and its length, but not its answer.
class RequestBody {
 public:
  explicit RequestBody(SpillSpace& space) : buffer_(space) {}

  void Start(bool complete);
  // Keep what comes. REQUIRES: nothing has come yet.
  void Hold(const config::Buffering& limits);

  // From the client. While there is no attempt the body is held.
  void Receive(std::string_view piece, bool end, http::ClientStream* upstream);
  // The same by pipe, which is never held: how many bytes may come so, and what came.
  uint64_t PipeRoom(const http::ClientStream* upstream) const;
  void ReceivePipe(base::PipePtr pipe, bool end, http::ClientStream& upstream);
  void ReceiveTrailers(const http::HeaderMap& trailers, http::ClientStream* upstream);

  // Attempts get nothing of it from now on, and begin as those of a request without body.
  void Discard();

  // Nobody wants it.
  void Ignore(std::string_view piece, bool end);

  // An attempt begins: from the first byte again. Gives `head` the length that is known by now.
  // True: there is no body.
  bool BeginAttempt(http::RequestHead& head);
  // Sends what is held, as far as `upstream` takes it without piling it up. False: the disk does
  // not give it back.
  [[nodiscard]] bool SendHeld(http::ClientStream& upstream);

  uint64_t received() const { return received_; }
  bool complete() const { return complete_; }  // all of it was received
  bool sent() const { return discarded_ || (complete_ && !anything_held()); }  // and passed on
  bool full() const { return buffer_.full(); }
  // Another attempt can have all of it.
  bool repeatable() const { return discarded_ || !passed_on_; }
  // Whether the client should wait with the rest.
  bool ShouldPause(const http::ClientStream& upstream) const;

  // No attempt will need it any more: gives back memory and file.
  void Drop();

 private:
  bool anything_held() const { return buffer_.unread() > 0 || trailers_held_; }

  BodyBuffer buffer_;
  http::HeaderMap trailers_;  // in the exchange's arena
  uint64_t received_ = 0;
  bool complete_ = false;
  bool trailers_held_ = false;
  bool discarded_ = false;
  bool passed_on_ = false;  // some of it went to an attempt and was not kept
};

}  // namespace headgate::proxy
