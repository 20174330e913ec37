#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "dataplane/config/body_policy.h"
#include "dataplane/encoding/encoder.h"
#include "dataplane/http/stream.h"
#include "dataplane/proxy/body_buffer.h"
#include "dataplane/proxy/encode_queue.h"
#include "dataplane/proxy/response_pace.h"

namespace headgate::proxy {

// Whose response it is; told from the loop, never from inside a call.
class ResponseBodyOwner {
 public:
  // Some of it went on: there may be room for more.
  virtual void OnResponseBodyMoved() = 0;
  // It cannot be completed. Last call.
  virtual void OnResponseBodyFailed(std::string_view why) = 0;

 protected:
  ~ResponseBodyOwner() = default;
};

// The body of one response between the upstream that sends it and the client: passed on as it
// comes, read ahead of a slow client, encoded, or both. Part of an exchange.
//
// Encoded bodies whose length was not known beforehand are flushed whenever all that has come is
// encoded: an event stream loses nothing.
class ResponseBody final : private EncodeJob {
 public:
  // All outlive this.
  ResponseBody(EncodeQueue& encoders, SpillSpace& space, ResponseBodyOwner& owner)
      : encoders_(encoders), owner_(owner), buffer_(space) {}

  // Before the head is known: everything is passed on.
  void Reset(http::ServerStream& downstream);
  // The head has come and will be sent: decides, and makes `head` that of the encoded body where it
  // will be one. `pace` outlives the body; null: as fast as the client takes it. With one,
  // OnWritable is called when its timer fires.
  void Start(const http::RequestHead& request, http::ResponseHead& head,
             const config::Buffering& buffering, const config::Compression& compression,
             ResponsePace* pace);

  // From upstream, in order; `end` and trailers as for streams.
  void Send(std::string_view piece, bool end);
  // The same by pipe: how many bytes may come so.
  uint64_t pipe_room() const;
  void SendPipe(base::PipePtr pipe, bool end);
  void SendTrailers(const http::HeaderMap& trailers);
  // The client takes more.
  void OnWritable();

  // The upstream should wait.
  bool full() const;
  // Bytes given to the client's stream.
  uint64_t sent_bytes() const { return sent_bytes_; }

  // The client is gone or nothing more is wanted: gives everything back.
  void Drop();

 private:
  static constexpr size_t kToEncode = 64 * 1024;  // bytes that may wait for their turn

  bool EncodeSlice() override;
  bool Encode(std::string_view input, encoding::Encoder::Op op);
  void SendHeld();
  void Pass(std::string_view piece, bool end);
  bool finished() const { return complete_ && buffer_.unread() == 0; }
  bool downstream_full() const;
  // How much may go now.
  size_t Room() { return pace_ == nullptr ? BodyBuffer::kReadBlock : pace_->Room(sent_bytes_); }
  void GiveEncoder();

  EncodeQueue& encoders_;
  ResponseBodyOwner& owner_;
  http::ServerStream* downstream_ = nullptr;  // null: dropped
  BodyBuffer buffer_;
  std::unique_ptr<encoding::Encoder> encoder_;
  int level_ = 0;
  ResponsePace* pace_ = nullptr;
  http::HeaderMap trailers_;  // in the exchange's arena
  uint64_t sent_bytes_ = 0;
  size_t most_unsent_ =
      http::ServerStream::kHighWater;  // bytes that may wait in the client's stream
  bool ahead_ = false;                 // reads ahead of the client
  bool flush_ = false;                 // what is encoded goes out at once
  bool complete_ = false;              // all of it has come
  bool lost_ = false;                  // cannot be read back from disk
};

}  // namespace headgate::proxy
