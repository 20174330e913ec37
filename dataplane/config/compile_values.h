#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/strings.h"
#include "dataplane/config/compiled_config.h"
#include "dataplane/policy/address_set.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/repeated_field.h"

// Checks that the compile steps share. Every error reads "field: what is wrong with it", with the
// field's path inside its resource ("routes[3].match.regex_path").
namespace headgate::config {

absl::Status FieldError(std::string_view field, std::string_view problem);

enum class ZeroDuration { kAllowed, kRefused };

// Longest duration taken, 24 days: what fits 31 bits of milliseconds.
inline constexpr int64_t kMaxDurationSeconds = 2'073'600;

// Rounded up to whole milliseconds.
absl::StatusOr<Duration> CompileDuration(std::string_view field,
                                         const google::protobuf::Duration& duration,
                                         ZeroDuration zero);

absl::Status CheckRange(std::string_view field, uint64_t value, uint64_t low, uint64_t high);

// No control characters: text that goes into a header field or is matched against a path.
absl::Status CheckPrintable(std::string_view field, std::string_view text);

// An HTTP token (RFC 9110 section 5.6.2): methods and field names.
absl::Status CheckToken(std::string_view field, std::string_view text);

// A reference to another resource: not empty, and of the kind that `prefix` ("cluster/") says.
absl::Status CheckReference(std::string_view field, std::string_view name, std::string_view prefix);

// CIDRs and bare addresses.
absl::StatusOr<std::vector<base::Cidr>> CompileCidrs(
    std::string_view field, const google::protobuf::RepeatedPtrField<std::string>& in);
absl::StatusOr<policy::AddressSet> CompileAddresses(
    std::string_view field, const google::protobuf::RepeatedPtrField<std::string>& in);

// The rest of `name` after `prefix`, or empty when it does not start with it.
std::string_view AfterPrefix(std::string_view name, std::string_view prefix);

}  // namespace headgate::config

// Returns from the enclosing function when the status is not ok.
#define HEADGATE_RETURN_IF_ERROR(expression)                                \
  do {                                                                      \
    if (absl::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

// Assigns the value of a StatusOr, or returns its status.
#define HEADGATE_ASSIGN_OR_RETURN(target, expression)      \
  do {                                                     \
    auto result_ = (expression);                           \
    if (!result_.ok()) return std::move(result_).status(); \
    target = std::move(result_).value();                   \
  } while (false)
