#include "controller/kube/reflector.h"

#include <algorithm>
#include <iterator>

#include "common/strings.h"
#include "controller/kube/list_decoder.h"

namespace headgate::kube {
namespace {

// Whether `a` is a lower version than `b`. Kubernetes promises that versions are whole numbers
// which grow; anything else is not compared.
bool IsOlder(std::string_view a, std::string_view b) {
  constexpr std::string_view kDigits = "0123456789";
  if (a.empty() || b.empty() || a.find_first_not_of(kDigits) != std::string_view::npos ||
      b.find_first_not_of(kDigits) != std::string_view::npos) {
    return false;
  }
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// RFC 3986 section 2.3: everything but the unreserved characters.
std::string EncodeQueryValue(std::string_view value) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : value) {
    const bool unreserved = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (unreserved) {
      out.push_back(c);
    } else {
      out.append({'%', kHex[static_cast<uint8_t>(c) >> 4], kHex[c & 0xF]});
    }
  }
  return out;
}

MetricLabels Labels(const ReflectorOptions& options) {
  return {{"resource", std::string(options.type->plural)}};
}

}  // namespace

Reflector::Reflector(const ReflectorOptions& options, Transport& transport, EventSink& sink,
                     const Clock& clock, MetricsRegistry& metrics, std::function<void()> on_synced)
    : options_(options),
      type_(*options.type),
      transport_(transport),
      sink_(sink),
      clock_(clock),
      on_synced_(std::move(on_synced)),
      lists_(metrics.AddCounter("headgate_kube_lists_total",
                                "Complete lists read from the API server.", Labels(options))),
      watches_(metrics.AddCounter("headgate_kube_watches_total", "Watches that were started.",
                                  Labels(options))),
      failures_(metrics.AddCounter("headgate_kube_failures_total", "Lists and watches that failed.",
                                   Labels(options))),
      events_(metrics.AddCounter("headgate_kube_events_total",
                                 "Events received by watches, without bookmarks.",
                                 Labels(options))),
      malformed_(metrics.AddCounter("headgate_kube_malformed_objects_total",
                                    "Objects received that could not be decoded.",
                                    Labels(options))),
      backoff_(options.backoff, options.seed),
      random_(options.seed) {}

void Reflector::Run() {
  while (!stopped()) {
    if (resource_version_.empty()) {
      if (const absl::Status status = List(); !status.ok()) {
        ReportFailure("list", status);
        Pause();
        continue;
      }
    }
    const absl::Duration start = clock_.MonotonicNow();
    const WatchEnd end = Watch();
    const bool useful = watch_progress_ || clock_.MonotonicNow() - start > absl::Seconds(1);
    if (useful) {
      backoff_.Reset();
      expired_in_a_row_ = 0;
    }
    switch (end) {
      case WatchEnd::kEnded:
        if (!useful) Pause();  // a server that ends every watch at once must not make us spin
        break;
      case WatchEnd::kExpired:
        HEADGATE_LOG(kInfo, "kube", "version expired, listing again", {"resource", type_.plural},
                     {"namespace", options_.ns}, {"version", resource_version_});
        resource_version_.clear();
        // The server is there, and after a time away from it this is its first answer: list at
        // once. One whose lists are expired when they arrive must not make us spin.
        if (!useful && ++expired_in_a_row_ > 1) Pause();
        break;
      case WatchEnd::kFailed:
        ReportFailure("watch", watch_status_);
        Pause();
        break;
    }
  }
}

void Reflector::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
  }
  stop_requested_.notify_all();
  transport_.Cancel();
}

bool Reflector::stopped() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stopped_;
}

void Reflector::Pause() {
  const absl::Duration pause = std::max(backoff_.Next(), std::min(retry_after_, absl::Seconds(30)));
  retry_after_ = absl::ZeroDuration();
  std::unique_lock<std::mutex> lock(mutex_);
  clock_.WaitUntil(lock, stop_requested_, clock_.MonotonicNow() + pause,
                   [this] { return stopped_; });
}

std::string Reflector::FieldSelector() const {
  std::string selector(type_.field_selector);
  if (!options_.name.empty()) {
    StrAppend(&selector, selector.empty() ? "" : ",", "metadata.name=", options_.name);
  }
  return selector;
}

absl::Status Reflector::List() {
  Replacement replacement{type_.kind, options_.ns, options_.name, {}, {}};
  absl::StatusOr<std::string> version = ListAll(/*paged=*/true, &replacement);
  if (version.status().code() == absl::StatusCode::kOutOfRange) {
    // The pages took longer than the server keeps a version. One large answer always works.
    replacement.objects.clear();
    replacement.malformed.clear();
    version = ListAll(/*paged=*/false, &replacement);
  }
  if (!version.ok()) return version.status();
  if (IsOlder(*version, delivered_version_)) {
    if (++stale_lists_ <= options_.max_stale_lists) {
      return absl::UnavailableError(StrCat("the list is of version ", *version, ", older than ",
                                           delivered_version_, " which was seen before"));
    }
    HEADGATE_LOG(kWarn, "kube", "versions of the API server went back for good (a restored etcd?)",
                 {"resource", type_.plural}, {"from", delivered_version_}, {"to", *version});
  }
  stale_lists_ = 0;
  lists_.Add();
  malformed_.Add(replacement.malformed.size());
  HEADGATE_LOG(kInfo, "kube", "listed", {"resource", type_.plural}, {"namespace", options_.ns},
               {"objects", replacement.objects.size()}, {"version", *version});
  for (const MalformedObject& malformed : replacement.malformed) {
    HEADGATE_LOG(kWarn, "kube", "malformed object", {"error", malformed.error});
  }
  failing_ = false;
  resource_version_ = delivered_version_ = *std::move(version);
  sink_.OnReplace(std::move(replacement));
  if (!synced_) {
    synced_ = true;
    on_synced_();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Reflector::ListAll(bool paged, Replacement* out) {
  std::string continue_token;
  int failures = 0;
  while (!stopped()) {
    absl::StatusOr<Page> page = ListPage(paged, continue_token, out);
    if (page.ok()) {
      backoff_.Reset();
      failures = 0;
      continue_token = std::move(page->continue_token);
      if (continue_token.empty()) return std::move(page->resource_version);
    } else if (continue_token.empty() || page.status().code() == absl::StatusCode::kOutOfRange ||
               ++failures > options_.max_page_retries) {
      return page.status();
    } else {
      // What has come so far stays good: over a bad network a long list would never be complete if
      // each failure threw it away.
      ReportFailure("list", page.status());
      Pause();
    }
  }
  return absl::CancelledError("stopped");
}

absl::StatusOr<Reflector::Page> Reflector::ListPage(bool paged, std::string_view continue_token,
                                                    Replacement* out) {
  // No resourceVersion: the newest state, read with a quorum, which cannot be older than what we
  // have seen.
  std::string target = CollectionPath(type_, options_.ns);
  char separator = '?';
  auto add = [&](std::string_view name, std::string_view value) {
    target.push_back(separator);
    separator = '&';
    StrAppend(&target, name, "=", EncodeQueryValue(value));
  };
  if (paged) add("limit", StrCat(options_.page_size));
  if (!continue_token.empty()) add("continue", continue_token);
  if (const std::string selector = FieldSelector(); !selector.empty()) {
    add("fieldSelector", selector);
  }

  Replacement page{type_.kind, options_.ns, options_.name, {}, {}};
  ListDecoder decoder(type_, &page);
  absl::Status decode_status;
  const absl::StatusOr<HttpResult> result =
      transport_.Get(target, options_.list_idle_limit, [&](std::string_view bytes) {
        decode_status = decoder.Feed(bytes);
        return decode_status.ok();
      });
  if (!decode_status.ok()) return decode_status;
  if (result.ok() && result->status == 410) {
    return absl::OutOfRangeError("410 Gone: the pages of the list expired");
  }
  if (absl::Status status = CheckResult(result); !status.ok()) return status;
  if (absl::Status status = decoder.Finish(); !status.ok()) return status;
  std::move(page.objects.begin(), page.objects.end(), std::back_inserter(out->objects));
  std::move(page.malformed.begin(), page.malformed.end(), std::back_inserter(out->malformed));
  return Page{decoder.resource_version(), decoder.continue_token()};
}

Reflector::WatchEnd Reflector::Watch() {
  watches_.Add();
  watch_progress_ = false;
  watch_expired_ = false;
  watch_status_ = absl::OkStatus();
  const int64_t seconds = absl::ToInt64Seconds(options_.watch_duration);
  std::uniform_int_distribution<int64_t> duration(seconds, 2 * seconds);
  std::string target = StrCat(
      CollectionPath(type_, options_.ns),
      "?watch=1&allowWatchBookmarks=true&resourceVersion=", EncodeQueryValue(resource_version_),
      "&timeoutSeconds=", duration(random_));
  if (const std::string selector = FieldSelector(); !selector.empty()) {
    StrAppend(&target, "&fieldSelector=", EncodeQueryValue(selector));
  }

  WatchDecoder decoder(type_);
  const absl::StatusOr<HttpResult> result =
      transport_.Get(target, options_.watch_idle_limit, [&](std::string_view bytes) {
        std::vector<WatchEvent> events;
        const absl::Status status = decoder.Feed(bytes, &events);
        const bool go_on = TakeEvents(std::move(events));
        if (!status.ok() && watch_status_.ok()) watch_status_ = status;
        return go_on && status.ok();
      });
  if (watch_expired_ || (result.ok() && result->status == 410)) return WatchEnd::kExpired;
  if (watch_status_.ok()) watch_status_ = CheckResult(result);
  return watch_status_.ok() ? WatchEnd::kEnded : WatchEnd::kFailed;
}

bool Reflector::TakeEvents(std::vector<WatchEvent> events) {
  std::vector<Change> changes;
  for (WatchEvent& event : events) {
    if (auto* error = std::get_if<WatchError>(&event)) {
      watch_expired_ = error->expired;
      watch_status_ =
          absl::UnavailableError(StrCat("the server ended the watch: ", error->message));
      break;
    }
    watch_progress_ = true;
    failing_ = false;
    if (auto* bookmark = std::get_if<WatchBookmark>(&event)) {
      Advance(bookmark->resource_version);
      continue;
    }
    events_.Add();
    if (auto* object = std::get_if<Object>(&event)) {
      if (Advance(MetaOf(*object).resource_version)) changes.emplace_back(std::move(*object));
    } else if (auto* deletion = std::get_if<WatchDeletion>(&event)) {
      if (Advance(deletion->resource_version)) {
        changes.emplace_back(Deletion{type_.kind, std::move(deletion->key)});
      }
    } else if (auto* malformed = std::get_if<MalformedObject>(&event)) {
      malformed_.Add();
      HEADGATE_LOG(kWarn, "kube", "malformed object", {"error", malformed->error});
      if (Advance(malformed->resource_version)) changes.emplace_back(std::move(*malformed));
    }
  }
  if (!changes.empty()) sink_.OnChanges(std::move(changes));
  return watch_status_.ok();
}

// False: this version was seen already, so what comes with it is old.
bool Reflector::Advance(const std::string& resource_version) {
  if (resource_version.empty()) return true;  // of a malformed object
  if (resource_version == resource_version_ || IsOlder(resource_version, resource_version_))
    return false;
  resource_version_ = delivered_version_ = resource_version;
  return true;
}

absl::Status Reflector::CheckResult(const absl::StatusOr<HttpResult>& result) {
  if (!result.ok()) return result.status();
  if (result->status == 200) return absl::OkStatus();
  retry_after_ = result->retry_after;
  return absl::UnavailableError(StrCat("HTTP ", result->status, ": ", result->error_body));
}

void Reflector::ReportFailure(std::string_view doing, const absl::Status& status) {
  if (stopped()) return;
  failures_.Add();
  // The first failure at once, then one line a minute.
  uint64_t suppressed = 0;
  const bool due = failure_log_.Admit(absl::ToInt64Nanoseconds(clock_.MonotonicNow()), &suppressed);
  if (failing_ && !due) return;
  failing_ = true;
  HEADGATE_LOG(kWarn, "kube", "cannot reach the API server, objects stay as they were",
               {"doing", doing}, {"resource", type_.plural}, {"namespace", options_.ns},
               {"error", status}, {"suppressed", suppressed});
}

}  // namespace headgate::kube
