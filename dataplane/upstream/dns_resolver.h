#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "common/backoff.h"
#include "common/clock.h"
#include "dataplane/base/address.h"
#include "dataplane/upstream/dns_lookup.h"

namespace headgate::upstream {

// Keeps the addresses of DNS names up to date: looks each up at once, and again when what was found
// expires. A lookup that fails is tried again with growing pauses, and takes nothing away: the
// addresses found last stay in use.
//
// Thread: Start and Stop from one (the control thread). Lookups and callbacks run on threads of its
// own, so that a name server that does not answer holds up nobody but other names.
class DnsResolver {
 public:
  // May block. Errors name the name.
  using Lookup = std::function<absl::StatusOr<DnsAnswer>(const std::string& name)>;
  // Told when the addresses of a name have changed, and of an empty list when its very first lookup
  // fails. Called on a thread of the resolver, one call at a time for each name; a call may still
  // come right after Stop.
  using Callback =
      std::function<void(const std::string& name, const std::vector<base::Address>& addresses)>;

  struct Options {
    // A lifetime of what was found below or above this counts as this.
    absl::Duration least_ttl = absl::Seconds(1);
    absl::Duration most_ttl = absl::Minutes(5);
    BackoffOptions retry = {.initial = absl::Seconds(1), .max = absl::Seconds(30)};
    int threads = 2;
  };

  // `clock` outlives the resolver.
  DnsResolver(const Clock& clock, Lookup lookup, Callback callback, Options options);
  // Waits for lookups under way; no callback comes afterwards.
  ~DnsResolver();
  DnsResolver(const DnsResolver&) = delete;
  DnsResolver& operator=(const DnsResolver&) = delete;

  // REQUIRES: the name is not started.
  void Start(const std::string& name);
  // Stopping a name that is not started is no error.
  void Stop(const std::string& name);

 private:
  struct Name {
    uint64_t serial;  // tells a name from one of an earlier Start
    absl::Duration due;
    Backoff backoff;
    bool looking = false;
    bool answered = false;
    bool failing = false;  // has been logged as such
    std::vector<base::Address> addresses;
  };

  void Run();
  // The name to look up next, or nullptr.
  std::pair<const std::string, Name>* EarliestDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the result in; true when the callback must be told.
  bool Update(Name& name, absl::StatusOr<DnsAnswer> found) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  const Lookup lookup_;
  const Callback callback_;
  const Options options_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Name> names_ ABSL_GUARDED_BY(mutex_);
  uint64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;  // wakes threads that wait for a time
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // begun with the first name
};

}  // namespace headgate::upstream
