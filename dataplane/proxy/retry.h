#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/failure.h"
#include "dataplane/config/retry_policy.h"
#include "dataplane/http/message.h"

// Whether a failed attempt may be followed by another: the rules, without anything of an exchange.
// They hold as long as the client has seen nothing of a final response.
namespace headgate::proxy {

// What has happened to a request so far.
struct RetryState {
  http::Method method = http::Method::kGet;
  bool body_repeatable = true;  // all of it can be sent again
  bool reused = false;          // the attempt was made on a connection that had served before
  size_t attempts = 1;
  std::chrono::milliseconds since_first{0};
};

// Attempts that can be logged, and so the most there are.
inline constexpr size_t kMaxAttempts = 8;

// The attempt was made on a pooled connection that the endpoint had closed meanwhile. That says
// nothing about the endpoint: no condition and no budget stands against another attempt, which is
// made on a new connection.
bool WasStale(const RetryState& state, const base::Failure& failure);

// An attempt that ended without a usable response head.
bool MayRetry(const config::RetryPolicy& policy, const RetryState& state,
              const base::Failure& failure);

// A response head of that status, which is then dropped with its body.
bool MayRetry(const config::RetryPolicy& policy, const RetryState& state, uint16_t status);

}  // namespace headgate::proxy
