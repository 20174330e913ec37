#include "controller/cli/check_command.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/flags.h"
#include "common/strings.h"
#include "controller/cli/controller_flags.h"
#include "controller/cli/inputs.h"
#include "controller/cli/render.h"
#include "controller/cli/report.h"
#include "controller/translate/translate.h"

namespace headgate::cli {
namespace {

struct CheckOptions {
  InputOptions input;
  ControllerFlags controller;
  std::string output = "table";
  std::string colour = "auto";
  std::string fail_on = "differs";
};

void DeclareFlags(CheckOptions& options, FlagSet& flags) {
  flags.AddArguments(
      "PATH", &options.input.paths,
      "A file or folder of Kubernetes YAML or JSON, or - for standard input, as in: kubectl get "
      "ingress,service,secret,configmap -A -o yaml | headgate check -");
  flags.Group("What is checked");
  flags.AddString("kubeconfig", &options.input.kubeconfig, "FILE",
                  "Read from the API server that this kubeconfig names, instead of PATH.");
  flags.AddString("kube-context", &options.input.kube_context, "NAME",
                  "Context of the kubeconfig, if not its current one.");
  flags.AddString(
      "ingress-class", &options.input.ingress_class, "NAME",
      "Only Ingresses of this class, such as nginx. Empty: all, as if one controller served them.");
  flags.AddString("namespace", &options.input.ns, "NS",
                  "Only Ingresses of this namespace. Empty: all.");
  DeclareControllerFlags(options.controller, flags);
  flags.Group("The report");
  flags.AddChoice("output", &options.output, {"table", "json", "markdown", "html"}, "Its form.");
  flags.AddChoice("color", &options.colour, {"auto", "always", "never"},
                  "Colours in the table. auto: on a terminal, unless NO_COLOR is set.");
  flags.AddChoice("fail-on", &options.fail_on, {"refused", "differs", "problem", "never"},
                  "Exit with 1 if any Ingress is that bad or worse: refused; differs from what it "
                  "does now; has a "
                  "problem, whoever serves it.");
}

bool WantsColour(const std::string& choice) {
  if (choice != "auto") return choice == "always";
  const char* no_colour = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) != 0 && (no_colour == nullptr || *no_colour == '\0');
}

std::string Render(const CheckOptions& options, const Report& report) {
  if (options.output == "json") return RenderJson(report);
  if (options.output == "markdown") return RenderMarkdown(report);
  if (options.output == "html") return RenderHtml(report);
  return RenderTable(report, WantsColour(options.colour));
}

// No endpoint of a cluster has a loopback address: its API server takes none. Files that have one
// are for a controller that reads them on this machine, which allows it.
void PassOverLoopback(translate::Translation& translation) {
  std::erase_if(translation.diagnostics, [](const translate::Diagnostic& diagnostic) {
    return diagnostic.kind == kube::Kind::kEndpointSlice &&
           diagnostic.reason == translate::Reason::kInvalidBackend;
  });
}

bool Fails(const std::string& fail_on, Verdict worst) {
  for (const Verdict verdict : {Verdict::kProblem, Verdict::kDiffers, Verdict::kRefused}) {
    if (VerdictName(verdict) == fail_on) return worst >= verdict;
  }
  return false;
}

}  // namespace

int RunCheck(std::string_view name, std::span<const char* const> arguments) {
  CheckOptions options;
  FlagSet flags(std::string(name),
                "Says of Ingresses what Headgate will do as ingress-nginx does, what otherwise, "
                "and what it refuses.");
  DeclareFlags(options, flags);
  std::vector<const char*> argv = {"check"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  if (const std::optional<int> code =
          flags.ParseOrReport(static_cast<int>(argv.size()), argv.data()))
    return *code;
  if (options.input.paths.empty() == options.input.kubeconfig.empty()) {
    return flags.ReportError(options.input.paths.empty()
                                 ? "give a PATH, - or --kubeconfig"
                                 : "PATH and --kubeconfig exclude each other");
  }
  const absl::StatusOr<translate::Options> translation_options =
      ToTranslateOptions(options.controller);
  if (!translation_options.ok())
    return flags.ReportError(ToStd(translation_options.status().message()));

  Inputs inputs;
  if (!options.input.kubeconfig.empty())
    std::fputs(StrCat(name, ": reading from the API server\n").c_str(), stderr);
  if (const absl::Status read = ReadInputs(options.input, inputs); !read.ok()) {
    return flags.ReportError(ToStd(read.message()));
  }
  translate::Translation translation =
      translate::Translate(inputs.state, {}, *translation_options, SystemClock().WallNow());
  if (!options.input.paths.empty()) PassOverLoopback(translation);
  const Report report = MakeReport(inputs, translation);
  const std::string text = Render(options, report);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    return 2;
  return Fails(options.fail_on, report.worst) ? 1 : 0;
}

}  // namespace headgate::cli
