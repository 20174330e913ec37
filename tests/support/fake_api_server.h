// An API server of objects without meaning: it keeps JSON documents by path, gives out versions,
// refuses writes of old forms and remembers what it was asked. Requests of any number of
// connections; blocks none.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/strings.h"
#include "controller/kube/transport.h"

namespace headgate::testing {

class FakeApiServer {
 public:
  using Json = nlohmann::json;
  struct Request {
    std::string method;
    std::string target;
    Json body;
  };

  std::unique_ptr<kube::Transport> Connect() { return std::make_unique<Connection>(*this); }

  // Puts an object there, whatever was there before.
  void Put(const std::string& path, Json object) {
    const std::lock_guard lock(mutex_);
    Keep(path, std::move(object));
  }
  void Delete(const std::string& path) {
    const std::lock_guard lock(mutex_);
    objects_.erase(path);
  }
  // Null if there is none.
  Json Find(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto at = objects_.find(path);
    return at == objects_.end() ? Json() : at->second;
  }
  // All writes so far, also those refused.
  std::vector<Request> writes() const {
    const std::lock_guard lock(mutex_);
    return writes_;
  }
  // Waits up to ten seconds until `done` is true of the writes.
  bool AwaitWrites(const std::function<bool(const std::vector<Request>&)>& done) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return done(writes_); });
  }
  bool AwaitWrites(size_t count) const {
    return AwaitWrites([count](const auto& writes) { return writes.size() >= count; });
  }
  // From now on every request whose target contains `part` is answered with `status`; 0: no longer.
  void Fail(int status, std::string part = {}) {
    const std::lock_guard lock(mutex_);
    failure_ = status;
    failing_ = std::move(part);
  }

 private:
  class Connection final : public kube::Transport {
   public:
    explicit Connection(FakeApiServer& server) : server_(server) {}
    absl::StatusOr<kube::HttpResult> Get(const std::string& target, absl::Duration,
                                         const OnData& on_data) override {
      return server_.Answer({"GET", target, nullptr}, on_data);
    }
    absl::StatusOr<kube::HttpResult> Write(kube::WriteMethod method, const std::string& target,
                                           const std::string& body, absl::Duration,
                                           const OnData& on_data) override {
      constexpr const char* kNames[] = {"POST", "PUT", "PATCH"};
      return server_.Answer({kNames[static_cast<size_t>(method)], target, Json::parse(body)},
                            on_data);
    }
    void Cancel() override {}

   private:
    FakeApiServer& server_;
  };

  // Holding the lock.
  const Json& Keep(const std::string& path, Json object) {
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    if (!object["metadata"].contains("uid")) object["metadata"]["uid"] = StrCat("uid-", version_);
    return objects_[path] = std::move(object);
  }

  absl::StatusOr<kube::HttpResult> Answer(const Request& request,
                                          const kube::Transport::OnData& on_data) {
    std::unique_lock lock(mutex_);
    Json answer;
    int status = failure_ != 0 && request.target.find(failing_) != std::string::npos
                     ? failure_
                     : Serve(request, answer);
    if (request.method != "GET") {
      writes_.push_back(request);
      changed_.notify_all();
    }
    lock.unlock();
    if (status < 300) on_data(answer.dump());
    return kube::HttpResult{.status = status, .error_body = {}, .retry_after = {}};
  }

  int Serve(const Request& request, Json& answer) {
    constexpr std::string_view kByName = "?fieldSelector=metadata.name%3D";
    std::string path = request.target;
    if (const size_t at = path.find(kByName); at != std::string::npos) {
      path = path.substr(0, at) + "/" + path.substr(at + kByName.size());
      answer["items"] = Json::array();
      if (objects_.contains(path)) answer["items"].push_back(objects_[path]);
      return 200;
    }
    if (path.ends_with("/status")) path.resize(path.size() - std::string_view("/status").size());
    if (request.method == "POST") {
      path += "/" + request.body["metadata"]["name"].get<std::string>();
      if (objects_.contains(path)) return 409;
      answer = Keep(path, request.body);
      return 201;
    }
    const auto at = objects_.find(path);
    if (at == objects_.end()) return 404;
    if (request.method != "GET") {
      const Json& now = at->second["metadata"];
      const Json meta = request.body.value("metadata", Json::object());
      for (const char* field : {"resourceVersion", "uid"}) {
        if (meta.contains(field) && meta[field] != now[field]) return 409;
      }
      Json next = request.method == "PUT" ? request.body : at->second;
      if (request.method == "PATCH") next.merge_patch(request.body);
      Keep(path, std::move(next));
    }
    answer = objects_[path];
    return 200;
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::string, Json> objects_;
  std::vector<Request> writes_;
  int version_ = 0;
  int failure_ = 0;
  std::string failing_;
};

}  // namespace headgate::testing
