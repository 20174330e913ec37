#include <cstdio>

#include "common/log.h"
#include "common/shutdown.h"
#include "dataplane/app/app.h"
#include "dataplane/app/options.h"
#include "dataplane/control/grpc_log.h"

int main(int argc, char** argv) {
  headgate::app::Options options;
  if (const auto code = headgate::app::ReadOptions(argc, argv, &options)) return *code;
  headgate::Shutdown shutdown;  // before any thread
  headgate::ConfigureLogging(options.log);
  headgate::control::RouteGrpcLog();
  auto app = headgate::app::App::Create(std::move(options));
  if (!app.ok()) {
    std::fprintf(stderr, "headgate-dataplane: %s\n", std::string(app.status().message()).c_str());
    return 2;
  }
  return (*app)->Run(shutdown);
}
