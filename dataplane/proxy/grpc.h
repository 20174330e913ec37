#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/net/timer_wheel.h"

// What the proxy has to know of gRPC, as "gRPC over HTTP2" of its project lays it down. Pure.
namespace headgate::proxy {

inline constexpr uint8_t kGrpcDeadlineExceeded = 4;

// The status of a call that the proxy answers itself, by the status that anybody else would get:
// the table of "HTTP to gRPC status code mapping".
uint8_t GrpcStatusFor(uint16_t http_status);

// A grpc-timeout field, rounded up to whole milliseconds, 24 days at most. Nothing if it is
// malformed.
std::optional<net::milliseconds> ParseGrpcTimeout(std::string_view text);

}  // namespace headgate::proxy
