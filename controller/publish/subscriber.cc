#include "controller/publish/subscriber.h"

#include <utility>

namespace headgate::publish {
namespace {

// Names and reasons come from a peer: what is kept of them has a limit.
constexpr size_t kMaxText = 1024;
constexpr int kMaxUpstreams = 1000;

std::string Shortened(const std::string& text) { return text.substr(0, kMaxText); }

}  // namespace

absl::Status Subscriber::OnMessage(v1::DataPlaneMessage message) {
  newly_refused_.clear();
  switch (message.message_case()) {
    case v1::DataPlaneMessage::kHello: return OnHello(message.hello());
    case v1::DataPlaneMessage::kInventory: return OnInventory(message.inventory());
    case v1::DataPlaneMessage::kResult: return OnResult(message.result());
    case v1::DataPlaneMessage::kHealth: return OnHealth(std::move(*message.mutable_health()));
    case v1::DataPlaneMessage::MESSAGE_NOT_SET: break;
  }
  return absl::InvalidArgumentError("a message without content, or of a kind unknown here");
}

absl::Status Subscriber::OnHello(const v1::Hello& hello) {
  if (phase_ != Phase::kHello) return absl::InvalidArgumentError("a second hello");
  status_.instance = Shortened(hello.instance());
  status_.build_version = Shortened(hello.build_version());
  phase_ = Phase::kInventory;
  return absl::OkStatus();
}

absl::Status Subscriber::OnInventory(const v1::Inventory& inventory) {
  if (phase_ == Phase::kHello) return absl::InvalidArgumentError("an inventory before the hello");
  if (phase_ == Phase::kReady) return absl::InvalidArgumentError("an inventory after the last one");
  if (held_.size() + static_cast<size_t>(inventory.held_size()) > kMaxInventory) {
    return absl::InvalidArgumentError("an inventory of too many names");
  }
  for (const v1::HeldResource& resource : inventory.held()) {
    held_[resource.name()] = resource.hash();
  }
  if (inventory.last()) phase_ = Phase::kReady;
  return absl::OkStatus();
}

absl::Status Subscriber::OnResult(const v1::Result& result) {
  if (!commit_sent_) return absl::InvalidArgumentError("a result without a commit");
  if (result.version() != under_way_->version) {
    return absl::InvalidArgumentError("a result of another version than the last commit's");
  }
  for (const ResourcePtr& resource : under_way_->upserts) refused_.erase(resource->name());
  for (const std::string& name : under_way_->removed) refused_.erase(name);
  if (result.refusals_size() > 0) {
    absl::flat_hash_map<std::string, ResourcePtr> sent;
    for (const ResourcePtr& resource : under_way_->upserts) sent[resource->name()] = resource;
    for (const v1::Refusal& refusal : result.refusals()) {
      auto found = sent.find(refusal.resource());
      if (found == sent.end()) {
        return absl::InvalidArgumentError("a refusal of a resource that was not sent");
      }
      newly_refused_.push_back({found->second, Shortened(refusal.reason())});
      refused_[refusal.resource()] = newly_refused_.back();
    }
  }
  status_.acked_version = under_way_->version;
  status_.acked_position = under_way_->position;
  status_.refused.clear();
  for (const auto& [name, refused] : refused_) status_.refused.push_back(refused);
  under_way_.reset();
  commit_sent_ = false;
  return absl::OkStatus();
}

absl::Status Subscriber::OnHealth(v1::HealthReport report) {
  if (phase_ != Phase::kReady)
    return absl::InvalidArgumentError("a health report before the inventory");
  if (report.upstreams_size() > kMaxUpstreams) {
    return absl::InvalidArgumentError("a health report of too many upstreams");
  }
  for (v1::UpstreamHealth& upstream : *report.mutable_upstreams()) {
    upstream.set_name(Shortened(upstream.name()));
  }
  status_.health = std::move(report);
  return absl::OkStatus();
}

bool Subscriber::CanBegin(const SnapshotLog& log, uint32_t data_planes) const {
  const bool news = !began_ || log.position() > told_ || data_planes != told_data_planes_;
  return phase_ == Phase::kReady && !under_way_ && news;
}

bool Subscriber::CanFollow(const SnapshotLog& log) const { return !began_ || log.Reaches(told_); }

void Subscriber::Begin(const SnapshotLog& log, uint32_t data_planes) {
  if (began_) {
    under_way_ = log.Since(told_);
  } else {
    // The first commit is sent even when nothing differs: it tells the data plane that what it
    // holds is current.
    under_way_ = log.From(held_);
    held_ = {};
    began_ = true;
  }
  told_ = under_way_->position;
  told_data_planes_ = data_planes;
  upserts_sent_ = 0;
  removed_sent_ = 0;
}

std::optional<v1::ControllerMessage> Subscriber::Next() {
  if (!under_way_ || commit_sent_) return std::nullopt;
  v1::ControllerMessage message;
  if (upserts_sent_ < under_way_->upserts.size() || removed_sent_ < under_way_->removed.size()) {
    PutDelta(*message.mutable_delta());
    return message;
  }
  message.mutable_commit()->set_version(under_way_->version);
  message.mutable_commit()->set_resource_count(under_way_->resource_count);
  message.mutable_commit()->set_data_planes(told_data_planes_);
  commit_sent_ = true;
  return message;
}

void Subscriber::PutDelta(v1::Delta& delta) {
  // Per entry: its tag and length.
  constexpr size_t kFraming = 8;
  size_t size = 0;
  bool empty = true;
  const auto fits = [&](size_t bytes) {
    if (!empty && size + bytes + kFraming > kChunkBytes) return false;
    size += bytes + kFraming;
    empty = false;
    return true;
  };
  for (; upserts_sent_ < under_way_->upserts.size(); ++upserts_sent_) {
    const v1::Resource& resource = *under_way_->upserts[upserts_sent_];
    if (!fits(resource.ByteSizeLong())) return;
    *delta.add_upserts() = resource;
  }
  for (; removed_sent_ < under_way_->removed.size(); ++removed_sent_) {
    const std::string& name = under_way_->removed[removed_sent_];
    if (!fits(name.size())) return;
    delta.add_removed(name);
  }
}

}  // namespace headgate::publish
