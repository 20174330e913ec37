// An EventSink that keeps what it is told, as state/ would, and lets a test wait for it.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "controller/kube/event_sink.h"

namespace headgate::kube {

class RecordingSink : public EventSink {
 public:
  void OnReplace(Replacement replacement) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++replacements_;
    std::set<ObjectKey> present;
    for (const MalformedObject& malformed : replacement.malformed) {
      present.insert(malformed.key);
      Record(malformed);
    }
    for (Object& object : replacement.objects) {
      present.insert(MetaOf(object).key);
      Record(object);
    }
    for (auto it = objects_.begin(); it != objects_.end();) {
      const auto& [kind, key] = it->first;
      const bool in_scope =
          kind == replacement.kind && (replacement.ns.empty() || key.ns == replacement.ns);
      it = in_scope && !present.contains(key) ? objects_.erase(it) : std::next(it);
    }
    changed_.notify_all();
  }

  void OnChanges(std::vector<Change> changes) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++batches_;
    for (const Change& change : changes) {
      std::visit([this](const auto& c) { Record(c); }, change);
    }
    changed_.notify_all();
  }

  void OnSynced(Kind kind) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    log_.push_back("synced " + std::string(KindName(kind)));
    changed_.notify_all();
  }

  // Waits up to ten seconds.
  bool Await(const std::function<bool()>& condition) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), condition);
  }
  bool AwaitLog(const std::string& entry) {
    return Await([&] { return std::count(log_.begin(), log_.end(), entry) > 0; });
  }
  bool AwaitLogSize(size_t size) {
    return Await([&] { return log_.size() >= size; });
  }

  // "+Kind ns/name", "-Kind ns/name", "!Kind ns/name" and "synced Kind" since the last call.
  std::vector<std::string> TakeLog() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(log_, {});
  }
  // A copy of an object; fails the test with an exception if it is not there.
  template <typename T>
  T Get(const std::string& ns, const std::string& name) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::get<T>(objects_.at({T::kKind, {ns, name}}));
  }
  bool Has(Kind kind, const std::string& ns, const std::string& name) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return objects_.contains({kind, {ns, name}});
  }
  size_t size() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return objects_.size();
  }
  int replacements() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return replacements_;
  }
  int batches() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return batches_;
  }
  std::string last_error() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return last_error_;
  }

 private:
  void Record(const Object& object) {
    const ObjectKey& key = MetaOf(object).key;
    log_.push_back("+" + std::string(KindName(KindOf(object))) + " " + key.ToString());
    objects_[{KindOf(object), key}] = object;
  }
  void Record(const Deletion& deletion) {
    log_.push_back("-" + std::string(KindName(deletion.kind)) + " " + deletion.key.ToString());
    objects_.erase({deletion.kind, deletion.key});
  }
  void Record(const MalformedObject& malformed) {
    log_.push_back("!" + std::string(KindName(malformed.kind)) + " " + malformed.key.ToString());
    last_error_ = malformed.error;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::pair<Kind, ObjectKey>, Object> objects_;
  std::vector<std::string> log_;
  std::string last_error_;
  int replacements_ = 0;
  int batches_ = 0;
};

}  // namespace headgate::kube
