#include "dataplane/proxy/retry.h"

namespace headgate::proxy {
namespace {

using base::Failure;
using config::RetryPolicy;

// 0: no condition speaks of it.
uint16_t ConditionOf(const Failure& failure) {
  switch (failure.kind) {
    case Failure::Kind::kClosed:
    case Failure::Kind::kReset:
    case Failure::Kind::kTlsHandshake:
    case Failure::Kind::kConnectRefused: return RetryPolicy::kError;
    case Failure::Kind::kTimeout:
    case Failure::Kind::kConnectTimeout: return RetryPolicy::kTimeout;
    case Failure::Kind::kProtocol:
      // Before anything was processed there can have been no response head.
      return failure.retry == Failure::Retry::kAlways ? RetryPolicy::kError
                                                      : RetryPolicy::kInvalidHeader;
    default: return 0;
  }
}

uint16_t ConditionOf(uint16_t status) {
  switch (status) {
    case 403: return RetryPolicy::kStatus403;
    case 404: return RetryPolicy::kStatus404;
    case 429: return RetryPolicy::kStatus429;
    case 500: return RetryPolicy::kStatus500;
    case 502: return RetryPolicy::kStatus502;
    case 503: return RetryPolicy::kStatus503;
    case 504: return RetryPolicy::kStatus504;
    default: return 0;
  }
}

bool IsRoomLeft(const RetryPolicy& policy, const RetryState& state) {
  if (!state.body_repeatable || state.attempts >= kMaxAttempts) return false;
  if (policy.tries != 0 && state.attempts >= policy.tries) return false;
  return policy.timeout.count() == 0 || state.since_first < policy.timeout;
}

// Whether the request may be processed twice.
bool MayRepeat(const RetryPolicy& policy, const RetryState& state) {
  return http::IsIdempotent(state.method) || policy.has(RetryPolicy::kNonIdempotent);
}

}  // namespace

bool WasStale(const RetryState& state, const Failure& failure) {
  return state.reused &&
         (failure.kind == Failure::Kind::kClosed || failure.kind == Failure::Kind::kReset);
}

bool MayRetry(const RetryPolicy& policy, const RetryState& state, const Failure& failure) {
  if (!IsRoomLeft(policy, state)) return false;
  if (!WasStale(state, failure) && (policy.conditions & ConditionOf(failure)) == 0) return false;
  switch (failure.retry) {
    case Failure::Retry::kAlways: return true;
    case Failure::Retry::kIdempotent: return MayRepeat(policy, state);
    // Codecs know no second use for a response that cannot be read; who asks for this condition
    // does.
    case Failure::Retry::kNever:
      return failure.kind == Failure::Kind::kProtocol && MayRepeat(policy, state);
  }
  return false;
}

bool MayRetry(const RetryPolicy& policy, const RetryState& state, uint16_t status) {
  return (policy.conditions & ConditionOf(status)) != 0 && IsRoomLeft(policy, state) &&
         MayRepeat(policy, state);
}

}  // namespace headgate::proxy
