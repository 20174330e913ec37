#include "controller/translate/annotations/errors.h"

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

// RFC 1035, with digits in front as newer Services may have.
bool IsServiceName(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
  });
}

}  // namespace

std::optional<std::vector<uint16_t>> ParseStatuses(std::string_view list, uint16_t least) {
  std::vector<uint16_t> statuses;
  for (const std::string_view item : SplitList(list)) {
    const auto status = ParseInt(item);
    if (!status || *status < least || *status > 599) return std::nullopt;
    statuses.push_back(static_cast<uint16_t>(*status));
  }
  std::sort(statuses.begin(), statuses.end());
  statuses.erase(std::unique(statuses.begin(), statuses.end()), statuses.end());
  return statuses;
}

void ReadErrors(AnnotationReader& reader, IngressSettings& settings) {
  ErrorSettings& errors = settings.headers.errors;
  if (const std::string* value = reader.Find("custom-http-errors");
      value != nullptr && !Trim(*value).empty()) {
    errors.statuses = ParseStatuses(*value, 400);
    if (!errors.statuses)
      reader.RefuseValue("custom-http-errors", "statuses from 400 to 599, separated by commas");
  }
  errors.local_only = reader.Bool("disable-proxy-intercept-errors").value_or(false);
  if (const std::string* value = reader.Find("default-backend")) {
    const std::string_view service = Trim(*value);
    if (IsServiceName(service)) {
      errors.service = std::string(service);
    } else if (!service.empty()) {
      reader.RefuseValue("default-backend", "the name of a Service of the same namespace");
    }
  }
}

}  // namespace headgate::translate
