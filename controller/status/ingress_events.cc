#include "controller/status/ingress_events.h"

#include <algorithm>

#include "common/log.h"
#include "common/strings.h"

namespace headgate::status {
namespace {

using translate::Diagnostic;
using translate::Reason;
using translate::Severity;

bool IsRejected(const std::set<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
    return EventReasonOf(diagnostic) == "Rejected";
  });
}

}  // namespace

std::string EventReasonOf(const Diagnostic& diagnostic) {
  switch (diagnostic.reason) {
    case Reason::kPathConflict:
    case Reason::kDefaultBackendUnused: return "Conflict";
    case Reason::kSecretNotFound: return "SecretMissing";
    case Reason::kSecretNotReadable: return "SecretNotReadable";
    case Reason::kUnknownAnnotation: return "UnknownAnnotation";
    default: break;
  }
  if (diagnostic.severity == Severity::kError) return "Rejected";
  return std::string(ReasonName(diagnostic.reason));
}

IngressEvents::IngressEvents(const IngressEventsOptions& options,
                             std::unique_ptr<kube::Transport> transport,
                             std::function<bool()> leads, Subscribers subscribers,
                             const Clock& clock, MetricsRegistry& metrics)
    : options_(options),
      leads_(std::move(leads)),
      subscribers_(std::move(subscribers)),
      clock_(clock),
      written_(
          metrics.AddCounter("headgate_ingress_events_written_total", "Events about Ingresses.")),
      failed_(metrics.AddCounter("headgate_ingress_events_failed_total",
                                 "Events about Ingresses that could not be written.")),
      left_out_(metrics.AddCounter("headgate_ingress_events_left_out_total",
                                   "Events about Ingresses beyond the limits.")),
      writer_(std::move(transport), clock) {}

IngressEvents::~IngressEvents() { Stop(); }

void IngressEvents::Start() {
  thread_ = std::thread([this] { Run(); });
}

void IngressEvents::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  writer_.Cancel();
  thread_.join();
}

void IngressEvents::OnTurn(const state::ClusterState& state, const state::Changes& changes,
                           const translate::TranslationUpdate& update, publish::Position position) {
  const std::lock_guard<std::mutex> lock(mutex_);
  TakeUpdate(state, update);
  const bool first = std::exchange(first_, false);
  for (const kube::ObjectKey& key : changes.ingresses) {
    const kube::Ingress* ingress = state.FindIngress(key);
    if (ingress == nullptr) {
      pending_.erase(key);
      standing_.erase(key);
    } else if (!first && options_.applied) {
      pending_[key] = {ingress->meta.uid, position};
    }
  }
  acknowledged_ = true;  // what changed no resource is in effect already
  wake_.notify_all();
}

void IngressEvents::TakeUpdate(const state::ClusterState& state,
                               const translate::TranslationUpdate& update) {
  const auto concerns = [](const Diagnostic& diagnostic) {
    return diagnostic.kind == kube::Kind::kIngress && diagnostic.severity != Severity::kInfo;
  };
  for (const Diagnostic& diagnostic : update.cleared) {
    const auto at = standing_.find(diagnostic.object);
    if (at == standing_.end()) continue;
    at->second.diagnostics.erase(diagnostic);
    if (at->second.diagnostics.empty()) standing_.erase(at);
  }
  for (const Diagnostic& diagnostic : update.raised) {
    if (!concerns(diagnostic)) continue;
    const kube::Ingress* ingress = state.FindIngress(diagnostic.object);
    if (ingress == nullptr) continue;  // one that could never be decoded: it need not be ours
    Standing& standing = standing_[diagnostic.object];
    standing.uid = ingress->meta.uid;
    standing.diagnostics.insert(diagnostic);
    TellStanding(diagnostic, standing.uid);
  }
}

void IngressEvents::OnAcknowledged() {
  const std::lock_guard<std::mutex> lock(mutex_);
  acknowledged_ = true;
  wake_.notify_all();
}

void IngressEvents::LeadChanged() {
  const std::lock_guard<std::mutex> lock(mutex_);
  lead_changed_ = true;
  wake_.notify_all();
}

void IngressEvents::Run() {
  const absl::Duration spacing = absl::Seconds(1) / options_.rate;
  absl::Duration next = clock_.MonotonicNow();
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (std::exchange(lead_changed_, false)) {
      // What the one before us told is told again, and counted in the same Events.
      for (const auto& [key, standing] : standing_) {
        for (const Diagnostic& diagnostic : standing.diagnostics) {
          TellStanding(diagnostic, standing.uid);
        }
      }
    }
    if (std::exchange(acknowledged_, false)) {
      lock.unlock();
      const std::vector<publish::SubscriberStatus> subscribers = subscribers_();
      lock.lock();
      LookAtSubscribers(subscribers);
    }
    const absl::Duration now = clock_.MonotonicNow();
    if (!queue_.empty() && next <= now) {
      const kube::Event event = std::move(queue_.front());
      queue_.pop_front();
      next = now + spacing;
      lock.unlock();
      Write(event);
      lock.lock();
      continue;
    }
    const bool waits = !queue_.empty();
    clock_.WaitUntil(lock, wake_, waits ? next : absl::InfiniteDuration(), [&] {
      return stopping_ || lead_changed_ || acknowledged_ || (!waits && !queue_.empty());
    });
  }
}

void IngressEvents::LookAtSubscribers(const std::vector<publish::SubscriberStatus>& subscribers) {
  std::set<Form> seen;
  std::set<kube::ObjectKey> refused;
  for (const publish::SubscriberStatus& subscriber : subscribers) {
    TellRefusals(subscriber, seen, refused);
  }
  refused_ = std::move(seen);
  if (subscribers.empty()) return;
  const auto slowest = std::min_element(
      subscribers.begin(), subscribers.end(),
      [](const auto& a, const auto& b) { return a.acked_position < b.acked_position; });
  for (auto at = pending_.begin(); at != pending_.end();) {
    const auto& [key, pending] = *at;
    if (pending.position > slowest->acked_position) {
      ++at;
      continue;
    }
    const auto standing = standing_.find(key);
    const bool rejected = refused.contains(key) ||
                          (standing != standing_.end() && IsRejected(standing->second.diagnostics));
    if (!rejected) {
      Tell({.kind = kube::Kind::kIngress,
            .object = key,
            .uid = pending.uid,
            .warning = false,
            .reason = "Applied",
            .message = StrCat("in effect at every data plane that is connected to a controller (",
                              subscribers.size(), "), version ", slowest->acked_version)});
    }
    at = pending_.erase(at);
  }
}

void IngressEvents::TellRefusals(const publish::SubscriberStatus& subscriber, std::set<Form>& seen,
                                 std::set<kube::ObjectKey>& refused_ingresses) {
  for (const publish::RefusedResource& refused : subscriber.refused) {
    const v1::Resource& resource = *refused.resource;
    const Form form(resource.name(), resource.hash());
    const bool news = seen.insert(form).second && !refused_.contains(form);
    for (const v1::Provenance& cause : resource.provenance()) {
      if (cause.kind() != KindName(kube::Kind::kIngress)) continue;
      const bool first = refused_ingresses.insert({cause.namespace_(), cause.name()}).second;
      if (!news || !first) continue;
      Tell({.kind = kube::Kind::kIngress,
            .object = {cause.namespace_(), cause.name()},
            .uid = {},
            .warning = true,
            .reason = "Rejected",
            .message = StrCat("a data plane refuses ", resource.name(), ": ", refused.reason,
                              "; its last good form stays")});
    }
  }
}

void IngressEvents::TellStanding(const Diagnostic& diagnostic, const std::string& uid) {
  if (!leads_()) return;
  Tell({.kind = kube::Kind::kIngress,
        .object = diagnostic.object,
        .uid = uid,
        .warning = true,
        .reason = EventReasonOf(diagnostic),
        .message = StrCat(diagnostic.field, ": ", diagnostic.message)});
}

void IngressEvents::Tell(kube::Event event) {
  if (queue_.size() >= options_.queue_limit ||
      !limiter_.Admit(event.object, clock_.MonotonicNow())) {
    return left_out_.Add();
  }
  queue_.push_back(std::move(event));
}

void IngressEvents::Write(const kube::Event& event) {
  const absl::Status status = writer_.Write(event);
  if (status.ok()) return written_.Add();
  if (absl::IsNotFound(status)) return;  // the Ingress has gone meanwhile
  failed_.Add();
  HEADGATE_LOG_EVERY(60, kWarn, "events", "an Event could not be written",
                     {"ingress", event.object.ToString()}, {"error", status});
}

}  // namespace headgate::status
