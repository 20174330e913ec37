// headgate: what can be known without serving anything, and of programs that serve.
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "common/flags.h"
#include "common/log.h"
#include "common/strings.h"
#include "controller/cli/check_command.h"
#include "controller/cli/explain_command.h"
#include "controller/cli/live_commands.h"
#include "controller/cli/wait_command.h"

namespace headgate {
namespace {

using Run = int (*)(std::string_view name, std::span<const char* const> arguments);

struct Command {
  std::string_view name;
  std::string_view usage;
  std::string_view help;
  Run run;
};

constexpr Command kCommands[] = {
    {"check", "check PATH...", "what Headgate will do with Ingresses, before it does",
     cli::RunCheck},
    {"explain", "explain URL", "which Ingress answers a request, and why it is that one",
     cli::RunExplain},
    {"routes", "routes",
     "hosts and paths that a data plane serves, and the Ingresses they are from", cli::RunRoutes},
    {"backends", "backends", "where a data plane sends requests: endpoints and their health",
     cli::RunBackends},
    {"certs", "certs",
     "which certificate a data plane shows for a host, and until when it is valid",
     cli::RunCertificates},
    {"wait", "wait ingress/NAME", "until an Ingress, as it is now, is in effect at all data planes",
     cli::RunWait},
};

// As it is typed: kubectl finds kubectl-headgate as its command "headgate".
std::string_view ProgramName(std::string_view path) {
  const std::string_view file = path.substr(path.rfind('/') + 1);
  return file == "kubectl-headgate" ? "kubectl headgate" : "headgate";
}

std::string HelpText(std::string_view program) {
  std::string out = StrCat(program, ": Tools for people who run, or want to run, Headgate.\n\n");
  for (const Command& command : kCommands) {
    StrAppend(&out, "  ", program, " ", command.usage, std::string(20 - command.usage.size(), ' '),
              command.help, "\n");
  }
  StrAppend(&out, "\n", program,
            " COMMAND --help explains a command.\n\n"
            "Always\n"
            "  --help\n"
            "      Prints this text.\n"
            "  --version\n"
            "      Prints the version.\n");
  return out;
}

int Main(std::span<const char* const> arguments) {
  LogOptions log;
  log.level = LogLevel::kError;  // what there is to say is in the report
  ConfigureLogging(log);
  const std::string_view program = ProgramName(arguments.empty() ? "" : arguments[0]);
  const std::string_view name = arguments.size() > 1 ? arguments[1] : "";
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(StrCat(program, " ", name), arguments.subspan(2));
  }
  if (name == "--help" || name == "-h" || name == "help") {
    std::fputs(HelpText(program).c_str(), stdout);
    return 0;
  }
  if (name == "--version") {
    std::printf("headgate %s\n", std::string(BuildVersion()).c_str());
    return 0;
  }
  const std::string problem = name.empty()
                                  ? StrCat(program, ": give a command (see --help)\n")
                                  : StrCat(program, ": unknown command ", name, " (see --help)\n");
  std::fputs(problem.c_str(), stderr);
  return 2;
}

}  // namespace
}  // namespace headgate

int main(int argc, char** argv) { return headgate::Main({argv, static_cast<size_t>(argc)}); }
