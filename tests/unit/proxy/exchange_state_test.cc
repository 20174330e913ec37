#include "dataplane/proxy/exchange_state.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace headgate::proxy {
namespace {

Phase PhaseAt(int i) { return static_cast<Phase>(i); }
Event EventAt(int i) { return static_cast<Event>(i); }

TEST(ExchangeStateTest, NothingLeavesFinished) {
  for (int e = 0; e < kEvents; ++e) {
    EXPECT_EQ(NextStep(Phase::kFinished, EventAt(e)).next, Phase::kFinished);
    EXPECT_EQ(NextStep(Phase::kFinished, EventAt(e)).action, Action::kNothing);
  }
}

TEST(ExchangeStateTest, AnImpossibleEventChangesNothing) {
  for (int p = 0; p < kPhases; ++p) {
    for (int e = 0; e < kEvents; ++e) {
      const Step step = NextStep(PhaseAt(p), EventAt(e));
      if (step.action == Action::kImpossible) {
        EXPECT_EQ(step.next, PhaseAt(p)) << p << " " << e;
      }
    }
  }
}

// However events fall, a client sees at most one final response head.
TEST(ExchangeStateTest, AFinalHeadIsSentAtMostOnce) {
  std::set<std::pair<Phase, int>> seen;
  auto walk = [&](auto& self, Phase phase, int heads) -> void {
    ASSERT_LE(heads, 1);
    if (!seen.insert({phase, heads}).second) return;
    for (int e = 0; e < kEvents; ++e) {
      const Step step = NextStep(phase, EventAt(e));
      if (step.action == Action::kImpossible) continue;
      const bool head = step.action == Action::kSendReply || step.action == Action::kForwardHead;
      self(self, step.next, heads + (head ? 1 : 0));
    }
  };
  walk(walk, Phase::kNew, 0);
}

// From every phase that can be reached the exchange can still end.
TEST(ExchangeStateTest, EveryPhaseLeadsToTheEnd) {
  for (const Phase phase : {Phase::kAsking, Phase::kHoldingRequest, Phase::kForwarding,
                            Phase::kStreaming, Phase::kTunnelling, Phase::kReplying}) {
    EXPECT_EQ(NextStep(phase, Event::kDownstreamGone).next, Phase::kFinished);
    EXPECT_EQ(NextStep(phase, Event::kDownstreamGone).action, Action::kFinish);
  }
  EXPECT_EQ(NextStep(Phase::kStreaming, Event::kDone).next, Phase::kFinished);
  EXPECT_EQ(NextStep(Phase::kTunnelling, Event::kDone).next, Phase::kFinished);
  EXPECT_EQ(NextStep(Phase::kReplying, Event::kDone).next, Phase::kFinished);
}

TEST(ExchangeStateTest, AFailureAfterTheHeadBreaksTheResponse) {
  EXPECT_EQ(NextStep(Phase::kForwarding, Event::kFailed).action, Action::kSendReply);
  EXPECT_EQ(NextStep(Phase::kStreaming, Event::kFailed).action, Action::kBreakDownstream);
  EXPECT_EQ(NextStep(Phase::kStreaming, Event::kAttemptRetry).action, Action::kImpossible);
}

TEST(ExchangeStateTest, ATunnelIsNeverRetriedAndHasOneHead) {
  EXPECT_EQ(NextStep(Phase::kForwarding, Event::kUpgraded).next, Phase::kTunnelling);
  EXPECT_EQ(NextStep(Phase::kTunnelling, Event::kFailed).action, Action::kBreakDownstream);
  for (const Event event :
       {Event::kAttemptRetry, Event::kResponseHead, Event::kUpgraded, Event::kReply}) {
    EXPECT_EQ(NextStep(Phase::kTunnelling, event).action, Action::kImpossible);
  }
}

}  // namespace
}  // namespace headgate::proxy
