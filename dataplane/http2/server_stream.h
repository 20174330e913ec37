#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/base/arena.h"
#include "dataplane/base/byte_buffer.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/http/stream.h"
#include "dataplane/http2/session.h"
#include "dataplane/net/event_loop.h"

namespace headgate::http2 {

class ServerConnection;

// One request of a client and its response. Made, owned and retired by ServerConnection.
//
// Lives until both are over: the stream (the session has forgotten it) and the exchange (its last
// event was delivered). Listed with the connection as long as some of its response is on the way.
class ServerStream final : public net::Retirable,
                           public Stream,
                           public http::ServerStream,
                           public base::ListNode,
                           private net::TimerHandler {
 public:
  explicit ServerStream(ServerConnection& connection);
  ~ServerStream() override;

  // http::ServerStream
  void SendInformational(const http::ResponseHead& head) override;
  void SendHead(const http::ResponseHead& head, bool end) override;
  void SendBody(std::string_view piece, bool end) override;
  void SendTrailers(const http::HeaderMap& trailers) override;
  void PauseReading() override;
  void ResumeReading() override;
  void Reset() override;
  size_t unsent_bytes() const override;
  uint64_t sent_head_bytes() const override { return head_bytes(); }
  base::Arena& arena() override { return arena_; }
  const http::ConnectionInfo& connection() const override;

  // Fixed-size memory that each thread keeps.
  static void* operator new(size_t size);
  static void operator delete(void* memory, size_t size);

 private:
  friend class ServerConnection;

  // http2::Stream
  base::Arena& header_arena() override { return arena_; }
  void OnHeaders(HeaderBlock& block, bool end) override;
  void OnData(std::string_view piece) override;
  void OnEnd() override;
  void OnBodyTaken(size_t size) override;
  void OnEndSent() override;
  void OnClosed(ErrorCode error) override;
  // net::TimerHandler
  void OnTimer(net::Timer& timer) override;

  // Reading.
  void OnRequestHeaders(HeaderBlock& block, bool end);
  void StartExchange(bool end);
  void Deliver();
  void DeliverEnd();
  void RearmBodyTimer();
  bool awaits_body() const { return events_ != nullptr && !request_delivered_ && !awaits_switch_; }

  // Writing.
  void MaybeSendContinue();
  void EndResponse();
  // All that was produced so far has this offset in the connection's output.
  void NoteProduced(uint64_t offset);
  // The kernel has taken the output up to this offset.
  void NoteWritten(uint64_t offset);
  void MaybeNotifyWritable();
  bool response_written(uint64_t offset) const { return end_sent_ && offset >= end_offset_; }

  // Ending.
  std::string_view RequestLine();
  void Refuse(uint16_t status, const base::Failure& failure, bool exchange_known);
  // The client is gone or broke the protocol.
  void FailExchange(const base::Failure& failure);
  void FinishExchange();
  void NoteRefused(ErrorCode error);
  void MaybeRetire();
  void CountActive(bool active);

  void RunReady();

  ServerConnection& connection_;
  size_t index_ = 0;  // in ServerConnection
  net::Timer read_timer_;
  net::Timer send_timer_;
  net::MemberTask<ServerStream, &ServerStream::RunReady> ready_task_{*this};

  // Request.
  base::Arena arena_;
  http::RequestHead head_;
  http::ServerStreamEvents* events_ = nullptr;
  base::ByteBuffer input_;  // arrived while the exchange had paused; its credit is not returned
  http::HeaderMap trailers_in_;
  uint32_t pause_count_ = 0;
  bool head_received_ = false;
  bool request_ended_ = false;      // the client's END_STREAM has come
  bool request_delivered_ = false;  // and the exchange knows
  bool expect_pending_ = false;     // the client may be waiting for 100
  bool awaits_switch_ = false;      // an extended CONNECT that has not been answered
  bool tunnel_ = false;             // and was accepted

  // Response.
  uint64_t end_offset_ = 0;  // of the connection's output, when end_sent_; 0: not known yet
  uint64_t fixed_left_ = 0;
  size_t counted_unsent_ = 0;  // of this stream, in the connection's sum
  bool fixed_ = false;
  bool no_body_ = false;
  bool head_sent_ = false;
  bool response_ended_ = false;
  bool truncated_ = false;  // less came than was promised: reset, not ended
  bool end_sent_ = false;
  bool progress_ = false;  // since the send timer was armed
  bool was_above_high_water_ = false;

  bool closed_ = false;          // the session has forgotten it
  bool over_ = false;            // no further event, and no further call has an effect
  bool counted_active_ = false;  // in kDownstreamRequestsActive
};

}  // namespace headgate::http2
