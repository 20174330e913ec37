// Host names as rules name them: "example.com", "*.example.com".
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace headgate {

// A validated pattern in lower case. Value type.
class HostPattern {
 public:
  // Accepts a DNS-1123 subdomain (labels of letters, digits and inner hyphens, 63 characters each,
  // 253 in all) or one with a leading "*." as networking.k8s.io/v1 IngressRule.host allows. Refuses
  // an IP address, a port and a trailing dot. Upper case is accepted and lowered. The error says
  // what is wrong, without naming the field.
  static absl::StatusOr<HostPattern> Parse(std::string_view text);

  // In lower case, with the "*." if there was one.
  const std::string& text() const { return text_; }
  bool wildcard() const { return text_[0] == '*'; }
  // Without the star, with the dot: ".example.com". REQUIRES: wildcard().
  std::string_view suffix() const { return std::string_view(text_).substr(1); }

  // Whether `host` (lower case, without port) is meant; a star stands for exactly one whole label.
  bool Matches(std::string_view host) const;

  friend bool operator==(const HostPattern&, const HostPattern&) = default;

 private:
  explicit HostPattern(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

}  // namespace headgate
