#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/http2/session.h"
#include "dataplane/net/socket.h"

namespace headgate::test {

// A client that speaks HTTP/2 on a plain connection with prior knowledge: requests by name, and raw
// frames for what a well-behaved client would never send. Every wait is bounded; one that runs out
// is a test failure.
class Http2Client : private http2::SessionEvents {
 public:
  // One request and what came of it.
  class Call final : public http2::Stream {
   public:
    explicit Call(base::BlockPool& pool, bool head_request)
        : arena_(pool), head_request_(head_request) {}

    int status = 0;
    std::vector<int> informational;
    std::string body;
    std::string trailers;  // "name=value;"
    bool ended = false;
    std::optional<http2::ErrorCode> closed;
    std::string Field(std::string_view name) const {
      return std::string(response_.fields.Get(name));
    }

   private:
    base::Arena& header_arena() override { return arena_; }
    void OnHeaders(http2::HeaderBlock& block, bool end) override;
    void OnData(std::string_view piece) override { body += piece; }
    void OnEnd() override { ended = true; }
    void OnBodyTaken(size_t) override {}
    void OnEndSent() override {}
    void OnClosed(http2::ErrorCode error) override { closed = error; }

    base::Arena arena_;
    bool head_request_;
    http::ResponseHead response_;
  };

  explicit Http2Client(uint16_t port);

  using Fields = std::vector<std::pair<std::string, std::string>>;
  // Sends a request; without `end` its body follows with SendBody.
  Call& Send(std::string_view method, std::string_view target, const Fields& fields = {},
             bool end = true, http::BodyLength body = {}, std::string_view upgrade = "");
  void SendBody(Call& call, std::string_view piece, bool end);
  void SendTrailers(Call& call, const Fields& trailers);
  void Reset(Call& call);
  void SendRaw(std::string_view bytes);

  // Reads and answers until `done`. With `credit`, what was received makes room for more.
  bool Wait(const std::function<bool()>& done, bool credit = true, int limit_ms = 10'000);
  bool WaitEnded(Call& call) {
    return Wait([&] { return call.ended; });
  }
  bool WaitClosed(Call& call) {
    return Wait([&] { return call.closed.has_value(); });
  }
  // The connection's end, orderly or not.
  bool WaitGone() {
    return Wait([&] { return gone; });
  }

  std::optional<http2::ErrorCode> goaway;
  int32_t goaway_last = 0;
  bool gone = false;
  int settings = 0;

 private:
  http2::Stream& OnStreamOpened(int32_t) override;
  void OnGoaway(int32_t last_stream, http2::ErrorCode error) override;
  void OnSettings() override { ++settings; }
  void OnPingAck() override {}
  void Flush();

  base::BlockPool pool_;
  net::Fd fd_;
  std::vector<std::unique_ptr<Call>> calls_;
  http2::Session session_;
};

// A frame as bytes.
std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload);

}  // namespace headgate::test
