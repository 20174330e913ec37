#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "controller/publish/subscriber.h"

namespace headgate::publish {

// What is worth telling people about the probes of one Service's endpoints.
// Data planes are not trusted: names and message are of the characters that such have, but the
// Service need not exist.
struct HealthNews {
  std::string ns;
  std::string service;
  bool unhealthy = false;  // false: all are healthy again
  std::string message;     // one line
};

// Finds the news in what all data planes report: that the number of unhealthy endpoints of a
// Service's port has become another. They see the same endpoints from different places: the worst
// counts. A port is spoken of at most once in kQuiet, and of all together there are at most kMost
// news in that time; what comes in between is told later, as it is then. While no data plane is
// connected nothing is known, and nothing changes.
//
// Pure but for the time it is given; not thread-safe.
class HealthDigest {
 public:
  static constexpr absl::Duration kQuiet = absl::Minutes(1);
  static constexpr size_t kMost = 50;
  // Ports that are kept in mind; of others nothing is told.
  static constexpr size_t kMostKnown = 10'000;

  // `now` never goes back.
  std::vector<HealthNews> Update(const std::vector<SubscriberStatus>& data_planes,
                                 absl::Duration now);
  // When Update would have more to tell though no report changes; InfiniteDuration: never.
  absl::Duration next() const { return next_; }

 private:
  struct Told {
    uint32_t unhealthy = 0;
    absl::Duration at;
  };

  // Whether one more may be told now; if not, next_ says when.
  bool MayTell(absl::Duration now);

  std::map<std::string, Told, std::less<>> told_;  // by the name of the Endpoints resource
  absl::Duration next_ = absl::InfiniteDuration();
  absl::Duration window_start_ = -absl::InfiniteDuration();
  size_t in_window_ = 0;
};

}  // namespace headgate::publish
