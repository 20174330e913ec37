#pragma once

#include <cstdint>

namespace headgate::proxy {

// Where an exchange stands, seen from its response.
enum class Phase : uint8_t {
  kNew,             // head received, nothing decided
  kAsking,          // somebody else is asked whether the request may pass; its body is held back
  kHoldingRequest,  // the body is received; no endpoint is chosen before it is here
  kForwarding,      // an attempt is under way; the client has seen nothing of a final response
  kStreaming,       // the upstream's response head went to the client
  kTunnelling,  // the upstream accepted an upgrade: bytes go both ways until both ends have ended
  kReplying,    // a response of our own went to the client
  kFinished,    // over; waiting to be freed
};
inline constexpr int kPhases = 8;

enum class Event : uint8_t {
  kAsk,             // whether the request may pass is for somebody else to say
  kHoldRequest,     // the route leads to a cluster, which gets the request when its body is here
  kForward,         // the route leads to a cluster
  kReply,           // the proxy answers itself, by rule
  kResponseHead,    // the upstream's final response head
  kUpgraded,        // instead of it, 101
  kAttemptRetry,    // the attempt failed and another one may be made
  kFailed,          // the exchange cannot go on
  kDownstreamGone,  // the client left or broke the protocol
  kDone,            // the response is with the kernel and the request is complete
};
inline constexpr int kEvents = 10;

enum class Action : uint8_t {
  kImpossible,       // this event cannot come in this phase; a broken invariant
  kNothing,          // too late to matter
  kOpenAttempt,      // pick an endpoint and send the request
  kSendReply,        // send a response of our own
  kForwardHead,      // pass the response head on
  kBreakDownstream,  // the response cannot be completed: make that visible to the client
  kFinish,           // log, count, free
};

struct Step {
  Phase next;
  Action action;
};

// The whole life of an exchange as a table; the exchange does what `action` says and then is in
// `next`.
constexpr Step NextStep(Phase phase, Event event) {
  switch (phase) {
    case Phase::kNew:
      switch (event) {
        case Event::kAsk: return {Phase::kAsking, Action::kNothing};
        case Event::kHoldRequest: return {Phase::kHoldingRequest, Action::kNothing};
        case Event::kForward: return {Phase::kForwarding, Action::kOpenAttempt};
        case Event::kReply:
        case Event::kFailed: return {Phase::kReplying, Action::kSendReply};
        default: return {phase, Action::kImpossible};
      }
    case Phase::kAsking:
      switch (event) {
        case Event::kAsk: return {Phase::kAsking, Action::kNothing};
        case Event::kHoldRequest: return {Phase::kHoldingRequest, Action::kNothing};
        case Event::kForward: return {Phase::kForwarding, Action::kOpenAttempt};
        case Event::kReply:
        case Event::kFailed: return {Phase::kReplying, Action::kSendReply};
        case Event::kDownstreamGone: return {Phase::kFinished, Action::kFinish};
        default: return {phase, Action::kImpossible};
      }
    case Phase::kHoldingRequest:
      switch (event) {
        case Event::kForward: return {Phase::kForwarding, Action::kOpenAttempt};
        case Event::kFailed: return {Phase::kReplying, Action::kSendReply};
        case Event::kDownstreamGone: return {Phase::kFinished, Action::kFinish};
        default: return {phase, Action::kImpossible};
      }
    case Phase::kForwarding:
      switch (event) {
        case Event::kResponseHead: return {Phase::kStreaming, Action::kForwardHead};
        case Event::kUpgraded: return {Phase::kTunnelling, Action::kForwardHead};
        case Event::kAttemptRetry: return {Phase::kForwarding, Action::kOpenAttempt};
        case Event::kFailed: return {Phase::kReplying, Action::kSendReply};
        case Event::kDownstreamGone: return {Phase::kFinished, Action::kFinish};
        default: return {phase, Action::kImpossible};
      }
    case Phase::kStreaming:
    case Phase::kTunnelling:
      switch (event) {
        case Event::kFailed: return {Phase::kFinished, Action::kBreakDownstream};
        case Event::kDownstreamGone:
        case Event::kDone: return {Phase::kFinished, Action::kFinish};
        default: return {phase, Action::kImpossible};
      }
    case Phase::kReplying:
      switch (event) {
        case Event::kFailed: return {phase, Action::kNothing};
        case Event::kDownstreamGone:
        case Event::kDone: return {Phase::kFinished, Action::kFinish};
        default: return {phase, Action::kImpossible};
      }
    case Phase::kFinished: return {phase, Action::kNothing};
  }
  return {phase, Action::kImpossible};
}

}  // namespace headgate::proxy
