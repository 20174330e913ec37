#include "dataplane/app/options.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/flags.h"

namespace headgate::app {
namespace {

// The pod's, in a cluster.
std::string HostName() {
  char host[256] = "dataplane";
  gethostname(host, sizeof(host) - 1);
  return host;
}

// Unique per process start, and readable.
std::string DefaultInstance() {
  std::random_device random;
  return absl::StrFormat("%s/%08x", HostName(), random());
}

absl::Status ReadAddresses(const std::vector<std::string>& texts, const char* flag,
                           std::vector<base::Address>* addresses) {
  for (const std::string& text : texts) {
    const auto address = base::Address::ParseHostPort(text);
    if (!address) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, ": \"", text,
                       "\" is not an IP address and port, such as 0.0.0.0:80, [::]:80 or :80"));
    }
    addresses->push_back(*address);
  }
  return absl::OkStatus();
}

absl::Status CheckReadable(const std::string& path, const char* flag) {
  if (access(path.c_str(), R_OK) == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("--", flag, ": cannot read ", path));
}

// A name that can stand in an annotation and in front of a path.
absl::Status ReadStaticRoot(std::string_view text, Options* options) {
  const size_t equals = text.find('=');
  const std::string name(text.substr(0, equals));
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (!plain || equals == std::string_view::npos || equals + 1 == text.size()) {
    return absl::InvalidArgumentError("is not NAME=DIR, with a name of letters, digits and - _ .");
  }
  for (const auto& [known, directory] : options->static_roots) {
    if (known == name) return absl::InvalidArgumentError(absl::StrCat("names ", name, " twice"));
  }
  options->static_roots.emplace_back(name, text.substr(equals + 1));
  return absl::OkStatus();
}

}  // namespace

std::optional<int> ReadOptions(int argc, const char* const* argv, Options* options) {
  std::optional<HostPort> controller;
  bool insecure = false;
  control::TlsPaths tls;
  std::vector<std::string> http_listen = {":80"};
  std::vector<std::string> https_listen = {":443"};
  std::string admin_listen = ":10254";
  int64_t workers = 0;
  int64_t max_connections = 0;
  int64_t spill_limit_mb = 1024;
  bool nginx_metrics = true;
  std::string log_level = "info";
  std::string log_format = "text";
  options->access_log = "-";
  options->drain_delay = absl::Seconds(0);
  options->drain_timeout = absl::Seconds(240);
  options->controller.instance = DefaultInstance();

  FlagSet flags("headgate-dataplane",
                "Proxies HTTP and HTTPS traffic as headgate-controller tells it. Holds no "
                "Kubernetes credentials: all it "
                "knows comes over one connection that it makes itself, and the last good state is "
                "kept on disk.");
  flags.Group("Controller", "Where the configuration comes from.");
  flags.AddHostPort("controller", &controller, "Address of headgate-controller's snapshot server.");
  flags.AddBool("controller-insecure", &insecure,
                "Speak to the controller without TLS. For loopback and tests.");
  flags.AddString(
      "controller-ca", &tls.controller_ca, "FILE",
      "CA certificates (PEM) that may vouch for the controller. Re-read when it changes.");
  flags.AddString("controller-cert", &tls.certificate, "FILE",
                  "Our certificate chain (PEM) towards the controller. Re-read when it changes.");
  flags.AddString("controller-key", &tls.key, "FILE", "The key of --controller-cert (PEM).");
  flags.AddString(
      "controller-server-name", &options->controller.server_name, "NAME",
      "Name that the controller's certificate must bear, if not the host of --controller.");
  flags.AddString("state-dir", &options->state_dir, "DIR",
                  "Keep the last good configuration here and start from it when the controller is "
                  "away. Holds private "
                  "keys: it is made with mode 0700. Empty: nothing survives a restart.");
  flags.AddString("instance", &options->controller.instance, "NAME",
                  "How the controller shows this data plane.");

  flags.Group("Listening",
              "Where clients connect. Nothing is accepted before there is a configuration.");
  flags.AddList("http-listen", &http_listen, "ADDR:PORT",
                "Plain HTTP. May be given several times; \"off\" for none.");
  flags.AddList("https-listen", &https_listen, "ADDR:PORT",
                "HTTPS. May be given several times; \"off\" for none.");
  flags.AddString("admin-listen", &admin_listen, "ADDR:PORT",
                  "/metrics, /healthz, /readyz and /config. Not for the internet.");

  flags.AddBool("nginx-metrics", &nginx_metrics,
                "Show in /metrics what ingress-nginx shows too, under its names, for dashboards "
                "and alerts made for it. "
                "The label controller_pod is the host's name, controller_namespace the "
                "environment's POD_NAMESPACE.");

  flags.Group("Resources");
  flags.AddInt("workers", &workers, 0, 1024,
               "Worker threads, each with its own event loop. 0: one per core, a CPU limit of the "
               "container respected.");
  flags.AddInt("max-connections", &max_connections, 0, 10'000'000,
               "Client connections of the whole process; more are closed at once. 0: half of the "
               "descriptor limit.");
  flags.AddString("spill-dir", &options->spill_dir, "DIR",
                  "Where held request and response bodies go that do not fit in memory, as files "
                  "without a name. Default: "
                  "--state-dir, or /tmp without that.");
  flags.AddCustom("static-root", "NAME=DIR",
                  "Directory whose files Ingresses may serve with the annotation "
                  "headgate.dev/static-root: NAME. May be "
                  "repeated. Nothing outside these directories is ever served.",
                  "", [options](std::string_view text) { return ReadStaticRoot(text, options); });
  flags.AddInt("spill-limit", &spill_limit_mb, 0, 1 << 20,
               "MiB that these files may take together. A request body that finds no room is "
               "passed on as it comes. 0: "
               "none.");
  flags.AddBool("allow-local-dns", &options->allow_local_dns,
                "Let ExternalName services lead to loopback and link-local addresses.");

  flags.Group("Logging");
  flags.AddString("access-log", &options->access_log, "PATH|-|off",
                  "Where the access log goes; - is standard output. SIGUSR1 reopens the file.");
  flags.AddChoice("log-level", &log_level, {"debug", "info", "warn", "error", "off"},
                  "Our own log, on standard error.");
  flags.AddChoice("log-format", &log_format, {"text", "json"}, "Form of our own log.");

  flags.Group("Shutdown",
              "On SIGTERM /readyz turns false, then accepting stops, then exchanges finish. A "
              "second SIGTERM ends at once.");
  flags.AddDuration("drain-delay", &options->drain_delay,
                    "Keep accepting for this long, until load balancers have noticed.");
  flags.AddDuration("drain-timeout", &options->drain_timeout,
                    "Cut exchanges that have not finished after this long.");

  if (const auto code = flags.ParseOrReport(argc, argv)) return code;

  const auto report = [&](const absl::Status& status) {
    return flags.ReportError(std::string(status.message().data(), status.message().size()));
  };
  if (nginx_metrics) {
    const char* ns = std::getenv("POD_NAMESPACE");
    options->nginx_metrics.emplace();
    options->nginx_metrics->controller_namespace = ns == nullptr ? "" : ns;
    options->nginx_metrics->controller_pod = HostName();
  }
  const auto drop_off = [](std::vector<std::string>* texts) {
    if (texts->size() == 1 && texts->front() == "off") texts->clear();
  };
  drop_off(&http_listen);
  drop_off(&https_listen);
  if (auto s = ReadAddresses(http_listen, "http-listen", &options->http_listen); !s.ok())
    return report(s);
  if (auto s = ReadAddresses(https_listen, "https-listen", &options->https_listen); !s.ok())
    return report(s);
  std::vector<base::Address> admin;
  if (auto s = ReadAddresses({admin_listen}, "admin-listen", &admin); !s.ok()) return report(s);
  options->admin_listen = admin.front();

  if (!controller) return flags.ReportError("--controller=ADDR:PORT is needed");
  options->controller.controller = *controller;
  const bool any_tls = !tls.controller_ca.empty() || !tls.certificate.empty() || !tls.key.empty();
  const bool all_tls = !tls.controller_ca.empty() && !tls.certificate.empty() && !tls.key.empty();
  if (insecure && any_tls)
    return flags.ReportError("--controller-insecure excludes the --controller-* files");
  if (!insecure && !all_tls) {
    return flags.ReportError(
        "--controller needs --controller-ca, --controller-cert and --controller-key, or "
        "--controller-insecure");
  }
  if (!insecure) {
    for (const auto& [path, flag] :
         {std::pair{tls.controller_ca, "controller-ca"},
          std::pair{tls.certificate, "controller-cert"}, std::pair{tls.key, "controller-key"}}) {
      if (auto s = CheckReadable(path, flag); !s.ok()) return report(s);
    }
    options->controller.tls = tls;
  }
  options->workers = static_cast<int>(workers);
  if (options->spill_dir.empty()) {
    options->spill_dir = options->state_dir.empty() ? "/tmp" : options->state_dir;
  }
  options->spill_limit = static_cast<uint64_t>(spill_limit_mb) << 20;
  options->max_connections = static_cast<size_t>(max_connections);
  options->controller.build_version = std::string(BuildVersion());
  ParseLogLevel(log_level, &options->log.level);
  ParseLogFormat(log_format, &options->log.format);
  return std::nullopt;
}

}  // namespace headgate::app
