// Two sessions that talk to each other without sockets.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/http2/session.h"
#include "dataplane/net/transport.h"

namespace headgate::http2::testing {

// Takes what is written into a string.
class StringTransport final : public net::Transport {
 public:
  int fd() const override { return -1; }
  net::IoResult Handshake() override { return {.status = net::IoResult::Status::kOk}; }
  net::IoResult Read(std::span<char>) override { return {}; }
  net::IoResult Write(std::span<const iovec> pieces) override {
    size_t total = 0;
    for (const iovec& piece : pieces) {
      written.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
      total += piece.iov_len;
    }
    return {.status = net::IoResult::Status::kOk, .bytes = total};
  }
  void ShutdownWrite() override {}

  std::string written;
};

// Notes what happens to a stream.
class NotedStream final : public Stream {
 public:
  NotedStream(base::BlockPool& pool, Side side) : arena(pool), side_(side) {}

  std::string Field(std::string_view name) const {
    const http::HeaderMap& fields = side_ == Side::kServer ? request.fields : response.fields;
    return std::string(fields.Get(name));
  }

  base::Arena arena;
  http::RequestHead request;
  http::ResponseHead response;
  HeadResult head_result;
  int heads = 0;
  std::string body;
  std::string trailers;
  bool head_ended = false;
  bool ended = false;
  bool end_sent = false;
  std::optional<ErrorCode> closed;

 private:
  base::Arena& header_arena() override { return arena; }
  void OnHeaders(HeaderBlock& block, bool end) override {
    EXPECT_FALSE(ended);
    if (heads > 0 && (side_ == Side::kServer || response.status >= 200)) {
      head_result = CheckTrailers(block);
      for (const http::Field& field : block.fields) {
        trailers += std::string(field.name) + "=" + std::string(field.value) + ";";
      }
      return;
    }
    ++heads;
    head_ended = end;
    head_result = side_ == Side::kServer ? MakeRequestHead(block, {}, end, arena, request)
                                         : MakeResponseHead(block, false, end, response);
  }
  void OnData(std::string_view piece) override {
    EXPECT_FALSE(ended);
    body += piece;
  }
  void OnEnd() override {
    EXPECT_FALSE(ended);
    ended = true;
  }
  void OnBodyTaken(size_t) override {}
  void OnEndSent() override { end_sent = true; }
  void OnClosed(ErrorCode error) override {
    EXPECT_FALSE(closed.has_value());
    closed = error;
  }

  Side side_;
};

// One end.
class Endpoint final : public SessionEvents {
 public:
  Endpoint(base::BlockPool& pool, Side side, const SessionOptions& options = {})
      : pool_(pool), side_(side), session(side, options, *this, {}) {}

  NotedStream& NewStream() {
    streams.push_back(std::make_unique<NotedStream>(pool_, side_));
    return *streams.back();
  }
  std::string Take() {
    codec::OutputQueue queue;
    StringTransport transport;
    session.Produce(queue, size_t{1} << 30);
    EXPECT_EQ(queue.Flush(transport), codec::OutputQueue::Result::kDone);
    return transport.written;
  }

  Stream& OnStreamOpened(int32_t) override { return NewStream(); }
  void OnGoaway(int32_t last_stream, ErrorCode error) override {
    goaway_last = last_stream;
    goaway = error;
  }
  void OnSettings() override { ++settings; }
  void OnPingAck() override { ++ping_acks; }

  std::vector<std::unique_ptr<NotedStream>> streams;
  std::optional<ErrorCode> goaway;
  int32_t goaway_last = 0;
  int settings = 0;
  int ping_acks = 0;

 private:
  base::BlockPool& pool_;
  Side side_;

 public:
  Session session;
};

class SessionTest : public ::testing::Test {
 protected:
  // Moves bytes until both are silent, in pieces of `piece` bytes.
  void Talk(size_t piece = std::string::npos) {
    for (bool more = true; more;) {
      more = Pass(client, server, piece);
      more |= Pass(server, client, piece);
    }
  }
  bool Pass(Endpoint& from, Endpoint& to, size_t piece) {
    const std::string bytes = from.Take();
    for (size_t at = 0; at < bytes.size(); at += piece) {
      to.session.Receive(std::string_view(bytes).substr(at, piece), now);
      if (piece == std::string::npos) break;
    }
    return !bytes.empty();
  }
  static http::RequestHead Request(std::string_view method, std::string_view target) {
    http::RequestHead head;
    head.method = http::ParseMethod(method);
    head.method_text = method;
    head.target = target;
    head.authority = "a.example";
    return head;
  }
  NotedStream& Send(const http::RequestHead& head, bool end) {
    NotedStream& stream = client.NewStream();
    EXPECT_TRUE(client.session.SendRequest(stream, head, "https", end));
    return stream;
  }

  net::TimePoint now{};
  base::BlockPool pool;
  Endpoint server{pool, Side::kServer};
  Endpoint client{pool, Side::kClient};
};

}  // namespace headgate::http2::testing
