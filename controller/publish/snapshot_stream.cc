#include "controller/publish/snapshot_stream.h"

#include <utility>

#include "common/log.h"
#include "common/strings.h"
#include "controller/publish/hub.h"

namespace headgate::publish {
namespace {

// "Ingress default/shop spec.rules[0]": the first cause, which is the most significant.
std::string CauseOf(const v1::Resource& resource) {
  if (resource.provenance_size() == 0) return "";
  const v1::Provenance& cause = resource.provenance(0);
  std::string text = StrCat(cause.kind(), " ");
  if (!cause.namespace_().empty()) StrAppend(&text, cause.namespace_(), "/");
  StrAppend(&text, cause.name());
  if (!cause.field().empty()) StrAppend(&text, " ", cause.field());
  return text;
}

}  // namespace

SnapshotStream::SnapshotStream(std::shared_ptr<Hub> hub, const Clock& clock, std::string peer)
    : hub_(std::move(hub)), clock_(clock), peer_(std::move(peer)) {}

void SnapshotStream::End() {
  {
    std::lock_guard lock(mutex_);
    FinishWith(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the controller shuts down"));
  }
  Step();
}

void SnapshotStream::OnReadDone(bool ok) {
  bool joined = false;
  {
    std::lock_guard lock(mutex_);
    reading_ = false;
    const bool was_ready = subscriber_.ready();
    if (ok) {
      TakeIn(std::move(incoming_));
      incoming_.Clear();
    } else {
      FinishWith(grpc::Status::OK);  // the data plane closed its side, or is gone
    }
    joined = !was_ready && subscriber_.ready();
  }
  Step();
  if (joined) hub_->OnFleetChanged();
}

void SnapshotStream::OnWriteDone(bool ok) {
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok) FinishWith(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the connection broke"));
  }
  Step();
}

void SnapshotStream::OnCancel() {
  {
    std::lock_guard lock(mutex_);
    FinishWith(grpc::Status::CANCELLED);
  }
  Step();
}

void SnapshotStream::OnDone() {
  const std::shared_ptr<SnapshotStream> self = shared_from_this();
  {
    std::lock_guard lock(mutex_);
    HEADGATE_LOG(kInfo, "publish", "data plane disconnected",
                 {"instance", subscriber_.status().instance}, {"peer", peer_},
                 {"reason", finish_with_ ? finish_with_->error_message() : ""});
  }
  hub_->Remove(self);
}

void SnapshotStream::FinishWith(grpc::Status status) {
  if (!finish_with_) finish_with_ = std::move(status);
}

void SnapshotStream::TakeInHealth(const v1::HealthReport& before) {
  const SubscriberStatus& status = subscriber_.status();
  hub_->OnStatus(this, status);
  hub_->OnHealth();
  if (status.health.unhealthy() == before.unhealthy()) return;
  HEADGATE_LOG(kInfo, "publish", "a data plane's probes found a change",
               {"instance", status.instance}, {"unhealthy_endpoints", status.health.unhealthy()},
               {"before", before.unhealthy()}, {"healthy_endpoints", status.health.healthy()});
}

void SnapshotStream::TakeIn(v1::DataPlaneMessage message) {
  const bool is_result = message.has_result();
  const bool is_health = message.has_health();
  const v1::HealthReport health_before =
      is_health ? subscriber_.status().health : v1::HealthReport();
  const bool was_ready = subscriber_.ready();
  if (absl::Status taken = subscriber_.OnMessage(std::move(message)); !taken.ok()) {
    HEADGATE_LOG(kWarn, "publish", "data plane broke the protocol", {"peer", peer_},
                 {"instance", subscriber_.status().instance}, {"error", taken});
    FinishWith(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, std::string(taken.message())));
    return;
  }
  const SubscriberStatus& status = subscriber_.status();
  if (!was_ready && subscriber_.ready()) {
    HEADGATE_LOG(kInfo, "publish", "data plane connected", {"instance", status.instance},
                 {"peer", peer_}, {"build", status.build_version});
    hub_->OnStatus(this, status);
  }
  if (is_health) return TakeInHealth(health_before);
  if (!is_result) return;
  for (const RefusedResource& refused : subscriber_.newly_refused()) {
    HEADGATE_LOG(kWarn, "publish", "data plane refused a resource; its last good form stays",
                 {"instance", status.instance}, {"resource", refused.resource->name()},
                 {"cause", CauseOf(*refused.resource)}, {"reason", refused.reason});
  }
  hub_->OnStatus(this, status);
  hub_->OnResult(subscriber_.newly_refused().size(), clock_.MonotonicNow() - began_at_);
}

bool SnapshotStream::PrepareMessage() {
  std::optional<v1::ControllerMessage> message = subscriber_.Next();
  if (!message) {
    const absl::StatusOr<bool> began = hub_->Begin(subscriber_);
    if (!began.ok()) {
      FinishWith(
          grpc::Status(grpc::StatusCode::UNAVAILABLE, std::string(began.status().message())));
      return false;
    }
    if (!*began) return false;
    began_at_ = clock_.MonotonicNow();
    message = subscriber_.Next();
  }
  if (message->has_commit()) {
    hub_->OnCommitSent();
  } else {
    hub_->OnDeltaSent(static_cast<size_t>(message->delta().upserts_size()) +
                      static_cast<size_t>(message->delta().removed_size()));
  }
  outgoing_ = *std::move(message);
  return true;
}

SnapshotStream::Action SnapshotStream::Decide() {
  if (!finish_with_) {
    if (!reading_) {
      reading_ = true;
      return Action::kRead;
    }
    if (!writing_ && PrepareMessage()) {
      writing_ = true;
      return Action::kWrite;
    }
  }
  // Not else: preparing may have found a reason to end.
  if (finish_with_ && !writing_ && !finished_) {
    finished_ = true;
    return Action::kFinish;
  }
  return Action::kNothing;
}

void SnapshotStream::Step() {
  const std::shared_ptr<SnapshotStream> self = shared_from_this();
  {
    std::lock_guard lock(mutex_);
    if (stepping_) return;  // whoever steps looks again before it stops
    stepping_ = true;
  }
  while (true) {
    Action action;
    grpc::Status status;
    {
      std::lock_guard lock(mutex_);
      action = Decide();
      if (action == Action::kNothing) {
        stepping_ = false;
        return;
      }
      if (action == Action::kFinish) status = *finish_with_;
    }
    switch (action) {
      case Action::kRead: StartRead(&incoming_); break;
      case Action::kWrite: StartWrite(&outgoing_); break;
      case Action::kFinish:
        // stepping_ stays set: nothing may be started after this.
        Finish(status);
        return;
      case Action::kNothing: break;
    }
  }
}

}  // namespace headgate::publish
