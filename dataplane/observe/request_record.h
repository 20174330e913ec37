#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <span>
#include <string_view>

namespace headgate::observe {

// One try at one endpoint.
struct AttemptRecord {
  std::string_view address;  // "10.0.0.1:8080"
  uint16_t status = 0;       // 0: no response head came
  uint16_t failed_as = 0;    // what the log says then: 502, 504, or 0, nothing, for one given up
  uint64_t response_bytes = 0;
  std::chrono::microseconds connect_time{-1};  // negative: reused connection or never connected
  std::chrono::microseconds header_time{-1};   // negative: no response head came
  std::chrono::microseconds response_time{0};
};

// The scheme of a TCP connection that was passed on: no request, and the log has a line of its own
// for it.
inline constexpr std::string_view kTcpScheme = "tcp";

struct LogNote;  // log_format.h

// A RequestRecord but for its attempts.
struct RequestFacts {
  timespec received{};                    // wall clock of the request head
  std::chrono::microseconds duration{0};  // from the request head to the last response byte
  std::string_view client_ip;
  std::string_view user;  // authenticated user, if any
  std::string_view method;
  std::string_view target;   // raw path and query
  std::string_view version;  // "HTTP/1.1"
  std::string_view host;     // raw Host
  std::string_view scheme;
  std::string_view referer;
  std::string_view user_agent;
  std::string_view request_id;
  uint16_t status = 0;               // 499 when the client left before a response
  uint64_t request_bytes = 0;        // head and body
  uint64_t response_body_bytes = 0;  // body handed to the client connection
  std::string_view failure;          // base::FailureName, empty when all went well

  // Which route this was, of all that this process has made; 0: none. Never given twice, so that it
  // stands for the labels below.
  uint64_t route_id = 0;
  // The route's labels; empty when no route matched.
  std::string_view virtual_host;  // as configured, for metrics
  std::string_view route_namespace;
  std::string_view route_ingress;
  std::string_view route_service;
  std::string_view route_service_port;
  std::string_view route_path;
  std::string_view upstream_name;              // "NS-service-port"
  std::string_view alternative_upstream_name;  // of the canary that got the request, else empty

  bool unlogged = false;  // not for the access log
  // What else the access log wants to know; null: nothing, or it is not known.
  const LogNote* note = nullptr;

  size_t attempt_count = 0;

  // Since 1970.
  std::chrono::nanoseconds end() const {
    return std::chrono::seconds(received.tv_sec) + std::chrono::nanoseconds(received.tv_nsec) +
           duration;
  }
};

// What is known of an exchange when it is over: the one source of its access-log line and its
// metrics. Views are valid during the call that passes the record.
struct RequestRecord : RequestFacts {
  static constexpr size_t kMaxAttempts = 8;

  // As new. Attempts are left as they are, for most of them are never made: who counts one clears
  // it.
  void Reset() { static_cast<RequestFacts&>(*this) = {}; }

  std::span<const AttemptRecord> attempts() const {
    return {attempt_storage.data(), attempt_count};
  }
  std::array<AttemptRecord, kMaxAttempts> attempt_storage;
};

}  // namespace headgate::observe
