// Frames of an upstream into the session glue, with attempts that do everything an exchange may do.
// Whatever comes: an attempt has its events in order and one last one, what a client would get has
// one reading and is whole only if the response was, what the upstream gets are sound frames, and
// nothing is left when the connection is gone.
//
// First byte: bit 0 the rest is the wire instead of records (http2_frames.h), bit 1 byte by byte,
// bit 2 an upstream that reads slowly. The second chooses what the attempts do by themselves.
// Actions of steps: 1 begin another, 2 give up, 3 pause, 4 go on.
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "dataplane/http1/chunked.h"
#include "dataplane/http1/serializer.h"
#include "dataplane/http2/client_connection.h"
#include "tests/fuzz/http2_frames.h"
#include "tests/support/strict_reader.h"

namespace headgate::fuzz {
namespace {

using http::BodyLength;
using testing::StrictKind;
using testing::StrictMessage;

// Notes an attempt's response as a client would get it.
class Attempt final : public http::ClientStreamEvents, public EventRules {
 public:
  Attempt(Worker& worker, uint8_t style) : style_(style), arena_(worker.blocks) {}

  void Begin(http2::ClientConnection& connection) {
    stream_ = &connection.StartAttempt(*this, arena_, {});
    http::RequestHead head;
    head.method_text = style_ % 4 == 0 ? "HEAD" : style_ % 4 == 1 ? "GET" : "POST";
    head.method = http::ParseMethod(head.method_text);
    head.target = "/a?b";
    head.authority = "a.example";
    head.fields.Add("Host", "a.example");
    head.fields.Add("Connection", "keep-alive");
    head.fields.Add("TE", "gzip, trailers");
    head.fields.Add("X-A", "1");
    head_request_ = head.method == http::Method::kHead;
    const bool has_body = head.method == http::Method::kPost;
    if (has_body) head.body = style_ % 8 == 2 ? BodyLength::Fixed(100'000) : BodyLength::Chunked();
    Call([&] { stream_->SendHead(head, !has_body); });
    if (!has_body || over_) return;
    Call([&] { stream_->SendBody(std::string(100'000, 'b'), style_ % 8 == 2); });
    http::HeaderMap trailers;
    trailers.Add("x-trailer", "1");
    if (style_ % 8 == 3) Call([&] { stream_->SendTrailers(trailers); });
  }

  void OnResponseInformational(const http::ResponseHead& head) override {
    OnEvent();
    HEADGATE_CHECK(!head_seen_ && ++informational_ <= 32);
    HEADGATE_CHECK(head.status >= 100 && head.status < 200 && head.status != 101);
    std::string text(http1::ResponseHeadBound(head), '\0');
    text.resize(
        static_cast<size_t>(http1::WriteInformationalHead(head, text.data()) - text.data()));
    HEADGATE_CHECK(testing::ReadStrictly(text).has_value());
  }

  void OnResponseHead(const http::ResponseHead& head, bool end) override {
    OnEvent();
    HEADGATE_CHECK(!head_seen_ && head.status >= 200 && head.status <= 599);
    HEADGATE_CHECK(head.body.kind != BodyLength::Kind::kUntilClose);
    head_seen_ = true;
    http1::ResponseWireOptions wire;
    bodiless_ = head_request_ || head.status == 204 || head.status == 304;
    chunked_ = !bodiless_ && head.body.kind == BodyLength::Kind::kChunked && !end;
    if (chunked_) {
      wire.framing = http1::WireFraming::kChunked;
    } else if (!bodiless_) {
      wire.framing = http1::WireFraming::kContentLength;
      wire.length = head.body.size;
    } else if (head.status != 204) {
      wire.framing = http1::WireFraming::kAsReceived;
    }
    wire.connection = http1::ResponseWireOptions::Connection::kClose;
    std::string text(http1::ResponseHeadBound(head), '\0');
    const auto size =
        static_cast<size_t>(http1::WriteResponseHead(head, wire, text.data()) - text.data());
    HEADGATE_CHECK(size <= text.size());
    downstream_ = text.substr(0, size);
    if (end) return End(true);
    if (style_ % 16 == 8) {
      paused_ = true;
      Call([&] { stream_->PauseReading(); });
    }
    if (style_ % 16 == 9) Abandon();
  }

  void OnResponseBody(std::string_view piece, bool end) override {
    OnEvent();
    HEADGATE_CHECK(head_seen_ && !paused_ && !bodiless_);
    body_ += piece;
    if (chunked_ && !piece.empty()) {
      char chunk[http1::kMaxChunkHead];
      downstream_.append(chunk, http1::WriteChunkHead(piece.size(), chunk));
      downstream_ += piece;
      downstream_ += http1::kChunkEnd;
    } else {
      downstream_ += piece;
    }
    if (end && chunked_) downstream_ += http1::kLastChunk;
    if (end) return End(true);
    if (style_ % 16 == 10) Abandon();
  }

  void OnResponseTrailers(const http::HeaderMap& trailers) override {
    OnEvent();
    HEADGATE_CHECK(head_seen_ && !paused_ && !bodiless_);
    std::string last(http1::TrailersBound(trailers), '\0');
    last.resize(static_cast<size_t>(http1::WriteLastChunk(trailers, last.data()) - last.data()));
    if (chunked_) downstream_ += last;
    End(true);
  }

  void OnUpstreamWritable() override { OnEvent(); }

  void OnUpstreamReset(const base::Failure& failure) override {
    OnEvent();
    HEADGATE_CHECK(failure.kind != base::Failure::Kind::kNone);
    HEADGATE_CHECK(!head_seen_ || failure.retry == base::Failure::Retry::kNever);
    End(false);
  }

  // From the loop.
  void Continue() {
    if (over_ || !paused_) return;
    paused_ = false;
    Call([&] { stream_->ResumeReading(); });
  }
  // As the step says.
  void Act(uint8_t action) {
    if (over_) return;
    if (action == 2) Abandon();
    if (action == 3 && !paused_) {
      paused_ = true;
      Call([&] { stream_->PauseReading(); });
    }
    if (action == 4) Continue();
  }

 private:
  void Abandon() {
    over_ = true;
    Call([&] { stream_->Reset(); });
  }

  void End(bool whole) {
    over_ = true;
    const StrictKind kind = bodiless_ ? StrictKind::kResponseToHead : StrictKind::kResponse;
    const StrictMessage message = testing::TakeStrictly(downstream_, kind);
    HEADGATE_CHECK(message.reading != StrictMessage::Reading::kAmbiguous);
    if (whole) {
      HEADGATE_CHECK(message.complete() && downstream_.empty() && message.body == body_);
    } else {
      HEADGATE_CHECK(!chunked_ || !message.complete());
    }
  }

  const uint8_t style_;
  base::Arena arena_;
  http::ClientStream* stream_ = nullptr;
  std::string downstream_, body_;
  uint32_t informational_ = 0;
  bool head_request_ = false;
  bool head_seen_ = false;
  bool bodiless_ = false;
  bool chunked_ = false;
  bool paused_ = false;
};

class Pool final : public http2::ClientConnectionOwner {
 public:
  explicit Pool(Worker& worker) : worker_(worker) {}

  bool Connect(ScriptedTransport::Script& script) {
    connection_ = std::make_unique<http2::ClientConnection>(
        worker_.io, options_, *this, std::make_unique<ScriptedTransport>(script));
    return connection_->Start(codec::milliseconds(60'000));
  }
  void OnConnectionIdle(http2::ClientConnection& connection) override {
    HEADGATE_CHECK(connection.idle());
  }
  void OnConnectionClosed(http2::ClientConnection& connection) override {
    HEADGATE_CHECK(&connection == connection_.get());
    worker_.loop.Retire(std::move(connection_));
  }
  http2::ClientConnection* connection() { return connection_.get(); }

 private:
  Worker& worker_;
  codec::ClientOptions options_;
  std::unique_ptr<http2::ClientConnection> connection_;
};

void Try(std::string_view input) {
  static auto& worker = *new Worker;
  if (input.size() < 2) return;
  const auto options = static_cast<uint8_t>(input[0]);
  const auto style = static_cast<uint8_t>(input[1]);
  input.remove_prefix(2);
  const bool bytewise = (options & 2) != 0, slow = (options & 4) != 0;
  const std::vector<Step> steps =
      (options & 1) != 0 ? std::vector<Step>{{.bytes = std::string(input)}} : StepsOf(input);
  {
    ScriptedTransport::Script script;
    std::deque<Attempt> attempts;
    Pool pool(worker);
    HEADGATE_CHECK(pool.Connect(script));
    const auto begin = [&](size_t count) {
      for (size_t i = 0;
           i < count && pool.connection() != nullptr && pool.connection()->available(); ++i) {
        attempts.emplace_back(worker, static_cast<uint8_t>(style + attempts.size()));
        attempts.back().Begin(*pool.connection());
      }
    };
    begin(4);  // streams 1, 3, 5, 7
    worker.Turn();
    for (const Step& step : steps) {
      if (!script.open) break;
      if (bytewise) script.piece = 1;
      if (slow) script.room = 100;
      script.arrived += step.bytes;
      script.Wake();
      worker.Turn();
      if (step.action == 1) begin(1);
      attempts[step.index % attempts.size()].Act(step.action);
      worker.Turn();
    }
    script.room = SIZE_MAX;
    begin(2);
    for (int turn = 0; turn < 2; ++turn) {
      for (Attempt& attempt : attempts) attempt.Continue();
      script.Wake();
      worker.Turn();
    }
    script.End();
    worker.Turn(2);
    for (Attempt& attempt : attempts) attempt.Continue();
    worker.Turn(2);
    for (const Attempt& attempt : attempts) HEADGATE_CHECK(attempt.over());
    HEADGATE_CHECK(!script.open && pool.connection() == nullptr);
    FrameReader(false).Read(script.written);
  }
  HEADGATE_CHECK(worker.counters[observe::CounterId::kUpstreamConnectionsActive].value() == 0);
}

}  // namespace
}  // namespace headgate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  headgate::fuzz::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
