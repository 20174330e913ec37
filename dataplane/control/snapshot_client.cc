#include "dataplane/control/snapshot_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <malloc.h>

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "common/strings.h"
#include "dataplane/control/record_log.h"

namespace headgate::control {
namespace {

constexpr int kMaxReceiveBytes = 64 << 20;
constexpr int kConnectTimeoutMs = 5'000;
// A controller that vanished without a word is noticed within the sum of these two.
constexpr int kKeepaliveMs = 10'000;
constexpr int kKeepaliveTimeoutMs = 5'000;
constexpr size_t kInventoryChunkBytes = 500'000;
// After taking in more than this, free memory goes back to the system: parsed messages are several
// times as large as what is kept of them.
constexpr size_t kTrimBytes = size_t{1} << 20;
constexpr absl::Duration kRepairEvery = absl::Seconds(30);

grpc::ChannelArguments ChannelArgumentsFor(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  // Each stream has a connection of its own, made when we say so and with the credentials of the
  // moment.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A proxy named in the environment is meant for other programs.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMaxReceiveBytes);
  if (!options.server_name.empty()) arguments.SetSslTargetNameOverride(options.server_name);
  return arguments;
}

// Why a resource cannot be handled at all, whatever it says; empty if it can.
std::string_view Unmanageable(const v1::Resource& resource) {
  if (resource.name().empty()) return "a resource without a name";
  if (resource.name().size() > kMaxNameBytes) return "its name is too long";
  if (resource.hash() == 0) return "it has no hash";
  return {};
}

absl::Status ToAbslStatus(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace

SnapshotClient::SnapshotClient(ClientOptions options, std::unique_ptr<SnapshotStore> store,
                               Applier& applier, ControlThread& control_thread, const Clock& clock)
    : options_(std::move(options)),
      applier_(applier),
      control_thread_(control_thread),
      clock_(clock),
      store_(std::move(store)),
      credentials_(options_.tls),
      backoff_(options_.backoff, RandomSeed()),
      last_repair_(clock.MonotonicNow()),
      thread_([this] { Run(); }) {}

SnapshotClient::~SnapshotClient() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
  }
  stop_changed_.notify_one();
  thread_.join();
}

ClientStatus SnapshotClient::status() const {
  std::lock_guard lock(mutex_);
  return status_;
}

bool SnapshotClient::Stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
}

void SnapshotClient::Run() {
  LoadFromDisk();
  std::string last_logged;
  while (!Stopping()) {
    const absl::Status ended = RunStream();
    if (Stopping()) return;
    // The same trouble again and again is said once.
    if (std::string text = ended.ToString(); text != last_logged) {
      HEADGATE_LOG(kWarn, "control", "no connection to the controller; serving what is there",
                   {"controller", options_.controller.ToString()}, {"error", ended});
      last_logged = std::move(text);
    }
    const absl::Duration resume = clock_.MonotonicNow() + backoff_.Next();
    std::unique_lock lock(mutex_);
    if (status_.connected) last_logged.clear();
    status_.connected = false;
    status_.last_error = ended.ToString();
    clock_.WaitUntil(lock, stop_changed_, resume, [this] { return stopping_; });
  }
}

void SnapshotClient::LoadFromDisk() {
  const absl::Duration start = clock_.MonotonicNow();
  const bool found = !store_->version().empty();
  if (found) {
    const std::vector<v1::Resource> resources = store_->Load();
    Resources upserts;
    upserts.reserve(resources.size());
    for (const v1::Resource& resource : resources) upserts.push_back(&resource);
    for (const auto& [name, reason] : Apply(store_->version(), upserts, {})) {
      HEADGATE_LOG(kWarn, "control", "a resource on disk cannot be used", {"resource", name},
                   {"reason", reason});
      // So that the controller sends it again, and hears of it.
      store_->Forget(name);
    }
    HEADGATE_LOG(kInfo, "control", "serving the last good snapshot from disk",
                 {"version", store_->version()}, {"resources", store_->size()},
                 {"took", clock_.MonotonicNow() - start});
  }
  malloc_trim(0);
  std::lock_guard lock(mutex_);
  NoteContent();
  status_.configured = found;
}

SnapshotClient::Refusals SnapshotClient::Apply(const std::string& version, const Resources& upserts,
                                               const std::vector<std::string>& removed) {
  Refusals refusals;
  Resources manageable;
  manageable.reserve(upserts.size());
  for (const v1::Resource* resource : upserts) {
    if (std::string_view why = Unmanageable(*resource); !why.empty()) {
      refusals.emplace(resource->name(), why);
    } else {
      manageable.push_back(resource);
    }
  }
  ApplyResult result;
  control_thread_.Run([&] { result = applier_.Apply(version, manageable, removed); });
  for (RefusedResource& refused : result.refused) {
    refusals.emplace(std::move(refused.name), std::move(refused.reason));
  }
  return refusals;
}

absl::Status SnapshotClient::RunStream() {
  absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials = credentials_.Next();
  if (!credentials.ok()) return credentials.status();
  const std::shared_ptr<grpc::Channel> channel = grpc::CreateCustomChannel(
      options_.controller.ToString(), *credentials, ChannelArgumentsFor(options_));
  const std::unique_ptr<v1::SnapshotDiscovery::Stub> stub = v1::SnapshotDiscovery::NewStub(channel);

  grpc::ClientContext context;
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return absl::CancelledError();
    context_ = &context;
    ++status_.streams;
  }
  const std::unique_ptr<Stream> stream = stub->Subscribe(&context);
  const absl::Status why = Converse(*stream);
  // Where we end it, nothing that is still on its way matters. Where it ended, its status says why.
  if (!why.ok()) context.TryCancel();
  if (options_.health != nullptr) options_.health->Detach();
  v1::ControllerMessage rest;
  while (stream->Read(&rest)) {
  }
  const grpc::Status status = stream->Finish();
  {
    std::lock_guard lock(mutex_);
    context_ = nullptr;
  }
  staged_.Clear();
  if (!why.ok()) return why;
  return status.ok() ? absl::UnavailableError("the controller ended the stream")
                     : ToAbslStatus(status);
}

bool SnapshotClient::Write(Stream& stream, const v1::DataPlaneMessage& message) {
  std::lock_guard lock(write_mutex_);
  return stream.Write(message);
}

bool SnapshotClient::SendInventory(Stream& stream) {
  v1::DataPlaneMessage message;
  size_t bytes = 0;
  if (!replace_all_) {
    for (const SnapshotStore::HeldName& held : store_->Inventory()) {
      v1::HeldResource* entry = message.mutable_inventory()->add_held();
      entry->set_name(std::string(held.name));
      entry->set_hash(held.hash);
      bytes += held.name.size() + 16;
      if (bytes < kInventoryChunkBytes) continue;
      if (!Write(stream, message)) return false;
      message.Clear();
      bytes = 0;
    }
  }
  message.mutable_inventory()->set_last(true);
  return Write(stream, message);
}

absl::Status SnapshotClient::Converse(Stream& stream) {
  replace_all_ = std::exchange(start_over_, false);
  refused_absent_.clear();
  v1::DataPlaneMessage message;
  message.mutable_hello()->set_instance(options_.instance);
  message.mutable_hello()->set_build_version(options_.build_version);
  if (!replace_all_) message.mutable_hello()->set_held_version(store_->version());
  // A write or read that fails means that the stream is over; its status says why.
  if (!Write(stream, message) || !SendInventory(stream)) return absl::OkStatus();
  if (options_.health != nullptr) {
    options_.health->Attach(
        [&](const v1::DataPlaneMessage& report) { return Write(stream, report); });
  }

  v1::ControllerMessage received;
  while (stream.Read(&received)) {
    if (received.has_delta()) {
      staged_.Add(std::move(*received.mutable_delta()));
    } else if (received.has_commit()) {
      absl::StatusOr<v1::Result> result = Commit(received.commit());
      if (!result.ok()) return result.status();
      message.Clear();
      *message.mutable_result() = *std::move(result);
      if (!Write(stream, message)) return absl::OkStatus();
      backoff_.Reset();
      if (RepairIsDue()) {
        last_repair_ = clock_.MonotonicNow();
        return absl::DataLossError("asking again for what could not be written to disk");
      }
    }
    received.Clear();
  }
  return absl::OkStatus();
}

uint64_t SnapshotClient::CountAfter(const Resources& upserts,
                                    const std::vector<std::string>& removed) const {
  uint64_t count = store_->size();
  absl::flat_hash_set<std::string> absent = refused_absent_;
  for (const v1::Resource* resource : upserts) {
    if (!store_->Holds(resource->name())) ++count;
    absent.erase(resource->name());
  }
  for (const std::string& name : removed) {
    if (store_->Holds(name)) --count;
    absent.erase(name);
  }
  return count + absent.size();
}

bool SnapshotClient::Confirms(const v1::Commit& commit) {
  const std::lock_guard lock(mutex_);
  status_.data_planes = commit.data_planes();
  return status_.connected && commit.version() == store_->version();
}

absl::StatusOr<v1::Result> SnapshotClient::Commit(const v1::Commit& commit) {
  if (replace_all_) {
    std::vector<std::string> gone;
    for (const SnapshotStore::HeldName& held : store_->Inventory()) {
      if (!staged_.Upserts(held.name)) gone.emplace_back(held.name);
    }
    for (const std::string& name : gone) staged_.Remove(name);
  }
  const Resources upserts = staged_.upserts();
  const std::vector<std::string> removed = staged_.removed();
  if (const uint64_t count = CountAfter(upserts, removed); count != commit.resource_count()) {
    start_over_ = true;
    std::lock_guard lock(mutex_);
    ++status_.mismatches;
    return absl::DataLossError(StrCat("the controller counts ", commit.resource_count(),
                                      " resources, we would hold ", count, "; starting over"));
  }
  replace_all_ = false;

  if (commit.data_planes() != 0) applier_.SetDataPlanes(commit.data_planes());
  if (upserts.empty() && removed.empty() && Confirms(commit)) {
    v1::Result answer;
    answer.set_version(commit.version());
    return answer;
  }
  const Refusals refusals = Apply(commit.version(), upserts, removed);
  NoteRefusals(upserts, removed, refusals);

  v1::Result answer;
  answer.set_version(commit.version());
  Resources applied;
  applied.reserve(upserts.size());
  for (const v1::Resource* resource : upserts) {
    auto refused = refusals.find(resource->name());
    if (refused == refusals.end()) {
      applied.push_back(resource);
      continue;
    }
    v1::Refusal* refusal = answer.add_refusals();
    refusal->set_resource(resource->name());
    refusal->set_hash(resource->hash());
    refusal->set_reason(refused->second);
  }
  if (absl::Status stored = store_->Commit(commit.version(), applied, removed); !stored.ok()) {
    HEADGATE_LOG_EVERY(10, kError, "control", "the snapshot on disk is behind", {"error", stored});
  }
  const bool trim = staged_.bytes() > kTrimBytes;
  staged_.Clear();
  if (trim) malloc_trim(0);

  std::lock_guard lock(mutex_);
  NoteContent();
  if (!status_.connected) {
    HEADGATE_LOG(kInfo, "control", "following the controller",
                 {"controller", options_.controller.ToString()}, {"version", commit.version()},
                 {"resources", store_->size()});
  }
  status_.configured = true;
  status_.connected = true;
  status_.last_error.clear();
  ++status_.commits;
  status_.data_planes = commit.data_planes();
  return answer;
}

void SnapshotClient::NoteRefusals(const Resources& upserts, const std::vector<std::string>& removed,
                                  const Refusals& refusals) {
  std::lock_guard lock(mutex_);
  for (const v1::Resource* resource : upserts) {
    status_.refused.erase(resource->name());
    refused_absent_.erase(resource->name());
  }
  for (const std::string& name : removed) {
    status_.refused.erase(name);
    refused_absent_.erase(name);
  }
  for (const auto& [name, reason] : refusals) {
    HEADGATE_LOG(kWarn, "control", "refused a resource; its last good form stays",
                 {"resource", name}, {"reason", reason});
    status_.refused[name] = reason;
    if (!store_->Holds(name)) refused_absent_.insert(name);
  }
}

bool SnapshotClient::RepairIsDue() const {
  return store_->disk_behind() && clock_.MonotonicNow() - last_repair_ >= kRepairEvery;
}

void SnapshotClient::NoteContent() {
  status_.version = store_->version();
  status_.applied = clock_.WallNow();
  status_.resources = store_->size();
  status_.disk_behind = store_->disk_behind();
  status_.disk_bytes = store_->file_size();
}

void SnapshotClient::Collect(MetricsWriter& writer) const {
  const ClientStatus now = status();
  const auto gauge = [&](std::string_view name, std::string_view help, uint64_t value) {
    writer.Family(name, MetricType::kGauge, help);
    writer.Sample({}, value);
  };
  const auto counter = [&](std::string_view name, std::string_view help, uint64_t value) {
    writer.Family(name, MetricType::kCounter, help);
    writer.Sample({}, value);
  };
  writer.Family("headgate_config_info", MetricType::kGauge, "Version of the snapshot in effect.");
  if (now.configured) writer.Sample({{"version", now.version}}, uint64_t{1});
  gauge("headgate_config_resources", "Resources held.", now.resources);
  gauge("headgate_config_refused_resources",
        "Resources whose latest form is refused; the last good one serves.", now.refused.size());
  counter("headgate_config_commits_total", "Commits taken in.", now.commits);
  counter("headgate_config_mismatches_total",
          "Commits after which the two sides would have disagreed about the content.",
          now.mismatches);
  gauge("headgate_controller_connected", "1 while the controller is being followed.",
        now.connected ? 1 : 0);
  gauge("headgate_controller_data_planes",
        "Data planes that the controller counts, this one among them; 0: not told.",
        now.data_planes);
  counter("headgate_controller_streams_total", "Streams opened or tried.", now.streams);
  gauge("headgate_snapshot_disk_bytes", "Size of the snapshot on disk.", now.disk_bytes);
  gauge("headgate_snapshot_disk_behind", "1 while the disk lags behind what is in effect.",
        now.disk_behind ? 1 : 0);
}

}  // namespace headgate::control
