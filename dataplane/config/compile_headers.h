#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/config/cluster_handle.h"
#include "dataplane/config/route_extras.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// `field`, here and below: the path of the message in its resource. Edits of fields that say where
// a message ends, or that concern a connection, are refused.
absl::Status CompileRequestHeaders(const std::string& field, const v1::RequestHeaders& in,
                                   policy::HeaderPolicy& out);
absl::Status CompileResponseHeaders(const std::string& field, const v1::ResponseHeaders& in,
                                    policy::HeaderPolicy& out);

// The extras of one host's routes, equal ones once.
class ExtrasCompiler {
 public:
  explicit ExtrasCompiler(ClusterRegistry& clusters) : clusters_(clusters) {}

  // Null: the route has none.
  absl::StatusOr<std::shared_ptr<const RouteExtras>> Compile(const std::string& field,
                                                             const v1::RoutePolicy& in);

 private:
  absl::StatusOr<RouteExtras> Make(const std::string& field, const v1::RoutePolicy& in);

  ClusterRegistry& clusters_;
  std::map<std::string, std::shared_ptr<const RouteExtras>, std::less<>>
      made_;  // by their text on the wire
};

}  // namespace headgate::config
