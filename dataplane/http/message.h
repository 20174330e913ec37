#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/http/header_map.h"

namespace headgate::http {

enum class Method : uint8_t {
  kOther,
  kGet,
  kHead,
  kPost,
  kPut,
  kDelete,
  kConnect,
  kOptions,
  kTrace,
  kPatch,
};

Method ParseMethod(std::string_view token);
// RFC 9110 section 9.2.2. Unknown methods are not idempotent.
bool IsIdempotent(Method method);

enum class Version : uint8_t { kHttp10, kHttp11, kHttp2 };
std::string_view VersionText(Version version);  // "HTTP/1.1"

// How long the body of a message is (RFC 9112 section 6.3), known when its head is.
struct BodyLength {
  enum class Kind : uint8_t {
    kNone,        // no body
    kFixed,       // Content-Length
    kChunked,     // or HTTP/2 without content-length: ends with its last frame
    kUntilClose,  // responses of HTTP/1 only
  };
  Kind kind = Kind::kNone;
  uint64_t size = 0;  // bytes, for kFixed

  static BodyLength None() { return {}; }
  static BodyLength Fixed(uint64_t size) { return {Kind::kFixed, size}; }
  static BodyLength Chunked() { return {Kind::kChunked, 0}; }
  static BodyLength UntilClose() { return {Kind::kUntilClose, 0}; }
  bool operator==(const BodyLength&) const = default;
};

// A request without its body. The codec has removed nothing: hop-by-hop fields are still in
// `fields`, except that Host is always present and valid in `authority` as well. Views live as long
// as the exchange's arena.
struct RequestHead {
  Method method = Method::kGet;
  Version version = Version::kHttp11;
  bool expect_continue = false;  // Expect: 100-continue and a body follows
  uint32_t head_bytes = 0;       // size on the wire, for the log
  std::string_view method_text;
  // Origin form: raw path and query as received, never empty, starts with '/' (or is "*" for
  // OPTIONS). The absolute form was split by the codec.
  std::string_view target;
  // Host and optional port as received; empty only for HTTP/1.0 without Host.
  std::string_view authority;
  HeaderMap fields;
  BodyLength body;
  // The protocol asked for, as received: an Upgrade field that Connection names (RFC 9110
  // section 7.8), or :protocol of an extended CONNECT (RFC 8441), which a codec shows as a GET.
  // Empty: an ordinary request. The request has no body of its own: what both sides send after a
  // response of status 101 is the new protocol's, delivered as body pieces in both directions,
  // `end` being the end of one direction. Any other response is an ordinary one, and the request
  // ended with its head.
  std::string_view upgrade;
  // With `upgrade`: the Sec-WebSocket-Key among the fields, when a codec has made it for a client
  // that speaks without. Nobody behind us checks the answer then, so it must fit. Empty: the
  // client's own.
  std::string_view websocket_key;
  // Said in Connection over HTTP/1.1 in place of what is said of the connection by itself. Empty:
  // that. Not with `upgrade`.
  std::string_view connection_option;

  std::string_view path() const { return target.substr(0, target.find('?')); }
  // Without the '?'; empty when there is none.
  std::string_view query() const {
    const size_t mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  }
};

struct ResponseHead {
  uint16_t status = 200;
  Version version = Version::kHttp11;
  uint32_t head_bytes = 0;
  // Reason phrase as received; empty: the standard one is written.
  std::string_view reason;
  HeaderMap fields;
  BodyLength body;
};

// Whether a Content-Type is gRPC's: application/grpc, alone or with a '+' or ';' after it.
bool IsGrpc(std::string_view content_type);

// The standard reason phrase, "Unknown" if there is none.
std::string_view ReasonPhrase(uint16_t status);

}  // namespace headgate::http
