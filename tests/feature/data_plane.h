#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/clock.h"
#include "dataplane/control/snapshot_client.h"

namespace headgate::feature {

// Name to hash: what a data plane serves, or a controller publishes.
using Content = std::map<std::string, uint64_t>;

// An applier that remembers what it was told and can be made slow or choosy.
class RecordingApplier final : public control::Applier {
 public:
  struct Call {
    std::string version;
    std::vector<std::string> upserts;
    std::vector<std::string> removed;
  };

  control::ApplyResult Apply(std::string_view version,
                             absl::Span<const v1::Resource* const> upserts,
                             absl::Span<const std::string> removed) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_back_; });
    control::ApplyResult result;
    Call call{.version = std::string(version), .upserts = {}, .removed = {}};
    for (const v1::Resource* resource : upserts) {
      call.upserts.push_back(resource->name());
      if (refuses_.contains(resource->name())) {
        result.refused.push_back({resource->name(), "refused by the test"});
      } else {
        content_[resource->name()] = resource->hash();
      }
    }
    for (const std::string& name : removed) {
      call.removed.push_back(name);
      content_.erase(name);
    }
    calls_.push_back(std::move(call));
    changed_.notify_all();
    return result;
  }

  void SetDataPlanes(uint32_t count) override {
    const std::lock_guard lock(mutex_);
    data_planes_ = count;
    changed_.notify_all();
  }

  // Until Release, calls wait.
  void HoldBack() { Set(held_back_, true); }
  void Release() { Set(held_back_, false); }
  void Refuse(const std::string& name) {
    std::lock_guard lock(mutex_);
    refuses_.insert(name);
  }
  void RefuseNothing() {
    std::lock_guard lock(mutex_);
    refuses_.clear();
  }

  Content content() const {
    std::lock_guard lock(mutex_);
    return content_;
  }
  std::vector<Call> calls() const {
    std::lock_guard lock(mutex_);
    return calls_;
  }
  // False after a minute without it.
  bool WaitForContent(const Content& wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return content_ == wanted; });
  }
  bool WaitForDataPlanes(uint32_t wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60),
                             [&] { return data_planes_ == wanted; });
  }
  bool WaitForCalls(size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60),
                             [&] { return calls_.size() >= count; });
  }

 private:
  void Set(bool& flag, bool value) {
    std::lock_guard lock(mutex_);
    flag = value;
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool held_back_ = false;
  std::set<std::string> refuses_;
  Content content_;
  uint32_t data_planes_ = 0;
  std::vector<Call> calls_;
};

// The real client with everything it needs.
class DataPlane {
 public:
  // `state_dir` empty: nothing survives. `health` outlives this.
  DataPlane(uint16_t controller_port, const std::string& state_dir,
            std::optional<control::TlsPaths> tls = std::nullopt,
            control::HealthReporter* health = nullptr) {
    control::ClientOptions options;
    options.controller = {"127.0.0.1", controller_port};
    options.tls = std::move(tls);
    options.health = health;
    options.instance = "dp";
    options.build_version = "test";
    options.backoff = {.initial = absl::Milliseconds(10), .max = absl::Milliseconds(50)};
    std::unique_ptr<control::SnapshotStore> store = control::SnapshotStore::InMemory();
    if (!state_dir.empty()) {
      auto opened = control::SnapshotStore::Open(state_dir);
      HEADGATE_CHECK(opened.ok());
      store = *std::move(opened);
    }
    client_ = std::make_unique<control::SnapshotClient>(options, std::move(store), applier_,
                                                        control_thread_, clock_);
  }
  // A call that is held back would never end.
  ~DataPlane() { applier_.Release(); }

  RecordingApplier& applier() { return applier_; }
  control::SnapshotClient& client() { return *client_; }

 private:
  SystemClock clock_;
  RecordingApplier applier_;
  control::ControlThread control_thread_;
  std::unique_ptr<control::SnapshotClient> client_;
};

}  // namespace headgate::feature
