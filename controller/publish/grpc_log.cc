#include "controller/publish/grpc_log.h"

#include <grpc/support/log.h>

#include "common/log.h"

namespace headgate::publish {
namespace {

void WriteLine(gpr_log_func_args* args) {
  HEADGATE_LOG(kDebug, "grpc", args->message, {"file", args->file}, {"line", args->line});
}

}  // namespace

void RouteGrpcLog() { gpr_set_log_function(WriteLine); }

}  // namespace headgate::publish
