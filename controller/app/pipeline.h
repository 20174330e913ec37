#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/metrics.h"
#include "controller/app/diagnostic_metrics.h"
#include "controller/publish/snapshot_log.h"
#include "controller/state/batcher.h"
#include "controller/state/cluster_state.h"
#include "controller/state/inbox.h"
#include "controller/translate/translator.h"

namespace headgate::app {

// From events to the snapshot: one thread that owns the state, lets changes gather for a moment,
// translates what they touch and hands the outcome on. Nothing is handed on before every kind has
// been listed once; the first outcome is a whole snapshot.
class Pipeline {
 public:
  // Gets the ConfigMaps that Ingresses refer to whenever these are others than before, on the
  // pipeline's thread; the source is to deliver them.
  using WatchConfigMaps = std::function<void(const state::KeySet&)>;
  // Looks on after each translation, when its outcome has been handed on, on the pipeline's thread.
  // What it gets is valid during the call.
  using Observe = std::function<void(const state::ClusterState&, const state::Changes&,
                                     const translate::TranslationUpdate&)>;
  struct Options {
    state::ClusterState::Options state;
    state::Batcher::Options batcher;
    translate::Options translate;
    // Null: every ConfigMap comes unasked.
    WatchConfigMaps watch_config_maps;
    Observe observe;  // may be null
    // The first snapshot waits for them no longer than this.
    absl::Duration config_map_wait = absl::Seconds(10);
    // Certificates are looked at this often for the passing of time alone.
    absl::Duration recheck = absl::Minutes(1);
  };
  // Gets each change of the snapshot, on the pipeline's thread. The first call comes even when
  // there is nothing in it.
  using Publish = std::function<void(std::vector<publish::Change>)>;

  // `clock` and `metrics` outlive the pipeline; what `publish` refers to as well. Starts at once.
  Pipeline(Options options, Publish publish, const Clock& clock, MetricsRegistry& metrics);
  // Stops after the turn under way.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Where sources deliver. They must have stopped before the pipeline goes.
  kube::EventSink& sink() { return inbox_; }

  // What the state holds, and how it is translated. Valid during the call.
  using Job = std::function<void(const state::ClusterState&, const translate::Translator&)>;
  // Any thread. Runs the job on the pipeline's thread, between two translations, and waits for it.
  // False, and the job will not be run: its turn did not come in time, or nothing has been
  // translated yet.
  bool Ask(const Job& job, absl::Duration limit);

  // Any thread. True once the first snapshot has been handed on.
  bool published() const { return published_.load(std::memory_order_acquire); }
  // Any thread. How long ago the thread was last seen at the top of its loop: it comes there every
  // few seconds, and a much longer time means that it hangs.
  absl::Duration SinceLastTurn() const;

 private:
  // What the thread leaves for a scrape.
  struct Numbers {
    bool synced = false;
    std::array<size_t, kube::kKindCount> objects{};
    uint64_t stale_events = 0;
    translate::Translator::Work work;
  };

  void Run();
  // True when the first snapshot need not wait for ConfigMaps (any more).
  bool ConfigMapsThere(absl::Duration now);
  void Turn(absl::Duration now);
  void Report(const translate::TranslationUpdate& update);
  void NoteNumbers();
  static void Collect(const Numbers& numbers, MetricsWriter& writer);

  const Options options_;
  const Publish publish_;
  const Clock& clock_;
  state::Inbox inbox_;

  // The thread's own.
  state::ClusterState state_;
  state::Batcher batcher_;
  translate::Translator translator_;
  absl::Duration next_recheck_;
  std::optional<absl::Duration> config_maps_asked_;  // before the first snapshot

  Histogram& translation_seconds_;
  Counter& resources_changed_;
  std::atomic<bool> published_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> last_turn_ns_{0};

  // Of Ask.
  struct Question {
    const Job& job;
    bool answered = false;
  };
  void AnswerQuestions();
  std::mutex questions_mutex_;
  std::condition_variable answered_;
  std::vector<Question*> questions_ ABSL_GUARDED_BY(questions_mutex_);

  // Shared with the collector, which may outlive us.
  struct Shared {
    std::mutex mutex;
    Numbers numbers ABSL_GUARDED_BY(mutex);
    DiagnosticMetrics diagnostics;
  };
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();

  std::thread thread_;  // last: starts when everything else is there
};

}  // namespace headgate::app
