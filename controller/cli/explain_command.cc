#include "controller/cli/explain_command.h"

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "common/clock.h"
#include "common/flags.h"
#include "common/host_port.h"
#include "common/strings.h"
#include "controller/cli/admin_page.h"
#include "controller/cli/controller_flags.h"
#include "controller/cli/data_plane.h"
#include "controller/cli/explanation.h"
#include "controller/cli/inputs.h"
#include "controller/cli/route_choice.h"

namespace headgate::cli {
namespace {

struct ExplainOptions {
  InputOptions input;
  ControllerFlags controller;
  std::vector<std::string> urls;
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> fields;
  std::optional<HostPort> admin;
  absl::Duration timeout = absl::Seconds(10);
  std::string output = "text";
};

void DeclareFlags(ExplainOptions& options, FlagSet& flags) {
  flags.AddArguments("URL", &options.urls,
                     "What is asked for, such as https://shop.example/cart?x=1");
  flags.Group("The request");
  flags.AddCustom("header", "'NAME: VALUE'", "A field of it, also as -H. May be repeated.", "",
                  [&options](std::string_view text) {
                    const size_t colon = text.find(':');
                    if (colon == std::string_view::npos || colon == 0) {
                      return absl::InvalidArgumentError("is not 'NAME: VALUE'");
                    }
                    const absl::string_view value =
                        absl::StripAsciiWhitespace(ToAbsl(text.substr(colon + 1)));
                    options.fields.emplace_back(text.substr(0, colon), value);
                    return absl::OkStatus();
                  });
  flags.AddString("method", &options.method, "METHOD", "Its method.");
  flags.Group("Where objects come from");
  flags.AddCustom(
      "file", "PATH",
      "A file or folder of Kubernetes YAML or JSON, or - for standard input, also as -f. May be "
      "repeated.",
      "", [&options](std::string_view text) {
        options.input.paths.emplace_back(text);
        return absl::OkStatus();
      });
  flags.AddString("kubeconfig", &options.input.kubeconfig, "FILE",
                  "Read from the API server that this kubeconfig names, instead of files.");
  flags.AddString("kube-context", &options.input.kube_context, "NAME",
                  "Context of the kubeconfig, if not its current one.");
  flags.AddString("ingress-class", &options.input.ingress_class, "NAME",
                  "Only Ingresses of this class. Empty: all, as if one controller served them.");
  flags.AddHostPort("admin", &options.admin,
                    "The admin port of a running data plane: what it serves, and which endpoints "
                    "are unhealthy. Alone, or beside "
                    "files or an API server, which say why.");
  DeclareControllerFlags(options.controller, flags);
  flags.Group("The explanation");
  flags.AddChoice("output", &options.output, {"text", "json"}, "Its form.");
}

// With curl's and kubectl's short names written out.
std::vector<const char*> LongNames(std::span<const char* const> arguments) {
  std::vector<const char*> out = {"explain"};
  for (const char* argument : arguments) {
    const std::string_view text = argument;
    out.push_back(text == "-H" ? "--header" : text == "-f" ? "--file" : argument);
  }
  return out;
}

int Print(const ExplainOptions& options, const Explanation& explanation) {
  const std::string text = options.output == "json" ? RenderExplanationJson(explanation)
                                                    : RenderExplanation(explanation);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    return 2;
  return explanation.match.empty() ? 1 : 0;
}

}  // namespace

int RunExplain(std::string_view name, std::span<const char* const> arguments) {
  ExplainOptions options;
  FlagSet flags(std::string(name),
                "Says which Ingress, rule and annotations decide how a request is answered, where "
                "each setting comes from, and "
                "what was passed over.");
  DeclareFlags(options, flags);
  const std::vector<const char*> argv = LongNames(arguments);
  if (const std::optional<int> code =
          flags.ParseOrReport(static_cast<int>(argv.size()), argv.data()))
    return *code;
  if (options.urls.size() != 1) return flags.ReportError("give one URL");
  const bool files = !options.input.paths.empty(), cluster = !options.input.kubeconfig.empty();
  if (!files && !cluster && !options.admin)
    return flags.ReportError("give --file, --kubeconfig or --admin");
  if (files && cluster) return flags.ReportError("--file and --kubeconfig exclude each other");
  absl::StatusOr<Request> request = ParseRequestUrl(options.urls.front());
  if (!request.ok()) return flags.ReportError(ToStd(request.status().message()));
  request->method = options.method;
  request->fields = options.fields;
  absl::StatusOr<translate::Options> translation_options = ToTranslateOptions(options.controller);
  if (!translation_options.ok())
    return flags.ReportError(ToStd(translation_options.status().message()));

  std::optional<DataPlaneView> view;
  if (options.admin) {
    const absl::StatusOr<std::string> page = FetchPage(*options.admin, "/config", options.timeout);
    if (!page.ok()) return flags.ReportError(ToStd(page.status().message()));
    absl::StatusOr<DataPlaneView> read = ReadConfigPage(*page);
    if (!read.ok()) return flags.ReportError(ToStd(read.status().message()));
    view = *std::move(read);
  }
  if (!files && !cluster) return Print(options, ExplainDataPlane(*view, *request));
  // As a controller that reads files: what runs beside it on this machine is meant.
  translation_options->allow_loopback_endpoints = files;
  Inputs inputs;
  if (const absl::Status read = ReadInputs(options.input, inputs); !read.ok()) {
    return flags.ReportError(ToStd(read.message()));
  }
  for (const kube::ManifestProblem& problem : inputs.problems) {
    std::fputs(StrCat(name, ": ", problem.ToString(), "\n").c_str(), stderr);
  }
  Explanation explanation =
      Explain(inputs, *translation_options, *request, SystemClock().WallNow());
  if (view) AddDataPlane(*view, *request, explanation);
  return Print(options, explanation);
}

}  // namespace headgate::cli
