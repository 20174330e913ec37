#pragma once

#include <memory>
#include <string_view>

#include "dataplane/policy/basic_auth.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// Whether a SecretData of that name holds users and passwords: "secret/NS/NAME/users" or
// ".../user-map".
bool IsUserTable(std::string_view name);

// Whatever cannot be read in it lets nobody in. REQUIRES: IsUserTable(name).
std::shared_ptr<const policy::UserTable> CompileUserTable(std::string_view name,
                                                          const v1::SecretData& in);

}  // namespace headgate::config
