#include "common/host_pattern.h"

#include <arpa/inet.h>

#include "absl/strings/ascii.h"
#include "common/strings.h"

namespace headgate {
namespace {

absl::Status Bad(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(StrCat("host \"", text, "\": ", why));
}

bool IsLabel(std::string_view label) {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
    return false;
  for (const char c : label) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-') return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<HostPattern> HostPattern::Parse(std::string_view text) {
  if (text.empty()) return Bad(text, "is empty");
  if (text.size() > 253) return Bad(text, "is longer than 253 characters");
  std::string lower = absl::AsciiStrToLower(ToAbsl(text));
  std::string_view rest = lower;
  if (rest.substr(0, 2) == "*.") rest.remove_prefix(2);
  if (rest.find('*') != std::string_view::npos) {
    return Bad(text, "a star may only stand for the whole first label");
  }
  in_addr ipv4;
  if (inet_pton(AF_INET, lower.c_str(), &ipv4) == 1) return Bad(text, "is an IP address");
  while (true) {
    const size_t dot = rest.find('.');
    if (!IsLabel(rest.substr(0, dot))) {
      return Bad(text, "each label must be 1 to 63 letters, digits or inner hyphens");
    }
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return HostPattern(std::move(lower));
}

bool HostPattern::Matches(std::string_view host) const {
  if (!wildcard()) return host == text_;
  const size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && host.substr(dot) == suffix();
}

}  // namespace headgate
