#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "dataplane/health/probe.h"
#include "dataplane/health/schedule.h"
#include "dataplane/health/verdict.h"

namespace headgate::health {

class Prober;

class ProberOwner {
 public:
  // After each probe. `changed`: the verdict is another than before it.
  virtual void OnProbed(Prober& prober, bool success, bool changed) = 0;

 protected:
  ~ProberOwner() = default;
};

// Probes one endpoint again and again, and keeps the verdict. Held by its group, on the health
// thread.
class Prober final : private net::TimerHandler, private ProbeOwner {
 public:
  // `context` and `owner` outlive it. `seed`: see Schedule. The first probe comes within one
  // interval.
  Prober(const ProbeContext& context, const base::Address& endpoint, uint64_t seed,
         ProberOwner& owner);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  const base::Address& endpoint() const { return endpoint_; }
  bool healthy() const { return verdict_.healthy(); }
  // Of the last probe.
  std::string_view detail() const { return detail_; }

  // Gives up the probe under way, if any; the next one comes in its time.
  void Abandon();

 private:
  void OnTimer(net::Timer& timer) override;
  void OnProbeDone(ProbeResult result) override;
  void Begin();
  void TakeIn(ProbeResult result);

  const ProbeContext& context_;
  const base::Address endpoint_;
  ProberOwner& owner_;
  Schedule schedule_;
  Verdict verdict_;
  std::string_view detail_;
  tls::SessionSlot session_;
  net::TimePoint began_;
  net::Timer due_;
  net::Timer limit_;
  std::unique_ptr<Probe> probe_;  // null: none is under way
};

}  // namespace headgate::health
