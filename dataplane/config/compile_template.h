#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "dataplane/policy/text_template.h"
#include "proto/headgate/v1/upstream.pb.h"

namespace headgate::config {

// `field`: the path of the template in its resource.
absl::StatusOr<policy::TextTemplate> CompileTemplate(std::string_view field,
                                                     const v1::TextTemplate& in);

}  // namespace headgate::config
