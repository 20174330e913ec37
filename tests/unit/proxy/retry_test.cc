#include "dataplane/proxy/retry.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace headgate::proxy {
namespace {

using base::Failure;
using config::RetryPolicy;
using Kind = Failure::Kind;
using Retry = Failure::Retry;

Failure Failed(Kind kind, Retry retry) { return {Failure::Side::kUpstream, kind, retry, ""}; }

RetryPolicy On(uint16_t conditions) {
  RetryPolicy policy;
  policy.conditions = conditions;
  return policy;
}

struct FailureCase {
  const char* what;
  uint16_t conditions;
  http::Method method;
  Failure failure;
  bool retried;
};

TEST(Retry, FollowsConditionsAndSafety) {
  constexpr auto kGet = http::Method::kGet;
  constexpr auto kPost = http::Method::kPost;
  constexpr uint16_t kDefault = RetryPolicy::kError | RetryPolicy::kTimeout;
  const FailureCase cases[] = {
      {"refused", kDefault, kGet, Failed(Kind::kConnectRefused, Retry::kAlways), true},
      {"refused, whatever the method", kDefault, kPost,
       Failed(Kind::kConnectRefused, Retry::kAlways), true},
      {"refused, switched off", 0, kGet, Failed(Kind::kConnectRefused, Retry::kAlways), false},
      {"no TLS", kDefault, kPost, Failed(Kind::kTlsHandshake, Retry::kAlways), true},
      {"connecting takes too long", RetryPolicy::kTimeout, kPost,
       Failed(Kind::kConnectTimeout, Retry::kAlways), true},
      {"connecting takes too long, not asked for", RetryPolicy::kError, kPost,
       Failed(Kind::kConnectTimeout, Retry::kAlways), false},
      {"no answer in time", kDefault, kGet, Failed(Kind::kTimeout, Retry::kIdempotent), true},
      {"no answer in time to what may have been done", kDefault, kPost,
       Failed(Kind::kTimeout, Retry::kIdempotent), false},
      {"the same, asked for", kDefault | RetryPolicy::kNonIdempotent, kPost,
       Failed(Kind::kTimeout, Retry::kIdempotent), true},
      {"non_idempotent alone is no condition", RetryPolicy::kNonIdempotent, kPost,
       Failed(Kind::kTimeout, Retry::kIdempotent), false},
      {"reset", kDefault, kGet, Failed(Kind::kReset, Retry::kIdempotent), true},
      {"reset in mid-response", kDefault, kGet, Failed(Kind::kReset, Retry::kNever), false},
      {"nonsense", kDefault, kGet, Failed(Kind::kProtocol, Retry::kNever), false},
      {"nonsense, asked for", RetryPolicy::kInvalidHeader, kGet,
       Failed(Kind::kProtocol, Retry::kNever), true},
      {"nonsense, asked for, not idempotent", RetryPolicy::kInvalidHeader, kPost,
       Failed(Kind::kProtocol, Retry::kNever), false},
      {"no stream could be opened", kDefault, kPost, Failed(Kind::kProtocol, Retry::kAlways), true},
      {"a deadline of the caller", kDefault, kGet, Failed(Kind::kTimeout, Retry::kNever), false},
      {"no endpoint", 0xffff, kGet, Failed(Kind::kNoEndpoint, Retry::kAlways), false},
  };
  for (const FailureCase& c : cases) {
    EXPECT_EQ(MayRetry(On(c.conditions), {.method = c.method}, c.failure), c.retried) << c.what;
  }
}

TEST(Retry, OfAPooledConnectionThatDiedNeedsNoCondition) {
  const Failure died = Failed(Kind::kClosed, Retry::kIdempotent);
  EXPECT_TRUE(MayRetry(On(0), {.reused = true}, died));
  EXPECT_FALSE(MayRetry(On(0), {.reused = false}, died));
  EXPECT_FALSE(MayRetry(On(0), {.method = http::Method::kPost, .reused = true}, died));
  EXPECT_FALSE(MayRetry(On(0), {.reused = true}, Failed(Kind::kTimeout, Retry::kIdempotent)));
}

TEST(Retry, OfAStatusFollowsItsCondition) {
  const struct {
    uint16_t status;
    uint16_t condition;
  } cases[] = {{403, RetryPolicy::kStatus403}, {404, RetryPolicy::kStatus404},
               {429, RetryPolicy::kStatus429}, {500, RetryPolicy::kStatus500},
               {502, RetryPolicy::kStatus502}, {503, RetryPolicy::kStatus503},
               {504, RetryPolicy::kStatus504}};
  for (const auto& c : cases) {
    EXPECT_TRUE(MayRetry(On(c.condition), {}, c.status)) << c.status;
    EXPECT_FALSE(MayRetry(On(static_cast<uint16_t>(~c.condition)), {}, c.status)) << c.status;
    EXPECT_FALSE(MayRetry(On(c.condition), {.method = http::Method::kPost}, c.status)) << c.status;
  }
  EXPECT_FALSE(MayRetry(On(0xffff), {}, uint16_t{200}));
  EXPECT_FALSE(MayRetry(On(0xffff), {}, uint16_t{501}));
}

TEST(Retry, EndsWithTriesTimeAndBody) {
  const Failure refused = Failed(Kind::kConnectRefused, Retry::kAlways);
  RetryPolicy policy;
  EXPECT_TRUE(MayRetry(policy, {.attempts = 2}, refused));
  EXPECT_FALSE(MayRetry(policy, {.attempts = 3}, refused));
  EXPECT_FALSE(MayRetry(policy, {.body_repeatable = false}, refused));
  policy.tries = 0;
  EXPECT_TRUE(MayRetry(policy, {.attempts = kMaxAttempts - 1}, refused));
  EXPECT_FALSE(MayRetry(policy, {.attempts = kMaxAttempts}, refused))
      << "what cannot be logged is not done";
  policy.timeout = std::chrono::milliseconds(100);
  EXPECT_TRUE(MayRetry(policy, {.since_first = std::chrono::milliseconds(99)}, refused));
  EXPECT_FALSE(MayRetry(policy, {.since_first = std::chrono::milliseconds(100)}, refused));
  policy.conditions = RetryPolicy::kStatus503;
  EXPECT_FALSE(MayRetry(policy, {.since_first = std::chrono::milliseconds(100)}, uint16_t{503}));
}

}  // namespace
}  // namespace headgate::proxy
