#include "dataplane/base/failure.h"

namespace headgate::base {

std::string_view FailureName(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::kNone: return "";
    case Failure::Kind::kClosed: return "closed";
    case Failure::Kind::kReset: return "reset";
    case Failure::Kind::kProtocol: return "protocol";
    case Failure::Kind::kTimeout: return "timeout";
    case Failure::Kind::kTlsHandshake: return "tls_handshake";
    case Failure::Kind::kHeadTimeout: return "head_timeout";
    case Failure::Kind::kHeadTooLarge: return "head_too_large";
    case Failure::Kind::kTargetTooLong: return "target_too_long";
    case Failure::Kind::kBodyTooLarge: return "body_too_large";
    case Failure::Kind::kConnectRefused: return "connect_refused";
    case Failure::Kind::kConnectTimeout: return "connect_timeout";
    case Failure::Kind::kNoEndpoint: return "no_endpoint";
    case Failure::Kind::kOverloaded: return "overloaded";
    case Failure::Kind::kUpstreamLimit: return "upstream_limit";
    case Failure::Kind::kDraining: return "draining";
  }
  return "";
}

}  // namespace headgate::base
