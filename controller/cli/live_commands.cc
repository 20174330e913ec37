#include "controller/cli/live_commands.h"

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/clock.h"
#include "common/flags.h"
#include "common/host_port.h"
#include "common/strings.h"
#include "controller/cli/admin_page.h"
#include "controller/cli/live_view.h"
#include "controller/kube/json.h"

namespace headgate::cli {
namespace {

struct LiveOptions {
  std::optional<HostPort> admin = HostPort{"127.0.0.1", 10254};
  absl::Duration timeout = absl::Seconds(10);
  std::string ns;
  std::string host;
  std::string output = "table";
};

// Flags that the commands share; their own stand before.
void DeclareSource(LiveOptions& options, FlagSet& flags) {
  flags.Group("Where from");
  flags.AddHostPort("admin", &options.admin,
                    "The admin port of the data plane, which kubectl port-forward brings here: "
                    "kubectl -n headgate port-forward "
                    "POD 10254");
  flags.AddDuration("timeout", &options.timeout, "How long to wait for it.");
  flags.Group("The table");
  flags.AddChoice("output", &options.output, {"table", "json"}, "Its form.");
}

void DeclareNamespace(LiveOptions& options, FlagSet& flags, const char* of) {
  flags.AddString("namespace", &options.ns, "NS",
                  StrCat("Only ", of, " of this namespace, also as -n. Empty: all."));
}

void DeclareHost(LiveOptions& options, FlagSet& flags) {
  flags.AddString("host", &options.host, "NAME",
                  "Only this host; '*' is the one for all that have no rules. Empty: all.");
}

int RunTable(LiveOptions& options, FlagSet& flags, std::span<const char* const> arguments,
             const std::function<Table(const kube::Json& page)>& make) {
  DeclareSource(options, flags);
  std::vector<const char*> argv = {"headgate"};
  for (const char* argument : arguments)
    argv.push_back(std::string_view(argument) == "-n" ? "--namespace" : argument);
  if (const std::optional<int> code =
          flags.ParseOrReport(static_cast<int>(argv.size()), argv.data()))
    return *code;
  const absl::StatusOr<std::string> text = FetchPage(*options.admin, "/config", options.timeout);
  if (!text.ok()) return flags.ReportError(ToStd(text.status().message()));
  const kube::Json page = kube::Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!page.is_object()) {
    return flags.ReportError(StrCat(options.admin->ToString(), ": the page /config is not JSON"));
  }
  const Table table = make(page);
  const std::string out = options.output == "json" ? RenderJson(table) : RenderTable(table);
  if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size() || std::fflush(stdout) != 0)
    return 2;
  return table.rows.empty() ? 1 : 0;
}

}  // namespace

int RunRoutes(std::string_view name, std::span<const char* const> arguments) {
  LiveOptions options;
  FlagSet flags(std::string(name),
                "Lists the hosts and paths that a data plane serves now, where each leads, and the "
                "Ingress and path that it is "
                "from. explain says why a request takes one of them.");
  DeclareNamespace(options, flags, "Ingresses");
  DeclareHost(options, flags);
  return RunTable(options, flags, arguments, [&](const kube::Json& page) {
    return RouteTable(page, options.ns, options.host);
  });
}

int RunBackends(std::string_view name, std::span<const char* const> arguments) {
  LiveOptions options;
  FlagSet flags(std::string(name),
                "Lists the Services that a data plane sends requests to, as "
                "NAMESPACE/SERVICE/PORT, their endpoints and what its "
                "probes say of them. Endpoints that are not probed have no health.");
  DeclareNamespace(options, flags, "Services");
  return RunTable(options, flags, arguments,
                  [&](const kube::Json& page) { return BackendTable(page, options.ns); });
}

int RunCertificates(std::string_view name, std::span<const char* const> arguments) {
  LiveOptions options;
  FlagSet flags(std::string(name),
                "Lists the certificate that a data plane shows for each of its hosts: the Secret, "
                "the names it is for, and until "
                "when it is valid; and where the default stands in.");
  DeclareHost(options, flags);
  return RunTable(options, flags, arguments, [&](const kube::Json& page) {
    return CertificateTable(page, options.host, SystemClock().WallNow());
  });
}

}  // namespace headgate::cli
