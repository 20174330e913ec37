// What the HTTP/2 targets share: frames made from input, a transport without a wire, and a reader
// of what we write that shares no code with the session but the HPACK decoder.
#pragma once

#include <fcntl.h>
#include <nghttp2/nghttp2.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "dataplane/base/arena.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/socket.h"
#include "dataplane/net/transport.h"

namespace headgate::fuzz {

// A worker's surroundings, the same for all inputs of a run.
struct Worker {
  base::BlockPool blocks{0};  // keeps nothing, so that AddressSanitizer sees all uses
  net::EventLoop loop;
  observe::CounterShard counters;
  codec::WorkerIo io{loop, blocks, counters};

  void Turn(int turns = 1) {
    for (int i = 0; i < turns; ++i) loop.RunOnce(net::milliseconds(0));
  }
};

// Of an exchange: no event comes from inside a call of its stream, and none after the last.
class EventRules {
 public:
  bool over() const { return over_; }

 protected:
  template <typename F>
  void Call(F f) {
    HEADGATE_CHECK(!calling_);
    calling_ = true;
    f();
    calling_ = false;
  }
  void OnEvent() const { HEADGATE_CHECK(!over_ && !calling_); }

  bool over_ = false;

 private:
  bool calling_ = false;
};

inline void AppendHpackString(std::string_view text, std::string& out) {
  if (text.size() < 127) {
    out += static_cast<char>(text.size());
  } else {
    out += '\x7f';
    size_t rest = text.size() - 127;
    for (; rest >= 128; rest /= 128) out += static_cast<char>(rest % 128 + 128);
    out += static_cast<char>(rest);
  }
  out += text;
}

// Lines of NAME=VALUE as literals that are not indexed (RFC 7541 section 6.2.2).
inline std::string HpackLiterals(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const size_t equals = std::min(line.find('='), line.size());
    out += '\0';
    AppendHpackString(line.substr(0, equals), out);
    AppendHpackString(line.substr(std::min(line.size(), equals + 1)), out);
  }
  return out;
}

// Bytes that arrive together, and what our side does after them.
struct Step {
  std::string bytes;
  uint8_t action = 0;  // the target knows what it means
  uint8_t index = 0;   // of an exchange
};

// Steps from records TYPE FLAGS STREAM SIZE PAYLOAD, a byte each but the last, which are frames:
// lengths and reserved bits are always right, so that mutations reach what lies behind them. A TYPE
// from 0x80 on: the payload is text for HpackLiterals. TYPE 0xff ends a step, with the action FLAGS
// for exchange STREAM.
inline std::vector<Step> StepsOf(std::string_view records) {
  std::vector<Step> steps(1);
  while (records.size() >= 4 && steps.size() < 200) {
    const auto type = static_cast<uint8_t>(records[0]);
    std::string payload(records.substr(4, static_cast<uint8_t>(records[3])));
    const std::string_view head = records.substr(0, 4);
    records.remove_prefix(4 + payload.size());
    if (type == 0xff) {
      steps.back().action = static_cast<uint8_t>(head[1]);
      steps.back().index = static_cast<uint8_t>(head[2]);
      steps.emplace_back();
      continue;
    }
    if (type >= 0x80) payload = HpackLiterals(payload);
    const size_t size = payload.size();
    std::string& out = steps.back().bytes;
    for (const size_t byte : {size >> 16, size >> 8, size, size_t{type & 0x7fu}})
      out += static_cast<char>(byte & 0xff);
    out += head[1];
    out.append(3, '\0');
    out += head[2];
    out += payload;
  }
  return steps;
}

// Gives what the target lets arrive, takes what is written. Over a socket whose only use is that it
// has edges.
class ScriptedTransport final : public net::Transport {
 public:
  struct Script {
    std::string arrived;      // and not read
    bool ended = false;       // after which comes the end
    size_t piece = SIZE_MAX;  // what a read gives at most
    size_t room = SIZE_MAX;   // what a write takes before it blocks
    std::string written;
    bool shut = false;
    bool open = false;
    net::Fd peer;

    // Makes an edge.
    void Wake() {
      woken = true;
      [[maybe_unused]] const ssize_t sent = send(peer.get(), "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    // The end of what arrives.
    void End() {
      ended = true;
      shutdown(peer.get(), SHUT_WR);
    }
    bool woken = false;
  };

  explicit ScriptedTransport(Script& script) : script_(script) {
    int fds[2];
    HEADGATE_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    socket_ = net::Fd(fds[0]);
    script_.peer = net::Fd(fds[1]);
    script_.open = true;
  }
  ~ScriptedTransport() override { script_.open = false; }

  int fd() const override { return socket_.get(); }
  net::IoResult Handshake() override { return {.status = net::IoResult::Status::kOk}; }
  net::IoResult Read(std::span<char> into) override {
    char edges[16];
    if (std::exchange(script_.woken, false)) {
      [[maybe_unused]] const ssize_t got = recv(socket_.get(), edges, sizeof(edges), 0);
    }
    const size_t size = std::min({into.size(), script_.piece, script_.arrived.size()});
    if (size == 0) {
      return {.status =
                  script_.ended ? net::IoResult::Status::kEof : net::IoResult::Status::kBlocked};
    }
    std::copy_n(script_.arrived.data(), size, into.data());
    script_.arrived.erase(0, size);
    return {
        .status = net::IoResult::Status::kOk, .bytes = size, .drained = script_.arrived.empty()};
  }
  net::IoResult Write(std::span<const iovec> pieces) override {
    HEADGATE_CHECK(!script_.shut);
    size_t total = 0;
    for (const iovec& piece : pieces) {
      const size_t size = std::min(piece.iov_len, script_.room - total);
      script_.written.append(static_cast<const char*>(piece.iov_base), size);
      total += size;
    }
    if (script_.room != SIZE_MAX) script_.room -= total;
    if (total == 0) return {};
    return {.status = net::IoResult::Status::kOk, .bytes = total};
  }
  void ShutdownWrite() override { script_.shut = true; }

 private:
  Script& script_;
  net::Fd socket_;
};

// Reads our frames and aborts at what no peer may be sent (RFC 9113): frames out of order on a
// stream or too long, a header block that does not decode, a head that is not one.
class FrameReader {
 public:
  // `server`: whose output it is.
  explicit FrameReader(bool server) : server_(server) {
    HEADGATE_CHECK(nghttp2_hd_inflate_new(&inflater_) == 0);
  }
  ~FrameReader() { nghttp2_hd_inflate_del(inflater_); }
  FrameReader(const FrameReader&) = delete;
  FrameReader& operator=(const FrameReader&) = delete;

  // `wire`: everything since the start.
  void Read(std::string_view wire) {
    if (!server_) {
      constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
      HEADGATE_CHECK(wire.substr(0, kPreface.size()) == kPreface.substr(0, wire.size()));
      wire.remove_prefix(std::min(wire.size(), kPreface.size()));
    }
    while (wire.size() >= 9) {
      const auto byte = [&wire](size_t i) {
        return static_cast<uint32_t>(static_cast<uint8_t>(wire[i]));
      };
      const size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
      HEADGATE_CHECK(size <= 16384);
      if (wire.size() < 9 + size) return;
      const uint32_t id = byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8);
      OnFrame(byte(3), static_cast<uint8_t>(byte(4)), id, wire.substr(9, size));
      wire.remove_prefix(9 + size);
    }
  }

 private:
  struct Stream {
    bool head = false;  // the final one
    bool ended = false;
    bool reset = false;
  };

  void OnFrame(uint32_t type, uint8_t flags, uint32_t id, std::string_view payload) {
    HEADGATE_CHECK(!in_block_ || (type == NGHTTP2_CONTINUATION && id == block_id_));
    switch (type) {
      case NGHTTP2_DATA: {
        Stream& stream = streams_.at(id);
        HEADGATE_CHECK(stream.head && !stream.ended && !stream.reset);
        stream.ended = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
        break;
      }
      case NGHTTP2_HEADERS:
        HEADGATE_CHECK(id % 2 == 1 && (flags & (NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY)) == 0);
        in_block_ = true;
        block_id_ = id;
        block_ends_ = (flags & NGHTTP2_FLAG_END_STREAM) != 0;
        block_.clear();
        [[fallthrough]];
      case NGHTTP2_CONTINUATION:
        HEADGATE_CHECK(in_block_);
        block_ += payload;
        if ((flags & NGHTTP2_FLAG_END_HEADERS) != 0) OnBlock();
        break;
      case NGHTTP2_RST_STREAM: streams_[id].reset = true; break;
      case NGHTTP2_SETTINGS:
      case NGHTTP2_PING:
      case NGHTTP2_GOAWAY: HEADGATE_CHECK(id == 0); break;
      default: HEADGATE_CHECK(type == NGHTTP2_WINDOW_UPDATE);
    }
  }

  void OnBlock() {
    in_block_ = false;
    Stream& stream = streams_[block_id_];
    HEADGATE_CHECK(!stream.ended && !stream.reset);
    std::map<std::string, std::string> pseudo;
    bool others = false;
    auto* in = reinterpret_cast<uint8_t*>(block_.data());
    for (size_t left = block_.size();;) {
      nghttp2_nv field;
      int flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, in, left, 1);
      HEADGATE_CHECK(used >= 0);
      in += used;
      left -= static_cast<size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        CheckField({reinterpret_cast<char*>(field.name), field.namelen},
                   {reinterpret_cast<char*>(field.value), field.valuelen}, pseudo, others);
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
      HEADGATE_CHECK(left > 0 || (flags & NGHTTP2_HD_INFLATE_EMIT) != 0);
    }
    nghttp2_hd_inflate_end_headers(inflater_);
    if (stream.head) {
      HEADGATE_CHECK(pseudo.empty() && block_ends_);
    } else if (server_) {
      HEADGATE_CHECK(pseudo.size() == 1 && pseudo[":status"].size() == 3 &&
                     pseudo[":status"] != "101");
      stream.head = pseudo[":status"][0] != '1';
      HEADGATE_CHECK(stream.head || !block_ends_);
    } else {
      HEADGATE_CHECK(pseudo.size() == 4 && !pseudo[":method"].empty() &&
                     !pseudo[":authority"].empty() && !pseudo[":path"].empty() &&
                     !pseudo[":scheme"].empty());
      stream.head = true;
    }
    stream.ended = block_ends_;
  }

  static void CheckField(std::string_view name, std::string_view value,
                         std::map<std::string, std::string>& pseudo, bool& others) {
    HEADGATE_CHECK(!name.empty() &&
                   value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    if (name[0] == ':') {
      HEADGATE_CHECK(!others && pseudo.emplace(name, value).second);
      return;
    }
    others = true;
    for (const char c : name)
      HEADGATE_CHECK(c > ' ' && c < 0x7f && (c < 'A' || c > 'Z') && c != ':');
    for (const std::string_view hop :
         {"connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection"}) {
      HEADGATE_CHECK(name != hop);
    }
    HEADGATE_CHECK(name != "te" || value == "trailers");
  }

  const bool server_;
  nghttp2_hd_inflater* inflater_ = nullptr;
  std::map<uint32_t, Stream> streams_;
  bool in_block_ = false;
  bool block_ends_ = false;
  uint32_t block_id_ = 0;
  std::string block_;
};

}  // namespace headgate::fuzz
