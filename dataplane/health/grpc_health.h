#pragma once

#include <cstddef>
#include <string_view>

// The messages of grpc.health.v1.Health/Check (github.com/grpc/grpc, doc/health-checking.md), as
// far as a probe needs them: generated messages do not belong here, and these have one field.
namespace headgate::health {

inline constexpr std::string_view kGrpcCheckPath = "/grpc.health.v1.Health/Check";

// A HealthCheckRequest for the whole server, whose `service` is empty, in gRPC's framing: flag,
// length, nothing.
inline constexpr std::string_view kGrpcCheckRequest{"\0\0\0\0\0", 5};

// The longest response that is looked at.
inline constexpr size_t kMaxGrpcCheckResponse = 1024;

// Whether `framed` is one uncompressed HealthCheckResponse with status SERVING.
bool IsServing(std::string_view framed);

}  // namespace headgate::health
