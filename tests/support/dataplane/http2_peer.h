#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/dataplane/peer.h"

namespace headgate::test {

// A scripted end of an HTTP/2 connection, frame by frame, so that it can say what no library would.
// Settings, pings and window updates of the other end are answered or passed over by themselves.
class Http2Peer {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  struct Frame {
    uint8_t type = 0;
    uint8_t flags = 0;
    int32_t stream = 0;
    std::string payload = {};
  };
  struct Request {
    int32_t stream = 0;
    std::map<std::string, std::string> fields;
    std::string body;
    std::map<std::string, std::string> trailers;
    bool ended = false;
  };

  static constexpr uint8_t kEndStream = 1, kEndHeaders = 4;

  // A server: reads the preface and sends SETTINGS with this payload.
  explicit Http2Peer(Peer peer, std::string_view settings = {});
  // A client, which sends the preface. What it reads as a Request is a response.
  static Http2Peer Client(Peer peer, std::string_view settings = {});
  ~Http2Peer();
  Http2Peer(Http2Peer&& other) noexcept;

  // The next frame that is not answered by itself; type 0xff at the end of the connection.
  Frame Next();
  // Head only, and the whole request.
  Request ReadHead();
  Request ReadRequest();
  // The error code of the next frame, which must be RST_STREAM of that stream.
  uint32_t ReadReset(int32_t stream);

  void SendFrame(uint8_t type, uint8_t flags, int32_t stream, std::string_view payload);
  void SendHeaders(int32_t stream, const Fields& fields, bool end);
  void SendData(int32_t stream, std::string_view data, bool end);
  void SendReset(int32_t stream, uint32_t error);
  void SendGoaway(int32_t last_stream, uint32_t error = 0);
  // A complete response.
  void Reply(int32_t stream, std::string_view body = "ok");

  Peer& peer() { return peer_; }

  static std::string Setting(uint16_t id, uint32_t value);

  // The block of a field list, every field a literal.
  static std::string Block(const Fields& fields);

 private:
  struct ClientTag {};
  Http2Peer(Peer peer, ClientTag);
  void Decode(const Frame& frame, std::map<std::string, std::string>& fields);

  Peer peer_;
  nghttp2_hd_inflater* inflater_ = nullptr;
};

}  // namespace headgate::test
