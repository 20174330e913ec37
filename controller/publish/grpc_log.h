#pragma once

namespace headgate::publish {

// Makes gRPC's own messages lines of our log, at level debug: what matters of them comes back to us
// as a status. Once, by main.
void RouteGrpcLog();

}  // namespace headgate::publish
