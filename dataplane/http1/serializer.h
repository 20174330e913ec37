#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/http/message.h"

// Writes heads in one pass into memory of the caller. Hop-by-hop fields are left out (those of RFC
// 9110 section 7.6.1 and those that the sender nominated, see http::Field::hop_by_hop), framing and
// connection fields are written from what the caller decided, never copied from the fields.
//
// Precondition of all: names are tokens and values have no CR, LF or NUL. Parsers see to it for
// what is received; who makes fields from configuration or HTTP/2 sees to it itself.
namespace headgate::http1 {

// How the recipient finds the end of the body.
enum class WireFraming : uint8_t {
  kNone,           // nothing is written: no body, or the body ends with the connection
  kContentLength,  // Content-Length: length
  kChunked,        // Transfer-Encoding: chunked
  kAsReceived,  // responses without body that describe one (to HEAD, 304): Content-Length is copied
};

struct RequestWireOptions {
  WireFraming framing = WireFraming::kNone;
  uint64_t length = 0;
  bool close = false;     // Connection: close
  bool http_1_0 = false;  // without what came with HTTP/1.1: chunks, upgrades, trailers
};

struct ResponseWireOptions {
  WireFraming framing = WireFraming::kNone;
  uint64_t length = 0;
  // What Connection says; kNothing lets HTTP/1.1's default (keep-alive) stand.
  enum class Connection : uint8_t {
    kNothing,
    kClose,
    kKeepAlive,
    kUpgrade
  } connection = Connection::kNothing;
  // The protocol that a 101 switches to, with kUpgrade.
  std::string_view upgrade = {};
  // Written when the response has no Date.
  std::string_view date = {};
};

// Upper bounds of what the Write functions use. `upgrade` is that of the options.
size_t RequestHeadBound(const http::RequestHead& head);
size_t ResponseHeadBound(const http::ResponseHead& head, std::string_view upgrade = {});
size_t TrailersBound(const http::HeaderMap& trailers);

// Each returns the end of what it wrote to `out`.

// HTTP/1.1, unless the options say otherwise. Host comes first and from `head.authority`. Expect is
// left out: the server side of the proxy has answered it. TE: trailers is passed on, as we pass
// trailers on. Upgrade is written from `head.upgrade`.
char* WriteRequestHead(const http::RequestHead& head, const RequestWireOptions& options, char* out);

// Always HTTP/1.1 (RFC 9110 section 6.2: our own version).
char* WriteResponseHead(const http::ResponseHead& head, const ResponseWireOptions& options,
                        char* out);

// 1xx: status line and end-to-end fields only.
char* WriteInformationalHead(const http::ResponseHead& head, char* out);

// The last chunk and the trailer section; forbidden fields are left out.
char* WriteLastChunk(const http::HeaderMap& trailers, char* out);

}  // namespace headgate::http1
