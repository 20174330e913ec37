#include "dataplane/health/prober.h"

#include <algorithm>
#include <utility>

namespace headgate::health {

Prober::Prober(const ProbeContext& context, const base::Address& endpoint, uint64_t seed,
               ProberOwner& owner)
    : context_(context),
      endpoint_(endpoint),
      owner_(owner),
      schedule_(context.check.interval, seed),
      due_(context.io.loop().timers(), *this),
      limit_(context.io.loop().timers(), *this) {
  due_.Arm(schedule_.First());
}

Prober::~Prober() = default;

void Prober::Abandon() {
  if (probe_ == nullptr) return;
  probe_.reset();
  session_ = {};
  limit_.Cancel();
  due_.Arm(schedule_.Pause());
}

void Prober::OnTimer(net::Timer& timer) {
  if (&timer == &due_) return Begin();
  OnProbeDone({.success = false, .detail = "no result in time"});
}

void Prober::Begin() {
  base::Address address = endpoint_;
  if (context_.check.port != 0) address.set_port(context_.check.port);
  began_ = context_.io.loop().now();
  probe_ = Probe::Make(context_, address, session_, *this);
  const absl::Status started = probe_->Start();
  if (started.ok()) return limit_.Arm(context_.check.timeout);
  context_.io.loop().Retire(std::move(probe_));
  due_.Arm(schedule_.Pause());
  // That we are out of descriptors says nothing about the endpoint.
  if (absl::IsResourceExhausted(started)) return;
  TakeIn({.success = false, .detail = "no connection"});
}

void Prober::OnProbeDone(ProbeResult result) {
  limit_.Cancel();
  context_.io.loop().Retire(std::move(probe_));
  const auto took =
      std::chrono::duration_cast<Schedule::Duration>(context_.io.loop().now() - began_);
  due_.Arm(std::max(schedule_.Pause() - took, Schedule::Duration(0)));
  TakeIn(result);
}

void Prober::TakeIn(ProbeResult result) {
  detail_ = result.detail;
  const bool changed = verdict_.OnProbe(result.success, context_.check.rise, context_.check.fall);
  owner_.OnProbed(*this, result.success, changed);
}

}  // namespace headgate::health
