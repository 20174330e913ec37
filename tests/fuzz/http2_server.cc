// Frames of a client into the session glue, with a proxy behind it that does everything a proxy may
// do. Whatever comes: an exchange has its events in order and one last one, what it would send
// upstream has one reading, what the client gets are sound frames, and nothing is left when the
// connection is gone.
//
// First byte: bit 0 the rest is the wire instead of records (http2_frames.h), bit 1 byte by byte,
// bit 2 a client that reads slowly, bit 3 ends by Abort. The second chooses what the proxy does by
// itself. Actions of steps: 1 answer, 2 give up, 3 pause, 4 go on, 5 drain.
#include <algorithm>
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
#include "dataplane/http2/server_connection.h"
#include "tests/fuzz/http2_frames.h"
#include "tests/support/strict_reader.h"

namespace headgate::fuzz {
namespace {

using http::BodyLength;
using testing::StrictKind;
using testing::StrictMessage;

// One request and what the proxy does with it.
class Exchange final : public http::ServerStreamEvents, public EventRules {
 public:
  Exchange(http::ServerStream& stream, uint8_t style) : stream_(stream), style_(style) {}

  void Begin(const http::RequestHead& head, bool end) {
    head_ = &head;
    HEADGATE_CHECK(!head.target.empty() && !head.authority.empty());
    const auto kind = head.body.kind;
    HEADGATE_CHECK(kind != BodyLength::Kind::kUntilClose);
    HEADGATE_CHECK(!end || kind != BodyLength::Kind::kChunked);
    HEADGATE_CHECK(head.upgrade.empty() || kind == BodyLength::Kind::kNone);
    std::string wire(http1::RequestHeadBound(head), '\0');
    http1::RequestWireOptions options{.framing = http1::WireFraming::kNone,
                                      .length = head.body.size};
    if (kind == BodyLength::Kind::kFixed) options.framing = http1::WireFraming::kContentLength;
    if (kind == BodyLength::Kind::kChunked) options.framing = http1::WireFraming::kChunked;
    const auto size =
        static_cast<size_t>(http1::WriteRequestHead(head, options, wire.data()) - wire.data());
    HEADGATE_CHECK(size <= wire.size());
    upstream_ = wire.substr(0, size);
    ended_ = end;
    if (style_ % 8 == 1) ReplyHead(204, BodyLength::None(), true);
    if (style_ % 8 == 5) {
      http::ResponseHead early;
      early.status = 103;
      early.fields.Add("link", "</a>");
      Call([&] { stream_.SendInformational(early); });
    }
    if (style_ % 8 == 6) ReplyHead(200, BodyLength::Fixed(100), false);
    if (ended_) Answer();
  }

  void OnRequestBody(std::string_view piece, bool end) override {
    OnEvent();
    HEADGATE_CHECK(!ended_ || tunnel_);
    HEADGATE_CHECK(paused_ == 0);
    ended_ = end;
    body_ += piece;
    if (head_->body.kind == BodyLength::Kind::kChunked && !piece.empty()) {
      char chunk[http1::kMaxChunkHead];
      upstream_.append(chunk, http1::WriteChunkHead(piece.size(), chunk));
      upstream_ += piece;
      upstream_ += http1::kChunkEnd;
    } else if (head_->upgrade.empty()) {
      upstream_ += piece;
    }
    if (end && head_->body.kind == BodyLength::Kind::kChunked) upstream_ += http1::kLastChunk;
    if (style_ % 8 == 3 && !end) {
      ++paused_;
      Call([&] { stream_.PauseReading(); });
    } else if (style_ % 8 == 4) {
      over_ = true;
      Call([&] { stream_.Reset(); });
      return;
    }
    if (end) Answer();
  }

  void OnRequestTrailers(const http::HeaderMap& trailers) override {
    OnEvent();
    HEADGATE_CHECK(!ended_ && !tunnel_);
    ended_ = true;
    trailers_ = trailers.size();
    std::string last(http1::TrailersBound(trailers), '\0');
    const auto size =
        static_cast<size_t>(http1::WriteLastChunk(trailers, last.data()) - last.data());
    HEADGATE_CHECK(size <= last.size());
    if (head_->body.kind == BodyLength::Kind::kChunked) upstream_ += last.substr(0, size);
    Answer();
  }
  void OnDownstreamWritable() override {
    OnEvent();
    HEADGATE_CHECK(stream_.unsent_bytes() < http::ServerStream::kLowWater);
  }
  void OnDownstreamReset(const base::Failure& failure) override {
    OnEvent();
    HEADGATE_CHECK(failure.kind != base::Failure::Kind::kNone);
    End();
  }
  void OnExchangeDone() override {
    OnEvent();
    HEADGATE_CHECK(replied_);
    End();
  }

  // From the loop.
  void Continue() {
    if (over_) return;
    while (paused_ > 0) {
      --paused_;
      Call([&] { stream_.ResumeReading(); });
    }
    if (streaming_ > 0 && stream_.unsent_bytes() < http::ServerStream::kHighWater) {
      --streaming_;
      Call([&] { stream_.SendBody(std::string(30'000, 'b'), false); });
      if (streaming_ == 0) EndStreaming();
    }
    if (tunnel_ && ended_ && !replied_) {
      replied_ = true;
      Call([&] { stream_.SendBody("bye", true); });
    }
  }

  // As the step says.
  void Act(uint8_t action) {
    if (over_) return;
    if (action == 1) Answer();
    if (action == 2) {
      over_ = true;
      Call([&] { stream_.Reset(); });
    }
    if (action == 3) {
      ++paused_;
      Call([&] { stream_.PauseReading(); });
    }
    if (action == 4) Continue();
  }

 private:
  void ReplyHead(uint16_t status, BodyLength length, bool end) {
    http::ResponseHead head;
    head.status = status;
    head.body = length;
    head.fields.Add("Content-Type", "text/plain");
    head.fields.Add("Connection", "close");
    head.fields.Add("Transfer-Encoding", "chunked");
    if (status == 101) head.fields.Add("Upgrade", head_->upgrade);
    head_sent_ = true;
    replied_ = end;
    Call([&] { stream_.SendHead(head, end); });
  }

  void Answer() {
    if (head_sent_) {
      if (!replied_ && style_ % 8 == 6) {  // less than was promised
        replied_ = true;
        Call([&] { stream_.SendBody("short", true); });
      }
      return;
    }
    if (!head_->upgrade.empty() && style_ % 2 == 0) {
      tunnel_ = true;
      ended_ = false;
      ReplyHead(101, BodyLength::None(), false);
      Call([&] { stream_.SendBody("hello", false); });
      return;
    }
    switch (style_ % 8) {
      case 2:
        ReplyHead(200, BodyLength::Chunked(), false);
        Call([&] { stream_.SendBody("a", false); });
        streaming_ = 1;
        break;
      case 5:
        ReplyHead(200, BodyLength::Fixed(10 * 30'000), false);
        streaming_ = 10;
        break;
      default:
        ReplyHead(200, BodyLength::Fixed(2), false);
        replied_ = true;
        Call([&] { stream_.SendBody("ok", true); });
    }
  }

  void EndStreaming() {
    http::HeaderMap trailers;
    trailers.Add("x-trailer", "1");
    trailers.Add("content-length", "1");
    replied_ = true;
    Call([&] { stream_.SendTrailers(trailers); });
  }

  // What an upstream saw: one request, its body as it came, and nothing behind it.
  void End() {
    over_ = true;
    std::string rest = upstream_;
    const StrictMessage message = testing::TakeStrictly(rest, StrictKind::kRequest);
    HEADGATE_CHECK(message.reading != StrictMessage::Reading::kAmbiguous);
    if (!message.complete()) {
      HEADGATE_CHECK(!ended_ || tunnel_);
      return;
    }
    HEADGATE_CHECK(rest.empty());
    if (head_->upgrade.empty())
      HEADGATE_CHECK(message.body == body_ && message.trailers.size() <= trailers_);
  }

  http::ServerStream& stream_;
  const uint8_t style_;
  const http::RequestHead* head_ = nullptr;
  std::string upstream_, body_;
  size_t trailers_ = 0;
  int paused_ = 0;
  int streaming_ = 0;
  bool ended_ = false;
  bool head_sent_ = false;
  bool replied_ = false;
  bool tunnel_ = false;
};

class Proxy final : public http::ServerHandler, public codec::ServerConnectionOwner {
 public:
  Proxy(Worker& worker, uint8_t style) : worker_(worker), style_(style) {}

  void Accept(ScriptedTransport::Script& script) {
    http::ConnectionInfo info;
    info.peer_ip = "192.0.2.1";
    auto connection = std::make_unique<http2::ServerConnection>(
        environment_, codec::Accepted{.transport = std::make_unique<ScriptedTransport>(script),
                                      .registration = {},
                                      .info = std::move(info)});
    http2::ServerConnection& accepted = *connection;
    connection_ = std::move(connection);
    accepted.Start({}, {}, false);
  }

  http::ServerStreamEvents* OnRequest(http::ServerStream& stream, const http::RequestHead& head,
                                      bool end) override {
    exchanges_.emplace_back(stream, static_cast<uint8_t>(style_ + 3 * exchanges_.size()));
    exchanges_.back().Begin(head, end);
    return &exchanges_.back();
  }
  void OnBadRequest(http::ServerStream& stream, const http::BadRequest& bad) override {
    HEADGATE_CHECK(bad.status >= 400 && bad.status < 600);
    http::ResponseHead head;
    head.status = bad.status;
    head.body = BodyLength::Fixed(3);
    stream.SendHead(head, false);
    stream.SendBody("bad", true);
  }
  void OnConnectionClosed(codec::ServerConnection& connection) override {
    HEADGATE_CHECK(&connection == connection_.get());
    worker_.loop.Retire(std::move(connection_));
  }

  void Continue() {
    for (Exchange& exchange : exchanges_) exchange.Continue();
  }
  void Act(uint8_t action, uint8_t index) {
    if (action == 5 && connection_ != nullptr) return connection_->Drain();
    if (!exchanges_.empty()) exchanges_[index % exchanges_.size()].Act(action);
  }
  bool busy() const {
    return std::any_of(exchanges_.begin(), exchanges_.end(),
                       [](const Exchange& exchange) { return !exchange.over(); });
  }
  codec::ServerConnection* connection() { return connection_.get(); }

  ~Proxy() {
    for (const Exchange& exchange : exchanges_) HEADGATE_CHECK(exchange.over());
  }

 private:
  Worker& worker_;
  const uint8_t style_;
  codec::ServerOptions options_;
  codec::ServerEnvironment environment_{worker_.io, options_, *this, *this};
  std::deque<Exchange> exchanges_;
  std::unique_ptr<codec::ServerConnection> connection_;
};

void Try(std::string_view input) {
  static auto& worker = *new Worker;
  if (input.size() < 2) return;
  const auto options = static_cast<uint8_t>(input[0]);
  const auto style = static_cast<uint8_t>(input[1]);
  input.remove_prefix(2);
  const bool bytewise = (options & 2) != 0, slow = (options & 4) != 0;
  std::vector<Step> steps =
      (options & 1) != 0 ? std::vector<Step>{{.bytes = std::string(input)}} : StepsOf(input);
  steps.front().bytes.insert(0, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  {
    ScriptedTransport::Script script;
    Proxy proxy(worker, style);
    proxy.Accept(script);
    for (const Step& step : steps) {
      if (!script.open) break;
      if (bytewise) script.piece = 1;
      if (slow) script.room = 100;
      script.arrived += step.bytes;
      script.Wake();
      worker.Turn();
      proxy.Act(step.action, step.index);
      worker.Turn();
    }
    script.room = SIZE_MAX;
    for (int turn = 0; turn < 12 && script.open && (turn < 2 || proxy.busy()); ++turn) {
      proxy.Continue();
      script.Wake();
      worker.Turn();
    }
    if ((options & 8) != 0 && script.open) {
      proxy.connection()->Abort({.side = base::Failure::Side::kInternal,
                                 .kind = base::Failure::Kind::kDraining,
                                 .detail = "the worker ends"});
    }
    script.End();
    worker.Turn(2);
    HEADGATE_CHECK(!script.open && proxy.connection() == nullptr);
    FrameReader(true).Read(script.written);
  }
  worker.Turn();
  HEADGATE_CHECK(worker.counters[observe::CounterId::kDownstreamRequestsActive].value() == 0);
}

}  // namespace
}  // namespace headgate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  headgate::fuzz::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
