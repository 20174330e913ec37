#pragma once

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "dataplane/base/address.h"
#include "dataplane/codec/options.h"
#include "dataplane/codec/worker_io.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/tls/client_context.h"

namespace headgate::health {

struct ProbeResult {
  bool success = false;
  // For people; static text.
  std::string_view detail;
};

class ProbeOwner {
 public:
  // The probe is over: hand it to EventLoop::Retire. Never called from inside Probe::Start.
  virtual void OnProbeDone(ProbeResult result) = 0;

 protected:
  ~ProbeOwner() = default;
};

// What all probes of one check work with. Outlives them.
struct ProbeContext {
  codec::WorkerIo& io;
  const codec::ClientOptions& options;
  const config::HealthCheck& check;
  config::Protocol protocol = config::Protocol::kHttp1;
  // Sent first, where endpoints are told who their client is.
  std::string_view preamble = {};
  tls::ClientContext* tls = nullptr;  // null: plain TCP
};

// One look at one endpoint, on a connection of its own: whoever takes no connections any more is to
// be noticed. Held by the owner; destroying it, outside of its calls, gives it up. It has no time
// limit: that is the owner's.
class Probe : public net::Retirable {
 public:
  // `address` is where to connect. `session` outlives the probe.
  static std::unique_ptr<Probe> Make(const ProbeContext& context, const base::Address& address,
                                     tls::SessionSlot& session, ProbeOwner& owner);

  // Begins. An error: it could not, and is over.
  [[nodiscard]] virtual absl::Status Start() = 0;

 protected:
  explicit Probe(ProbeOwner& owner) : owner_(owner) {}
  ProbeOwner& owner_;
};

}  // namespace headgate::health
