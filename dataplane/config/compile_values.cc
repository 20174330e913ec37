#include "dataplane/config/compile_values.h"

#include <algorithm>

namespace headgate::config {
namespace {

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool IsTokenChar(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

}  // namespace

absl::Status FieldError(std::string_view field, std::string_view problem) {
  return absl::InvalidArgumentError(StrCat(field, ": ", problem));
}

absl::StatusOr<Duration> CompileDuration(std::string_view field,
                                         const google::protobuf::Duration& duration,
                                         ZeroDuration zero) {
  const int64_t seconds = duration.seconds();
  const int64_t nanos = duration.nanos();
  if (nanos <= -1'000'000'000 || nanos >= 1'000'000'000)
    return FieldError(field, "nanos out of range");
  if (seconds < 0 || nanos < 0) return FieldError(field, "is negative");
  if (seconds > kMaxDurationSeconds) {
    return FieldError(field, StrCat("is longer than ", kMaxDurationSeconds, " s"));
  }
  if (seconds == 0 && nanos == 0 && zero == ZeroDuration::kRefused) {
    return FieldError(field, "must not be 0");
  }
  return Duration(seconds * 1000 + (nanos + 999'999) / 1'000'000);
}

absl::Status CheckRange(std::string_view field, uint64_t value, uint64_t low, uint64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return FieldError(field, StrCat(value, " is not between ", low, " and ", high));
}

absl::Status CheckPrintable(std::string_view field, std::string_view text) {
  if (std::any_of(text.begin(), text.end(), IsControl)) {
    return FieldError(field, "holds a control character");
  }
  return absl::OkStatus();
}

absl::Status CheckToken(std::string_view field, std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), IsTokenChar)) return absl::OkStatus();
  return FieldError(field, "is not an HTTP token");
}

absl::Status CheckReference(std::string_view field, std::string_view name,
                            std::string_view prefix) {
  if (!AfterPrefix(name, prefix).empty()) return absl::OkStatus();
  return FieldError(field, StrCat("\"", name, "\" does not name a resource \"", prefix, "...\""));
}

absl::StatusOr<std::vector<base::Cidr>> CompileCidrs(
    std::string_view field, const google::protobuf::RepeatedPtrField<std::string>& in) {
  std::vector<base::Cidr> out;
  for (int i = 0; i < in.size(); ++i) {
    const auto cidr = base::Cidr::Parse(in[i]);
    if (!cidr) return FieldError(StrCat(field, "[", i, "]"), "is not a CIDR");
    out.push_back(*cidr);
  }
  return out;
}

absl::StatusOr<policy::AddressSet> CompileAddresses(
    std::string_view field, const google::protobuf::RepeatedPtrField<std::string>& in) {
  policy::AddressSet out;
  for (int i = 0; i < in.size(); ++i) {
    if (!out.Add(in[i])) return FieldError(StrCat(field, "[", i, "]"), "is not a CIDR");
  }
  out.Finish();
  return out;
}

std::string_view AfterPrefix(std::string_view name, std::string_view prefix) {
  if (name.substr(0, prefix.size()) != prefix) return {};
  return name.substr(prefix.size());
}

}  // namespace headgate::config
