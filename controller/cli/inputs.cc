#include "controller/cli/inputs.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <set>
#include <system_error>
#include <utility>

#include "common/clock.h"
#include "common/file.h"
#include "common/metrics.h"
#include "common/strings.h"
#include "controller/kube/api_source.h"
#include "controller/kube/credentials.h"
#include "controller/kube/rest_transport.h"
#include "controller/state/inbox.h"

namespace headgate::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFileBytes = size_t{256} << 20;

absl::StatusOr<std::string> ReadStandardInput() {
  std::string text;
  char buffer[65536];
  while (true) {
    const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got < 0) return absl::ErrnoToStatus(errno, "standard input");
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > kMaxFileBytes) return absl::OutOfRangeError("standard input: is too large");
  }
}

absl::Status LoadFile(const std::string& path, kube::ManifestSet& set) {
  const absl::StatusOr<std::string> content = ReadFile(path, kMaxFileBytes);
  if (!content.ok()) return content.status();
  set.Load(path, *content);
  return absl::OkStatus();
}

absl::Status LoadFolder(const std::string& path, kube::ManifestSet& set) {
  std::error_code error;
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end;
       at.increment(error)) {
    const bool hidden = at->path().filename().native().front() == '.';
    if (hidden && at->is_directory(error)) at.disable_recursion_pending();
    if (!hidden && kube::IsManifestName(at->path().native()) && at->is_regular_file(error))
      files.push_back(at->path().string());
  }
  if (error) return absl::UnavailableError(StrCat(path, ": ", error.message()));
  if (files.empty())
    return absl::NotFoundError(StrCat(path, ": holds no .yaml, .yml or .json file"));
  for (const std::string& file : files) {
    if (const absl::Status status = LoadFile(file, set); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Load(const std::string& path, kube::ManifestSet& set) {
  if (path == "-") {
    const absl::StatusOr<std::string> text = ReadStandardInput();
    if (!text.ok()) return text.status();
    // JSON is YAML too, but for the rare escape.
    const size_t first = text->find_first_not_of(" \t\r\n");
    const bool json = first != std::string::npos && (*text)[first] == '{';
    set.Load(json ? "stdin.json" : "stdin", *text);
    return absl::OkStatus();
  }
  std::error_code error;
  return fs::is_directory(path, error) ? LoadFolder(path, set) : LoadFile(path, set);
}

absl::Status ReadPaths(const InputOptions& options, Inputs& inputs) {
  kube::ManifestSet set;
  for (const std::string& path : options.paths) {
    if (const absl::Status status = Load(path, set); !status.ok()) return status;
  }
  for (kube::Change& change : set.TakeChanges()) inputs.Take(options, std::move(change));
  inputs.problems = set.Problems();
  return absl::OkStatus();
}

absl::Status ReadCluster(const InputOptions& options, Inputs& inputs) {
  const absl::StatusOr<kube::ApiServerConfig> server =
      kube::LoadKubeconfig(options.kubeconfig, options.kube_context);
  if (!server.ok()) return server.status();
  kube::InitializeRest();
  const SystemClock clock;
  MetricsRegistry metrics;
  state::Inbox inbox(clock);
  kube::ApiSourceOptions source;
  source.kinds.push_back(kube::Kind::kConfigMap);
  if (!options.ns.empty()) source.namespaces = {options.ns};
  std::set<kube::Kind> missing(source.kinds.begin(), source.kinds.end());
  kube::ApiSource api(
      std::move(source), [config = *server] { return kube::MakeRestTransport(config); }, inbox,
      clock, metrics);
  api.Start();
  const absl::Duration deadline = clock.MonotonicNow() + options.timeout;
  const auto take = [&](std::vector<kube::Change> changes) {
    for (kube::Change& change : changes) inputs.Take(options, std::move(change));
  };
  while (!missing.empty() && clock.MonotonicNow() < deadline) {
    for (state::Inbox::Event& event : inbox.Wait(deadline)) {
      if (auto* replacement = std::get_if<kube::Replacement>(&event)) {
        take({std::make_move_iterator(replacement->objects.begin()),
              std::make_move_iterator(replacement->objects.end())});
        take({std::make_move_iterator(replacement->malformed.begin()),
              std::make_move_iterator(replacement->malformed.end())});
      } else if (auto* changes = std::get_if<std::vector<kube::Change>>(&event)) {
        take(std::move(*changes));
      } else {
        missing.erase(std::get<kube::Kind>(event));
      }
    }
  }
  api.Stop();
  if (missing.empty()) return absl::OkStatus();
  return absl::DeadlineExceededError(StrCat(server->url, " has not listed every ",
                                            kube::KindName(*missing.begin()), " within ",
                                            absl::FormatDuration(options.timeout)));
}

// The class that an Ingress names.
std::string ClassOf(const kube::Ingress& ingress) {
  if (ingress.class_name) return *ingress.class_name;
  const std::string* annotation = ingress.meta.FindAnnotation(state::kClassAnnotation);
  return annotation == nullptr ? "" : *annotation;
}

state::ClusterState::Options EveryIngress() {
  state::ClusterState::Options options;
  options.relevance.watch_without_class = true;
  return options;
}

}  // namespace

Inputs::Inputs() : state(EveryIngress()) {
  // What is given is all there is: a ConfigMap that does not come does not exist.
  kube::Replacement none;
  none.kind = kube::Kind::kConfigMap;
  state.Apply(std::move(none));
}

void Inputs::Take(const InputOptions& options, kube::Change change) {
  if (auto* object = std::get_if<kube::Object>(&change)) {
    if (auto* ingress = std::get_if<kube::Ingress>(object)) {
      const std::string name = ClassOf(*ingress);
      if (!options.ingress_class.empty() && name != options.ingress_class) return;
      if (!options.ns.empty() && ingress->meta.key.ns != options.ns) return;
      classes[ingress->meta.key] = name;
      ingress->class_name.reset();
      std::erase_if(ingress->meta.annotations,
                    [](const auto& a) { return a.first == state::kClassAnnotation; });
    }
    ++count[object->index()];
  }
  state.Apply(std::move(change));
}

absl::Status ReadInputs(const InputOptions& options, Inputs& inputs) {
  const absl::Status status =
      options.kubeconfig.empty() ? ReadPaths(options, inputs) : ReadCluster(options, inputs);
  if (!status.ok()) return status;
  for (size_t kind = 0; kind < kube::kKindCount; ++kind)
    inputs.state.MarkSynced(static_cast<kube::Kind>(kind));
  return absl::OkStatus();
}

}  // namespace headgate::cli
