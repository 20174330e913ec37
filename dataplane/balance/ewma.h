#pragma once

#include <chrono>
#include <span>

#include "dataplane/balance/peer.h"

namespace headgate::balance {

// Peak EWMA: what an endpoint's answers cost lately. A slower answer than expected counts at once,
// faster ones pull the cost down with a time constant of ten seconds; without answers it decays as
// fast, so that an endpoint that was slow gets another chance. In Peer::cost and cost_at.
inline constexpr std::chrono::seconds kEwmaDecay{10};

// `latency`: from the beginning of an attempt to its response head.
void Observe(Peer& peer, std::chrono::microseconds latency, TimePoint now);

// What one more request may expect: the cost as of now, times how many would then be under way.
float Score(const Peer& peer, TimePoint now);

// Endpoints of which nothing is known begin at the mean of the others.
void StartAtMean(std::span<Peer* const> peers, TimePoint now);

}  // namespace headgate::balance
