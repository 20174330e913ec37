// headgate-controller: reads Ingresses and what they refer to, and tells data planes what to serve.
#include <memory>
#include <optional>

#include "common/flags.h"
#include "common/log.h"
#include "common/shutdown.h"
#include "controller/app/app.h"
#include "controller/app/nginx_flags.h"
#include "controller/app/options.h"
#include "controller/publish/grpc_log.h"

namespace headgate {
namespace {

// For what the operator cannot put right by another command line.
constexpr int kExitFailure = 1;

bool IsUsageError(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ||
         absl::IsFailedPrecondition(status) || absl::IsPermissionDenied(status) ||
         absl::IsOutOfRange(status);
}

int Main(int argc, char** argv) {
  app::Options options;
  FlagSet flags("headgate-controller",
                "Turns Kubernetes Ingresses into configuration for headgate-dataplane.");
  app::DeclareFlags(options, flags);
  app::DeclareNginxFlags(flags);
  if (const std::optional<int> code = flags.ParseOrReport(argc, argv)) return *code;
  if (const absl::Status checked = app::CheckOptions(options); !checked.ok()) {
    return flags.ReportError(std::string(checked.message()));
  }
  LogOptions log;
  ParseLogLevel(options.log_level, &log.level);
  ParseLogFormat(options.log_format, &log.format);
  ConfigureLogging(log);
  publish::RouteGrpcLog();
  for (const std::string& warning : app::NginxFlagWarnings(flags))
    HEADGATE_LOG(kWarn, "app", warning);

  Shutdown shutdown;  // before any thread
  absl::StatusOr<std::unique_ptr<app::App>> running = app::App::Start(options);
  if (!running.ok()) {
    const int code = flags.ReportError(std::string(running.status().message()));
    return IsUsageError(running.status()) ? code : kExitFailure;
  }
  HEADGATE_LOG(kInfo, "app", "controller started", {"version", BuildVersion()},
               {"snapshot_port", (*running)->snapshot_port()},
               {"admin_port", (*running)->admin_port()});
  shutdown.Wait();
  HEADGATE_LOG(kInfo, "app", "controller stops");
  return 0;
}

}  // namespace
}  // namespace headgate

int main(int argc, char** argv) { return headgate::Main(argc, argv); }
