#include "tests/support/dataplane/http2_peer.h"

#include <gtest/gtest.h>

namespace headgate::test {
namespace {

constexpr uint8_t kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoaway = 7,
                  kWindowUpdate = 8, kEnd = 0xff;
constexpr uint8_t kAck = 1;

std::string Number(uint64_t value, int bytes) {
  std::string text;
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes));
  return text;
}

uint32_t ParseNumber(std::string_view bytes) {
  uint32_t value = 0;
  for (char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

// A string literal of RFC 7541 section 5.2, not Huffman-coded.
std::string Literal(std::string_view text) {
  std::string out;
  if (text.size() < 127) {
    out += static_cast<char>(text.size());
  } else {
    out += '\x7f';
    size_t rest = text.size() - 127;
    for (; rest >= 128; rest >>= 7) out += static_cast<char>(0x80 | (rest & 0x7f));
    out += static_cast<char>(rest);
  }
  out += text;
  return out;
}

}  // namespace

Http2Peer::Http2Peer(Peer peer, std::string_view settings) : peer_(std::move(peer)) {
  EXPECT_EQ(nghttp2_hd_inflate_new(&inflater_), 0);
  EXPECT_EQ(peer_.Read(NGHTTP2_CLIENT_MAGIC_LEN), NGHTTP2_CLIENT_MAGIC);
  SendFrame(kSettings, 0, 0, settings);
}

Http2Peer::Http2Peer(Peer peer, ClientTag) : peer_(std::move(peer)) {
  EXPECT_EQ(nghttp2_hd_inflate_new(&inflater_), 0);
}

Http2Peer Http2Peer::Client(Peer peer, std::string_view settings) {
  Http2Peer client(std::move(peer), ClientTag{});
  client.peer_.Send(NGHTTP2_CLIENT_MAGIC);
  client.SendFrame(kSettings, 0, 0, settings);
  return client;
}

Http2Peer::~Http2Peer() { nghttp2_hd_inflate_del(inflater_); }

Http2Peer::Http2Peer(Http2Peer&& other) noexcept
    : peer_(std::move(other.peer_)), inflater_(std::exchange(other.inflater_, nullptr)) {}

Http2Peer::Frame Http2Peer::Next() {
  while (true) {
    const std::string head = peer_.Read(9);
    if (head.size() < 9) return {.type = kEnd};
    Frame frame;
    frame.type = static_cast<uint8_t>(head[3]);
    frame.flags = static_cast<uint8_t>(head[4]);
    frame.stream = static_cast<int32_t>(ParseNumber(std::string_view(head).substr(5)));
    frame.payload = peer_.Read(ParseNumber(std::string_view(head).substr(0, 3)));
    if (frame.type == kSettings && (frame.flags & kAck) == 0) SendFrame(kSettings, kAck, 0, {});
    if (frame.type == kPing && (frame.flags & kAck) == 0) SendFrame(kPing, kAck, 0, frame.payload);
    if (frame.type == kSettings || frame.type == kPing || frame.type == kWindowUpdate) continue;
    return frame;
  }
}

void Http2Peer::Decode(const Frame& frame, std::map<std::string, std::string>& fields) {
  const auto* at = reinterpret_cast<const uint8_t*>(frame.payload.data());
  size_t left = frame.payload.size();
  while (true) {
    nghttp2_nv field;
    int flags = 0;
    const ssize_t used = nghttp2_hd_inflate_hd2(inflater_, &field, &flags, at, left, 1);
    if (used < 0) {
      ADD_FAILURE() << "malformed header block";
      return;
    }
    at += used;
    left -= static_cast<size_t>(used);
    if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
      fields[{reinterpret_cast<const char*>(field.name), field.namelen}] = {
          reinterpret_cast<const char*>(field.value), field.valuelen};
    }
    if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
  }
  nghttp2_hd_inflate_end_headers(inflater_);
}

Http2Peer::Request Http2Peer::ReadHead() {
  Request request;
  const Frame frame = Next();
  EXPECT_EQ(frame.type, kHeaders);
  if (frame.type != kHeaders) return request;
  request.stream = frame.stream;
  request.ended = (frame.flags & kEndStream) != 0;
  Decode(frame, request.fields);
  return request;
}

Http2Peer::Request Http2Peer::ReadRequest() {
  Request request = ReadHead();
  while (!request.ended) {
    const Frame frame = Next();
    EXPECT_EQ(frame.stream, request.stream);
    if (frame.type == kData) {
      request.body += frame.payload;
      if (!frame.payload.empty()) {
        for (int32_t stream : {0, frame.stream}) {
          SendFrame(kWindowUpdate, 0, stream, Number(frame.payload.size(), 4));
        }
      }
    } else if (frame.type == kHeaders) {
      Decode(frame, request.trailers);
    } else {
      ADD_FAILURE() << "unexpected frame of type " << int{frame.type};
      break;
    }
    request.ended = (frame.flags & kEndStream) != 0;
  }
  return request;
}

uint32_t Http2Peer::ReadReset(int32_t stream) {
  const Frame frame = Next();
  EXPECT_EQ(frame.type, kReset);
  EXPECT_EQ(frame.stream, stream);
  return ParseNumber(frame.payload);
}

void Http2Peer::SendFrame(uint8_t type, uint8_t flags, int32_t stream, std::string_view payload) {
  peer_.Send(Number(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) +
             Number(static_cast<uint32_t>(stream), 4) + std::string(payload));
}

std::string Http2Peer::Block(const Fields& fields) {
  std::string block;
  for (const auto& [name, value] : fields) block += '\0' + Literal(name) + Literal(value);
  return block;
}

void Http2Peer::SendHeaders(int32_t stream, const Fields& fields, bool end) {
  SendFrame(kHeaders, static_cast<uint8_t>(kEndHeaders | (end ? kEndStream : 0)), stream,
            Block(fields));
}

void Http2Peer::SendData(int32_t stream, std::string_view data, bool end) {
  SendFrame(kData, end ? kEndStream : 0, stream, data);
}

void Http2Peer::SendReset(int32_t stream, uint32_t error) {
  SendFrame(kReset, 0, stream, Number(error, 4));
}

void Http2Peer::SendGoaway(int32_t last_stream, uint32_t error) {
  SendFrame(kGoaway, 0, 0, Number(static_cast<uint32_t>(last_stream), 4) + Number(error, 4));
}

void Http2Peer::Reply(int32_t stream, std::string_view body) {
  SendHeaders(stream, {{":status", "200"}}, false);
  SendData(stream, body, true);
}

std::string Http2Peer::Setting(uint16_t id, uint32_t value) {
  return Number(id, 2) + Number(value, 4);
}

}  // namespace headgate::test
