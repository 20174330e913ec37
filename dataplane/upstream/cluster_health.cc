#include "dataplane/upstream/cluster_health.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "common/log.h"
#include "dataplane/upstream/cluster.h"

namespace headgate::upstream {
namespace {

using observe::CounterId;
using std::chrono::milliseconds;

// Whether an attempt says that the endpoint gave no usable response, and not that we had none to
// give it.
bool IsFailure(const AttemptOutcome& outcome) {
  using Kind = base::Failure::Kind;
  return !outcome.given_up && outcome.failure != Kind::kNone &&
         outcome.failure != Kind::kOverloaded;
}

}  // namespace

ClusterHealth::ClusterHealth(Cluster& cluster, codec::WorkerIo& io)
    : cluster_(cluster), io_(io), timer_(io.loop().timers(), *this) {}

ClusterHealth::~ClusterHealth() {
  for (const auto& [endpoint, state] : states_) {
    if (state.outlier.ejected()) io_.counters()[CounterId::kUpstreamEjected].Subtract();
  }
}

const config::UpstreamHealth& ClusterHealth::policy() const { return *cluster_.compiled().health; }

void ClusterHealth::OnUpdate() {
  absl::flat_hash_map<Endpoint*, State> before = std::exchange(states_, {});
  std::vector<Endpoint*> added;
  for (const auto& endpoint : cluster_.endpoints()) {
    const auto known = before.find(endpoint.get());
    State& state = states_[endpoint.get()];
    if (known == before.end()) {
      added.push_back(endpoint.get());
    } else {
      state = known->second;
      before.erase(known);
    }
  }
  for (const auto& [endpoint, state] : before) {
    if (state.outlier.ejected()) io_.counters()[CounterId::kUpstreamEjected].Subtract();
  }
  // Where all are new there is nobody else to take the requests.
  if (added.size() < states_.size()) {
    for (Endpoint* endpoint : added) StartSlowly(*endpoint, states_[endpoint]);
  }
  ArmTimer();
}

void ClusterHealth::SetUnhealthy(const config::UnhealthyEndpoints* unhealthy) {
  absl::flat_hash_set<base::Address> addresses;
  if (unhealthy != nullptr)
    addresses.insert(unhealthy->addresses.begin(), unhealthy->addresses.end());
  for (auto& [endpoint, state] : states_)
    SetProbed(*endpoint, state, addresses.contains(endpoint->address()));
  ArmTimer();
}

void ClusterHealth::SetProbed(Endpoint& endpoint, State& state, bool unhealthy) {
  if (state.unhealthy == unhealthy) return;
  state.unhealthy = unhealthy;
  // What probes find healthy again need not sit out what its requests met before.
  if (!unhealthy && state.outlier.ejected()) return Return(endpoint, state);
  UpdateAvailable(endpoint, state);
}

void ClusterHealth::OnAttemptEnd(Endpoint& endpoint, const AttemptOutcome& outcome) {
  const config::OutlierPolicy& outliers = policy().outliers;
  if (!outliers.enabled()) return;
  const bool failed = IsFailure(outcome);
  if (!failed && outcome.status == 0) return;  // says nothing
  const auto at = states_.find(&endpoint);
  if (at == states_.end()) return;
  State& state = at->second;
  const auto verdict = state.outlier.OnAttempt(outliers, failed, outcome.status, io_.loop().now());
  if (verdict == Outlier::Verdict::kNone) return;
  if (verdict == Outlier::Verdict::kTooManyInARow && !MayEject()) return;
  Eject(endpoint, state, verdict);
  ArmTimer();
}

bool ClusterHealth::MayEject() const {
  const auto out =
      static_cast<size_t>(std::count_if(states_.begin(), states_.end(), [](const auto& entry) {
        return entry.second.outlier.ejected_in_a_row();
      }));
  return out < std::max<size_t>(1, states_.size() * policy().outliers.max_ejected_percent / 100);
}

void ClusterHealth::Eject(Endpoint& endpoint, State& state, Outlier::Verdict why) {
  const milliseconds time = state.outlier.Eject(policy().outliers, why, io_.loop().now());
  io_.counters()[CounterId::kUpstreamEjections].Add();
  io_.counters()[CounterId::kUpstreamEjected].Add();
  HEADGATE_LOG_EVERY(
      1, kInfo, "upstream", "endpoint is left alone for a time", {"upstream", cluster_.log_name()},
      {"endpoint", endpoint.text()},
      {"why", why == Outlier::Verdict::kTooManyFails ? "max-fails" : "consecutive-5xx"},
      {"milliseconds", time.count()});
  UpdateAvailable(endpoint, state);
}

void ClusterHealth::Return(Endpoint& endpoint, State& state) {
  state.outlier.Return();
  io_.counters()[CounterId::kUpstreamEjected].Subtract();
  UpdateAvailable(endpoint, state);
}

void ClusterHealth::UpdateAvailable(Endpoint& endpoint, State& state) {
  const bool available = !state.unhealthy && !state.outlier.ejected();
  if (available && !endpoint.available) StartSlowly(endpoint, state);
  cluster_.SetAvailable(endpoint, available);
}

// ---- slow start ----

void ClusterHealth::StartSlowly(Endpoint& endpoint, State& state) {
  if (policy().slow_start.count() == 0) return;
  state.started = io_.loop().now();
  UpdateShare(endpoint, state);
}

void ClusterHealth::UpdateShare(Endpoint& endpoint, State& state) {
  const milliseconds whole = policy().slow_start;
  const auto passed = std::chrono::duration_cast<milliseconds>(io_.loop().now() - state.started);
  if (passed >= whole) {
    state.started = {};
    return cluster_.SetShare(endpoint, 1);
  }
  const float part = static_cast<float>(passed.count()) / static_cast<float>(whole.count());
  cluster_.SetShare(endpoint, std::max(kLeastShare, part));
}

void ClusterHealth::OnTimer(net::Timer& /*timer*/) {
  const net::TimePoint now = io_.loop().now();
  for (auto& [endpoint, state] : states_) {
    if (state.started != net::TimePoint{}) UpdateShare(*endpoint, state);
    if (state.outlier.ejected() && state.outlier.until() <= now) Return(*endpoint, state);
  }
  ArmTimer();
}

void ClusterHealth::ArmTimer() {
  timer_.Cancel();
  const net::TimePoint now = io_.loop().now();
  milliseconds next = milliseconds::max();
  for (const auto& [endpoint, state] : states_) {
    if (state.started != net::TimePoint{})
      next = std::min(next, policy().slow_start / kSlowStartSteps);
    if (!state.outlier.ejected()) continue;
    next = std::min(next, std::chrono::ceil<milliseconds>(state.outlier.until() - now));
  }
  if (next != milliseconds::max()) timer_.Arm(std::max(next, milliseconds(1)));
}

}  // namespace headgate::upstream
