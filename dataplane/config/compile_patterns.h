#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/policy/text_pattern.h"
#include "google/protobuf/repeated_field.h"
#include "proto/headgate/v1/access.pb.h"

namespace headgate::config {

// `field`: the path of the patterns in their resource.
absl::StatusOr<std::vector<policy::TextPattern>> CompilePatterns(
    const std::string& field, const google::protobuf::RepeatedPtrField<v1::TextPattern>& in);

}  // namespace headgate::config
