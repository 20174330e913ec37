#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "dataplane/config/retry_policy.h"
#include "dataplane/config/session_cookie.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// Errors name fields below `field`.
absl::StatusOr<RetryOverride> CompileNextUpstream(std::string_view field,
                                                  const v1::NextUpstream& in);
// Refuses what cannot stand in a Set-Cookie field.
absl::StatusOr<SessionCookie> CompileSessionCookie(std::string_view field,
                                                   const v1::SessionCookie& in);

}  // namespace headgate::config
