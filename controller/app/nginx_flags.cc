#include "controller/app/nginx_flags.h"

#include <string_view>

#include "common/strings.h"

namespace headgate::app {
namespace {

struct NginxFlag {
  std::string_view name;
  bool takes_value;
  std::string_view why;
};

constexpr std::string_view kDataPlane =
    "data planes have flags of their own for what they listen on";
constexpr std::string_view kAdmin = "see --admin-listen";
constexpr std::string_view kNoNginx =
    "there is no nginx whose process or configuration it could concern";
constexpr std::string_view kNoReload = "there are no reloads that it could slow down";
constexpr std::string_view kTyped = "nothing that an Ingress says becomes text of a configuration";
constexpr std::string_view kNoSeries = "series are those of Headgate; they cannot be chosen yet";

constexpr NginxFlag kFlags[] = {
    {"apiserver-host", true,
     "the API server is that of --kubeconfig, or of the cluster the program runs in"},
    {"bucket-factor", true, kNoSeries},
    {"certificate-authority", true,
     "the authority is that of --kubeconfig, or of the cluster the program runs in"},
    {"deep-inspect", false, kTyped},
    {"default-server-port", true, kNoNginx},
    {"disable-full-test", false, kNoNginx},
    {"dynamic-configuration-retries", true, kNoNginx},
    {"enable-annotation-validation", false, "annotations are always checked"},
    {"enable-metrics", false, "metrics are always there"},
    {"enable-ssl-chain-completion", false, "certificates are served as they are in their Secrets"},
    {"enable-topology-aware-routing", false, "endpoints of all zones are used"},
    {"exclude-socket-metrics", true, kNoSeries},
    {"health-check-path", true, kAdmin},
    {"health-check-timeout", true, kAdmin},
    {"healthz-host", true, kAdmin},
    {"healthz-port", true, kAdmin},
    {"http-port", true, kDataPlane},
    {"https-port", true, kDataPlane},
    {"internal-logger-address", true, kNoNginx},
    {"length-buckets", true, kNoSeries},
    {"max-buckets", true, kNoSeries},
    {"maxmind-edition-ids", true, "addresses are not looked up"},
    {"maxmind-license-key", true, "addresses are not looked up"},
    {"maxmind-mirror", true, "addresses are not looked up"},
    {"maxmind-retries-count", true, "addresses are not looked up"},
    {"maxmind-retries-timeout", true, "addresses are not looked up"},
    {"metrics-per-host", false, kNoSeries},
    {"metrics-per-undefined-host", false, kNoSeries},
    {"monitor-max-batch-size", true, kNoSeries},
    {"post-shutdown-grace-period", true, "data planes have --drain-timeout"},
    {"profiler-address", true, "there is no profiler to be switched on"},
    {"profiler-port", true, "there is no profiler to be switched on"},
    {"profiling", false, "there is no profiler to be switched on"},
    {"report-status-classes", false, kNoSeries},
    {"shutdown-grace-period", true, "data planes have --drain-timeout"},
    {"size-buckets", true, kNoSeries},
    {"ssl-passthrough-proxy-port", true,
     "connections are passed on from the HTTPS listener itself"},
    {"status-port", true, kNoNginx},
    {"stream-port", true, kNoNginx},
    {"sync-period", true, "objects are watched, and listed again when a watch cannot go on"},
    {"sync-rate-limit", true, kNoReload},
    {"time-buckets", true, kNoSeries},
    {"v", true, "see --log-level"},
    {"watch-namespace-selector", true, "namespaces are chosen by --watch-namespace"},
};

}  // namespace

void DeclareNginxFlags(FlagSet& flags) {
  flags.Group("Coming from ingress-nginx",
              "Every other flag of ingress-nginx's controller is taken too, and a warning says why "
              "it has no effect "
              "here.");
  for (const NginxFlag& flag : kFlags) {
    flags.AddIgnored(std::string(flag.name), flag.takes_value ? "VALUE" : "");
  }
}

std::vector<std::string> NginxFlagWarnings(const FlagSet& flags) {
  std::vector<std::string> warnings;
  for (const NginxFlag& flag : kFlags) {
    if (flags.WasGiven(flag.name))
      warnings.push_back(StrCat("--", flag.name, " has no effect: ", flag.why));
  }
  return warnings;
}

}  // namespace headgate::app
