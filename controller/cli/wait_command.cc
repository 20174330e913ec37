#include "controller/cli/wait_command.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/flags.h"
#include "common/host_port.h"
#include "common/strings.h"
#include "controller/cli/admin_page.h"
#include "controller/kube/credentials.h"
#include "controller/kube/json.h"
#include "controller/kube/json_api.h"
#include "controller/kube/rest_transport.h"
#include "controller/state/resource_version.h"
#include "controller/translate/addresses.h"

namespace headgate::cli {
namespace {

using kube::Json;

constexpr absl::Duration kLookEvery = absl::Milliseconds(200);
constexpr absl::Duration kPageLimit = absl::Seconds(5);
constexpr std::string_view kAnyForm = "any";

struct WaitOptions {
  std::vector<std::string> names;
  std::string ns;
  std::string kubeconfig;
  std::string kube_context;
  std::string resource_version;
  std::vector<HostPort> controllers;
  absl::Duration timeout = absl::Minutes(1);
  std::string output = "text";
};

void DeclareFlags(WaitOptions& options, FlagSet& flags) {
  flags.AddArguments("ingress/NAME", &options.names, "The Ingress");
  flags.Group("Which form of it");
  flags.AddString(
      "namespace", &options.ns, "NS",
      "Its namespace, also as -n. Empty: that of the kubeconfig's context, or default.");
  flags.AddString(
      "kubeconfig", &options.kubeconfig, "FILE",
      "The API server that has it. Empty: the first file of $KUBECONFIG, or ~/.kube/config.");
  flags.AddString("kube-context", &options.kube_context, "NAME",
                  "Context of the kubeconfig, if not its current one.");
  flags.AddString("resource-version", &options.resource_version, "VERSION",
                  "Do not ask the API server: the form is this metadata.resourceVersion or a later "
                  "one; any: the one that "
                  "controllers have.");
  flags.Group("Who is asked");
  flags.AddCustom("controller", "ADDR:PORT",
                  "The admin port of a controller, which kubectl port-forward brings here: kubectl "
                  "-n headgate port-forward POD "
                  "10255. Each knows of the data planes that are connected to it: repeat it for "
                  "each controller.",
                  "127.0.0.1:10255", [&options](std::string_view text) {
                    absl::StatusOr<HostPort> address = ParseHostPort(text);
                    if (!address.ok()) return address.status();
                    options.controllers.push_back(*std::move(address));
                    return absl::OkStatus();
                  });
  flags.AddDuration("timeout", &options.timeout, "How long to wait.");
  flags.Group("What is printed");
  flags.AddChoice("output", &options.output, {"text", "json"}, "Its form.");
}

// As kubectl finds it; empty: there is none.
std::string KubeconfigOfUser() {
  if (const char* paths = std::getenv("KUBECONFIG"); paths != nullptr && *paths != '\0') {
    const std::string_view all = paths;
    return std::string(all.substr(0, all.find(':')));
  }
  const char* home = std::getenv("HOME");
  const std::string path = StrCat(home == nullptr ? "" : home, "/.kube/config");
  std::error_code error;
  return std::filesystem::exists(path, error) ? path : "";
}

// The form to wait for, and the namespace, where they are not given.
absl::Status AskApiServer(const std::string& name, WaitOptions& options) {
  if (options.kubeconfig.empty()) options.kubeconfig = KubeconfigOfUser();
  if (options.kubeconfig.empty())
    return absl::InvalidArgumentError("give --kubeconfig or --resource-version");
  const absl::StatusOr<kube::ApiServerConfig> server =
      kube::LoadKubeconfig(options.kubeconfig, options.kube_context);
  if (!server.ok()) return server.status();
  if (options.ns.empty())
    options.ns = server->default_namespace.empty() ? "default" : server->default_namespace;
  kube::InitializeRest();
  kube::JsonApi api(kube::MakeRestTransport(*server));
  const std::string path =
      kube::PathOf("/apis/networking.k8s.io/v1", {options.ns, name}, "ingresses");
  const absl::StatusOr<Json> ingress = api.Read(path);
  if (absl::IsNotFound(ingress.status())) {
    return absl::NotFoundError(
        StrCat("there is no Ingress ", options.ns, "/", name, " at ", server->url));
  }
  if (!ingress.ok()) return ingress.status();
  kube::FieldErrors errors;
  const kube::FieldNode object(*ingress, errors);
  const kube::FieldNode metadata = object.Get("metadata");
  options.resource_version = metadata.Get("resourceVersion").String();
  return errors.ok() ? absl::OkStatus() : absl::InvalidArgumentError(errors.first());
}

// What all controllers together say.
struct Progress {
  std::string missing;  // what is waited for; empty: nothing
  size_t data_planes = 0;
  std::vector<std::string> rejected;
};

std::vector<std::string> TextsOf(const kube::FieldNode& list) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < list.size(); ++i) texts.push_back(list.At(i).String());
  return texts;
}

// Adds what the page of one controller says.
absl::Status TakePage(const std::string& text, const HostPort& controller,
                      const std::string& version, Progress& progress) {
  const absl::StatusOr<Json> json = kube::ParseJson(text);
  if (!json.ok()) return json.status();
  kube::FieldErrors errors;
  const kube::FieldNode page(*json, errors);
  const kube::FieldNode has = page.Get("resourceVersion");
  if (has.Require() && version != kAnyForm && state::IsOlderVersion(has.View(), version)) {
    progress.missing =
        StrCat("the controller at ", controller.ToString(), " has an older form of the Ingress");
    return absl::OkStatus();
  }
  size_t behind = 0;
  const kube::FieldNode data_planes = page.Get("dataPlanes");
  for (size_t i = 0; i < data_planes.size(); ++i) {
    const kube::FieldNode data_plane = data_planes.At(i);
    if (!data_plane.Get("inEffect").Bool(false)) ++behind;
    for (const std::string& refused : TextsOf(data_plane.Get("refused"))) {
      progress.rejected.push_back(StrCat("a data plane refuses ", refused));
    }
  }
  progress.data_planes += data_planes.size();
  for (std::string& rejected : TextsOf(page.Get("rejected")))
    progress.rejected.push_back(std::move(rejected));
  if (behind > 0) {
    progress.missing =
        StrCat(behind, " of ", data_planes.size(), " data planes of the controller at ",
               controller.ToString(), " have not answered to it yet");
  }
  return errors.ok() ? absl::OkStatus() : absl::InvalidArgumentError(errors.first());
}

Progress Look(const std::string& name, const WaitOptions& options) {
  Progress progress;
  for (const HostPort& controller : options.controllers) {
    const absl::StatusOr<std::string> page =
        FetchPage(controller, StrCat("/ingresses/", options.ns, "/", name), kPageLimit);
    if (absl::IsNotFound(page.status())) {
      progress.missing =
          StrCat("the controller at ", controller.ToString(), " says: ", page.status().message());
    } else if (!page.ok()) {
      progress.missing = std::string(ToStd(page.status().message()));
    } else if (const absl::Status taken =
                   TakePage(*page, controller, options.resource_version, progress);
               !taken.ok()) {
      progress.missing = StrCat(controller.ToString(),
                                " is not the admin port of a controller: ", taken.message());
    }
    if (!progress.missing.empty()) return progress;
  }
  if (progress.data_planes == 0)
    progress.missing = "no data plane is connected to a controller that was asked";
  return progress;
}

// Several controllers may say the same.
void RemoveRepeated(std::vector<std::string>& texts) {
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
}

std::string Render(const std::string& name, const WaitOptions& options, const Progress& progress) {
  if (options.output == "json") {
    const Json json = {{"namespace", options.ns},
                       {"name", name},
                       {"inEffect", progress.missing.empty()},
                       {"dataPlanes", progress.data_planes},
                       {"waitingFor", progress.missing},
                       {"rejected", progress.rejected}};
    return StrCat(json.dump(2, ' ', false, Json::error_handler_t::replace), "\n");
  }
  std::string out = StrCat("ingress/", name);
  if (!progress.missing.empty()) {
    StrAppend(&out, " is not in effect everywhere: ", progress.missing, "\n");
  } else {
    StrAppend(&out, progress.rejected.empty() ? " is in effect" : " is in effect in part",
              " at every data plane (", progress.data_planes, ")\n");
  }
  for (const std::string& text : progress.rejected) StrAppend(&out, "  rejected: ", text, "\n");
  return out;
}

Progress AwaitProgress(const std::string& name, const WaitOptions& options) {
  const SystemClock clock;
  const absl::Duration deadline = clock.MonotonicNow() + options.timeout;
  std::mutex mutex;
  std::condition_variable never;
  while (true) {
    Progress progress = Look(name, options);
    const absl::Duration now = clock.MonotonicNow();
    if (progress.missing.empty() || now >= deadline) return progress;
    std::unique_lock lock(mutex);
    clock.WaitUntil(lock, never, std::min(now + kLookEvery, deadline), [] { return false; });
  }
}

}  // namespace

int RunWait(std::string_view name, std::span<const char* const> arguments) {
  WaitOptions options;
  FlagSet flags(std::string(name),
                "Waits until an Ingress, as it is now, is in effect at every data plane that is "
                "connected to a controller. Says "
                "which part of it is rejected, if one is.");
  DeclareFlags(options, flags);
  std::vector<const char*> argv = {"wait"};
  for (const char* argument : arguments)
    argv.push_back(std::string_view(argument) == "-n" ? "--namespace" : argument);
  if (const std::optional<int> code =
          flags.ParseOrReport(static_cast<int>(argv.size()), argv.data()))
    return *code;
  if (options.names.size() != 1) return flags.ReportError("give one ingress/NAME");
  const std::string& given = options.names.front();
  const size_t slash = given.find('/');
  const std::string kind = slash == std::string::npos ? "ingress" : given.substr(0, slash);
  const std::string ingress = slash == std::string::npos ? given : given.substr(slash + 1);
  if ((kind != "ingress" && kind != "ingresses" && kind != "ing") ||
      !translate::IsDnsName(ingress)) {
    return flags.ReportError(StrCat("\"", given, "\" is not ingress/NAME"));
  }
  if (!options.ns.empty() && !translate::IsDnsName(options.ns))
    return flags.ReportError("--namespace is not a name");
  if (options.controllers.empty()) options.controllers.push_back({"127.0.0.1", 10255});
  if (options.resource_version.empty()) {
    if (const absl::Status asked = AskApiServer(ingress, options); !asked.ok()) {
      return flags.ReportError(ToStd(asked.message()));
    }
  } else if (options.ns.empty()) {
    options.ns = "default";
  }
  Progress progress = AwaitProgress(ingress, options);
  RemoveRepeated(progress.rejected);
  const std::string text = Render(ingress, options, progress);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    return 2;
  return progress.missing.empty() && progress.rejected.empty() ? 0 : 1;
}

}  // namespace headgate::cli
