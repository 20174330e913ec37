#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "common/named.h"
#include "dataplane/observe/counters.h"
#include "dataplane/observe/request_record.h"
#include "dataplane/observe/route_details.h"
#include "dataplane/observe/small_counts.h"

namespace headgate::observe {

// The labels of one route's series.
struct RouteLabels {
  std::string_view host;  // the virtual host as configured; "_" for requests that matched none
  std::string_view ns;
  std::string_view ingress;
  std::string_view service;
  std::string_view service_port;
  std::string_view path;
};

struct RouteCounters {
  std::array<uint64_t, kStatusClasses> by_class{};  // [1] = 1xx … [5] = 5xx; [0]: none of these
  std::array<uint64_t, kDurationBuckets> duration_buckets{};  // not cumulated
  double duration_seconds = 0;
  uint64_t request_bytes = 0;
  uint64_t response_bytes = 0;

  void Add(const RouteCounters& other);
  // Of all classes.
  uint64_t count() const { return std::accumulate(by_class.begin(), by_class.end(), uint64_t{0}); }
};

// Counts finished exchanges by route. One per worker, written on its thread and read on any: a
// scrape neither waits for a worker nor holds one up. The number of routes is bounded: beyond it
// requests are counted under the host "other". A route stays once it has been seen, and takes about
// 210 bytes, with details 420 and for methods other than GET 350 more; three times as much after
// 65,535 requests.
class RouteStats {
 public:
  // One route's counts as one worker has them. Lives as long as the RouteStats.
  class Route final : public Named<Route> {
   public:
    explicit Route(bool details)
        : details_(details ? std::make_unique<ShardRouteDetails>() : nullptr) {}

    // The labels joined by NUL, which none of them can hold. Equal for equal labels, and in the
    // order of the labels. Any thread.
    std::string_view key() const { return name(); }
    // Views into key(). Any thread.
    RouteLabels labels() const;
    // Each number is right, if not all of the same moment. Any thread.
    RouteCounters counters() const;
    // The same; all zero where they are not kept.
    RouteDetails details() const { return details_ != nullptr ? details_->Read() : RouteDetails(); }

   private:
    friend class RouteStats;

    template <typename Number>
    struct Counts {
      void Count(size_t status_class, size_t duration_bucket) {
        by_class.Add(status_class);
        duration_buckets.Add(duration_bucket);
      }
      RouteCounters Read() const {
        return {.by_class = by_class.Read(), .duration_buckets = duration_buckets.Read()};
      }
      template <typename Other>
      void Take(const Counts<Other>& other) {
        by_class.Take(other.by_class);
        duration_buckets.Take(other.duration_buckets);
      }

      Buckets<Number, RouteCounters{}.by_class.size()> by_class;
      Buckets<Number, kDurationBuckets> duration_buckets;
    };

    // What every request counts lies together.
    ShardCounter duration_microseconds_;
    ShardCounter request_bytes_;
    ShardCounter response_bytes_;
    SmallCounts<Counts> counts_;
    const std::unique_ptr<ShardRouteDetails> details_;  // may be null
    std::atomic<const Route*> next_{nullptr};
  };

  static constexpr size_t kMaxRoutes = 20'000;

  explicit RouteStats(size_t max_routes = kMaxRoutes, bool details = false)
      : max_routes_(max_routes), details_(details) {}
  RouteStats(const RouteStats&) = delete;
  RouteStats& operator=(const RouteStats&) = delete;

  // The owner's thread only.
  void Count(const RequestRecord& record);

  // Any thread: every route seen so far, in the order of their first requests.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (const Route* route = first_.load(std::memory_order_acquire); route != nullptr;
         route = route->next_.load(std::memory_order_acquire)) {
      visit(*route);
    }
  }

 private:
  // The route of a request that was counted a while ago, by its id alone. A newcomer takes the
  // place of another.
  struct Recent {
    uint64_t id = 0;
    Route* route = nullptr;
  };
  static constexpr size_t kMinRecent = 64;

  Recent& RecentFor(uint64_t id) { return recent_[id & (recent_.size() - 1)]; }
  Route& Find(const RequestRecord& record);
  Route& Add(std::string_view key);

  std::vector<Recent> recent_{kMinRecent};  // a power of two, at least as many as there are routes
  std::string key_;                         // of the request at hand; kept for its capacity
  NamedSet<Route> routes_;                  // by key
  const size_t max_routes_;
  const bool details_;
  // The same routes as a list that only grows, for readers. `last_` is the next_ of its end.
  std::atomic<const Route*> first_{nullptr};
  std::atomic<const Route*>* last_ = &first_;
};

}  // namespace headgate::observe
