// headgate: what can be known without serving anything.
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

namespace headgate {
namespace {

constexpr std::string_view kHelp =
    "headgate: Tools for people who run, or want to run, Headgate.\n"
    "\n"
    "  headgate check PATH...    what Headgate will do with Ingresses, before it does\n"
    "  headgate explain URL      which Ingress answers a request, and why it is that one\n"
    "\n"
    "headgate COMMAND --help explains a command.\n"
    "\n"
    "Always\n"
    "  --help\n"
    "      Prints this text.\n"
    "  --version\n"
    "      Prints the version.\n";

int Main(std::span<const char* const> arguments) {
  LogOptions log;
  log.level = LogLevel::kError;  // what there is to say is in the report
  ConfigureLogging(log);
  const std::string_view command = arguments.size() > 1 ? arguments[1] : "";
  if (command == "check") return cli::RunCheck(arguments.subspan(2));
  if (command == "explain") return cli::RunExplain(arguments.subspan(2));
  if (command == "--help" || command == "-h" || command == "help") {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return 0;
  }
  if (command == "--version") {
    std::printf("headgate %s\n", std::string(BuildVersion()).c_str());
    return 0;
  }
  const std::string problem = command.empty() ? "headgate: give a command (see --help)\n"
                                              : StrCat("headgate: unknown command ", command, " (see --help)\n");
  std::fputs(problem.c_str(), stderr);
  return 2;
}

}  // namespace
}  // namespace headgate

int main(int argc, char** argv) { return headgate::Main({argv, static_cast<size_t>(argc)}); }
