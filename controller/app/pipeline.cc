#include "controller/app/pipeline.h"

#include <malloc.h>

#include <algorithm>

#include "common/log.h"
#include "controller/translate/files.h"
#include "controller/translate/header_config_maps.h"

namespace headgate::app {
namespace {

// The thread shows itself at least this often.
constexpr absl::Duration kIdleTurn = absl::Seconds(5);
// Of one update. A first translation may have thousands to say; the metric counts them all.
constexpr size_t kMaxDiagnosticLines = 200;

void LogDiagnostic(const translate::Diagnostic& diagnostic) {
  const auto write = [&](auto level) {
    if (!LogEnabled(level)) return;
    log_internal::Write(level, "translate", diagnostic.message,
                        {{"kind", kube::KindName(diagnostic.kind)},
                         {"object", diagnostic.object.ToString()},
                         {"field", diagnostic.field},
                         {"reason", translate::ReasonName(diagnostic.reason)}},
                        0);
  };
  switch (diagnostic.severity) {
    case translate::Severity::kInfo: return write(LogLevel::kInfo);
    case translate::Severity::kWarning: return write(LogLevel::kWarn);
    case translate::Severity::kError: return write(LogLevel::kError);
  }
}

void Write(MetricsWriter& writer, std::string_view name, std::string_view help, MetricType type,
           uint64_t value) {
  writer.Family(name, type, help);
  writer.Sample({}, value);
}

}  // namespace

Pipeline::Pipeline(Options options, Publish publish, const Clock& clock, MetricsRegistry& metrics)
    : options_(std::move(options)),
      publish_(std::move(publish)),
      clock_(clock),
      inbox_(clock),
      state_(options_.state),
      batcher_(options_.batcher),
      translator_(options_.translate),
      next_recheck_(clock.MonotonicNow() + options_.recheck),
      translation_seconds_(metrics.AddHistogram(
          "headgate_translation_seconds", "Time to translate one batch of changes.",
          {0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10})),
      resources_changed_(metrics.AddCounter("headgate_translation_resources_total",
                                            "Resources that translation changed or removed.")),
      last_turn_ns_(absl::ToInt64Nanoseconds(clock.MonotonicNow())) {
  metrics.AddCollector([shared = shared_](MetricsWriter& writer) {
    Numbers numbers;
    {
      std::lock_guard lock(shared->mutex);
      numbers = shared->numbers;
    }
    Collect(numbers, writer);
    shared->diagnostics.Collect(writer);
  });
  thread_ = std::thread([this] { Run(); });
}

Pipeline::~Pipeline() {
  stopping_ = true;
  inbox_.Wake();
  thread_.join();
}

absl::Duration Pipeline::SinceLastTurn() const {
  return clock_.MonotonicNow() - absl::Nanoseconds(last_turn_ns_.load(std::memory_order_relaxed));
}

void Pipeline::Run() {
  while (!stopping_) {
    absl::Duration now = clock_.MonotonicNow();
    last_turn_ns_.store(absl::ToInt64Nanoseconds(now), std::memory_order_relaxed);
    const absl::Duration deadline =
        std::min({now + kIdleTurn, next_recheck_, batcher_.Deadline().value_or(next_recheck_)});
    std::vector<state::Inbox::Event> events = inbox_.Wait(deadline);
    if (stopping_) return;
    now = clock_.MonotonicNow();
    const bool any = !events.empty();
    for (state::Inbox::Event& event : events) state::ApplyEvent(state_, std::move(event));
    events.clear();
    if (any && state_.HasChanges()) batcher_.OnChange(now);
    // The first snapshot waits for every kind and for ConfigMaps that are served, and for nothing
    // else.
    const bool due = !published() || batcher_.Due(now) || now >= next_recheck_;
    if (due && state_.Synced() && (published() || ConfigMapsThere(now))) Turn(now);
    if (published()) AnswerQuestions();
    if (any) NoteNumbers();
  }
}

bool Pipeline::Ask(const Job& job, absl::Duration limit) {
  Question question{job};
  std::unique_lock lock(questions_mutex_);
  questions_.push_back(&question);
  inbox_.Wake();
  clock_.WaitUntil(lock, answered_, clock_.MonotonicNow() + limit,
                   [&] { return question.answered; });
  std::erase(questions_, &question);
  return question.answered;
}

void Pipeline::AnswerQuestions() {
  // With the lock held, so that nobody whose question is under way goes away.
  const std::lock_guard lock(questions_mutex_);
  if (questions_.empty()) return;
  for (Question* question : questions_) {
    question->job(state_, translator_);
    question->answered = true;
  }
  questions_.clear();
  answered_.notify_all();
}

// A controller that starts must not take from data planes what it has not looked for yet.
bool Pipeline::ConfigMapsThere(absl::Duration now) {
  if (options_.watch_config_maps == nullptr) return true;
  state::KeySet wanted;
  for (const kube::ObjectKey& key : state_.IngressKeys()) {
    for (kube::ObjectKey& config_map : translate::ConfigMapsOf(*state_.FindIngress(key))) {
      wanted.insert(std::move(config_map));
    }
  }
  for (kube::ObjectKey& config_map : translate::HeaderConfigMapsOf(state_, translator_.options())) {
    wanted.insert(std::move(config_map));
  }
  for (const auto& config_map :
       {options_.translate.tcp_services, options_.translate.udp_services}) {
    if (config_map) wanted.insert(*config_map);
  }
  if (!config_maps_asked_) {
    config_maps_asked_ = now;
    options_.watch_config_maps(wanted);
  }
  return now - *config_maps_asked_ >= options_.config_map_wait ||
         std::all_of(wanted.begin(), wanted.end(),
                     [this](const kube::ObjectKey& key) { return state_.KnowsConfigMap(key); });
}

void Pipeline::Turn(absl::Duration now) {
  next_recheck_ = now + options_.recheck;
  batcher_.Clear();
  const state::Changes changed = state_.TakeChanges();
  const translate::TranslationUpdate update = translator_.Update(state_, changed, clock_.WallNow());
  if (const auto config_maps = translator_.TakeConfigMaps();
      config_maps && options_.watch_config_maps != nullptr) {
    options_.watch_config_maps(*config_maps);
  }
  const absl::Duration took = clock_.MonotonicNow() - now;
  translation_seconds_.Observe(absl::ToDoubleSeconds(took));
  resources_changed_.Add(update.upserted.size() + update.removed.size());
  Report(update);
  const bool first = !published();
  if (first || update.ChangesSnapshot()) {
    std::vector<publish::Change> changes;
    changes.reserve(update.upserted.size() + update.removed.size());
    for (const translate::ResourcePtr& resource : update.upserted) {
      changes.push_back({resource->name(), resource});
    }
    for (const std::string& name : update.removed) changes.push_back({name, nullptr});
    publish_(std::move(changes));
  }
  if (options_.observe != nullptr) options_.observe(state_, changed, update);
  if (first) {
    published_.store(true, std::memory_order_release);
    HEADGATE_LOG(kInfo, "app", "first snapshot published", {"resources", update.resource_count},
                 {"translation", took});
    // Lists were decoded from text many times their size.
    malloc_trim(0);
  }
  NoteNumbers();
}

void Pipeline::Report(const translate::TranslationUpdate& update) {
  size_t lines = 0;
  for (const translate::Diagnostic& diagnostic : update.raised) {
    if (lines++ < kMaxDiagnosticLines) LogDiagnostic(diagnostic);
  }
  if (lines > kMaxDiagnosticLines) {
    HEADGATE_LOG(kWarn, "translate", "more diagnostics than are logged at once",
                 {"left_out", lines - kMaxDiagnosticLines});
  }
  for (const translate::Diagnostic& diagnostic : update.cleared) {
    HEADGATE_LOG(kDebug, "translate", "no longer so", {"was", diagnostic.ToString()});
  }
  shared_->diagnostics.Apply(update);
}

void Pipeline::NoteNumbers() {
  std::lock_guard lock(shared_->mutex);
  Numbers& numbers = shared_->numbers;
  numbers.synced = state_.Synced();
  for (size_t kind = 0; kind < kube::kKindCount; ++kind) {
    numbers.objects[kind] = state_.object_count(static_cast<kube::Kind>(kind));
  }
  numbers.stale_events = state_.stale_events();
  numbers.work = translator_.work();
}

void Pipeline::Collect(const Numbers& numbers, MetricsWriter& writer) {
  Write(writer, "headgate_state_synced", "1 when every kind has been listed once.",
        MetricType::kGauge, numbers.synced ? 1 : 0);
  writer.Family("headgate_state_objects", MetricType::kGauge, "Objects held, by kind.");
  for (size_t kind = 0; kind < kube::kKindCount; ++kind) {
    writer.Sample({{"kind", std::string(kube::KindName(static_cast<kube::Kind>(kind)))}},
                  uint64_t{numbers.objects[kind]});
  }
  Write(writer, "headgate_state_stale_events_total",
        "Events dropped because a newer form of the object was held.", MetricType::kCounter,
        numbers.stale_events);
  writer.Family("headgate_translation_units_total", MetricType::kCounter,
                "Units of translation redone: the cost of changes.");
  const translate::Translator::Work& work = numbers.work;
  writer.Sample({{"unit", "ingress"}}, work.ingresses);
  writer.Sample({{"unit", "certificate"}}, work.certificates);
  writer.Sample({{"unit", "host"}}, work.hosts);
  writer.Sample({{"unit", "cluster"}}, work.clusters);
  writer.Sample({{"unit", "endpoints"}}, work.endpoints);
}

}  // namespace headgate::app
