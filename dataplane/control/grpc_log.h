#pragma once

namespace headgate::control {

// Makes gRPC's own messages lines of our log, at level debug: what matters of them comes back to us
// as a status. Once, by main.
void RouteGrpcLog();

}  // namespace headgate::control
