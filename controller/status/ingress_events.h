// What becomes of an Ingress, told in Events: `kubectl describe ingress` shows them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/kube/event_writer.h"
#include "controller/publish/subscriber.h"
#include "controller/state/cluster_state.h"
#include "controller/status/event_limiter.h"
#include "controller/translate/translation.h"

namespace headgate::status {

// The reason of the Event that tells of a diagnostic: "Conflict", "SecretMissing",
// "SecretNotReadable", "UnknownAnnotation"; "Rejected" for other errors; else the name of the
// diagnostic's own reason.
std::string EventReasonOf(const translate::Diagnostic& diagnostic);

struct IngressEventsOptions {
  // Whether there is an Event for each change that took effect (--disable-sync-events: no).
  bool applied = true;
  // Events that wait to be written; those beyond are counted and left out.
  size_t queue_limit = 1000;
  // Events a second, of all Ingresses together.
  int rate = 10;
};

// Three things are told, the first by the leader alone, the others by every controller of the data
// planes that are connected to it, for nobody else hears of them:
//   what translation has to say about an Ingress, when it begins to be so, and again by a
//   controller that begins to lead; that a form of an Ingress that came or changed is in effect
//   ("Applied"): when every data plane that is connected has
//     answered to a version with it, and there is one, and the Ingress is not rejected;
//   that a data plane refused what came from an Ingress ("Rejected").
// What was there when the controller started is in effect as it was; of that only what is wrong is
// told.
//
// Thread: Start, Stop and the destructor one owner; the rest any, and none blocks. Writes on a
// thread of its own.
class IngressEvents {
 public:
  // What the data planes connected now have answered. Called on the thread.
  using Subscribers = std::function<std::vector<publish::SubscriberStatus>()>;

  // `leads`: whether this controller is the leader. `clock` and `metrics` outlive the object.
  IngressEvents(const IngressEventsOptions& options, std::unique_ptr<kube::Transport> transport,
                std::function<bool()> leads, Subscribers subscribers, const Clock& clock,
                MetricsRegistry& metrics);
  ~IngressEvents();
  IngressEvents(const IngressEvents&) = delete;
  IngressEvents& operator=(const IngressEvents&) = delete;

  void Start();
  void Stop();

  // A translation whose outcome has been handed on, and the position of the snapshot that holds it.
  // From one thread.
  void OnTurn(const state::ClusterState& state, const state::Changes& changes,
              const translate::TranslationUpdate& update, publish::Position position);
  // Some data plane has answered, or gone.
  void OnAcknowledged();
  // We may lead by now.
  void LeadChanged();

 private:
  using Form = std::pair<std::string, uint64_t>;  // of a resource: name and hash
  struct Pending {
    std::string uid;
    publish::Position position = 0;
  };
  struct Standing {
    std::string uid;
    std::set<translate::Diagnostic> diagnostics;
  };

  void Run();
  // With the lock held.
  void Tell(kube::Event event);
  void TellStanding(const translate::Diagnostic& diagnostic, const std::string& uid);
  void TakeUpdate(const state::ClusterState& state, const translate::TranslationUpdate& update);
  void LookAtSubscribers(const std::vector<publish::SubscriberStatus>& subscribers);
  // Adds what is refused and the Ingresses that it comes from.
  void TellRefusals(const publish::SubscriberStatus& subscriber, std::set<Form>& seen,
                    std::set<kube::ObjectKey>& refused_ingresses);
  void Write(const kube::Event& event);

  const IngressEventsOptions options_;
  const std::function<bool()> leads_;
  const Subscribers subscribers_;
  const Clock& clock_;
  Counter& written_;
  Counter& failed_;
  Counter& left_out_;
  kube::EventWriter writer_;  // the thread's own

  std::mutex mutex_;
  std::condition_variable wake_;
  std::map<kube::ObjectKey, Pending> pending_ ABSL_GUARDED_BY(mutex_);
  std::map<kube::ObjectKey, Standing> standing_ ABSL_GUARDED_BY(mutex_);
  // Refusals that were told and still hold.
  std::set<Form> refused_ ABSL_GUARDED_BY(mutex_);
  std::deque<kube::Event> queue_ ABSL_GUARDED_BY(mutex_);
  EventLimiter limiter_ ABSL_GUARDED_BY(mutex_);
  bool first_ ABSL_GUARDED_BY(mutex_) = true;
  bool acknowledged_ ABSL_GUARDED_BY(mutex_) = false;
  bool lead_changed_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;
};

}  // namespace headgate::status
