#pragma once

#include <string_view>

#include "dataplane/base/arena.h"

// The part of a WebSocket handshake of HTTP/1.1 (RFC 6455 section 4) that one of HTTP/2 does
// without (RFC 8441 section 5.1): between the two a proxy plays it itself.
namespace headgate::codec {

// A Sec-WebSocket-Key: 16 random bytes in base64.
std::string_view MakeWebSocketKey(base::Arena& arena);

// The Sec-WebSocket-Accept that answers `key`.
std::string_view WebSocketAccept(std::string_view key, base::Arena& arena);

}  // namespace headgate::codec
