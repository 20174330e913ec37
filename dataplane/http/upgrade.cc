#include "dataplane/http/upgrade.h"

#include <algorithm>
#include <array>

#include "dataplane/http/chars.h"
#include "dataplane/http/header_map.h"

namespace headgate::http {
namespace {

constexpr std::array<std::string_view, 4> kNeverPassedOn = {"h2c", "h2", "HTTP", "TLS"};

}  // namespace

bool IsUpgradeProtocol(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return IsToken(text);
  return IsToken(text.substr(0, slash)) && IsToken(text.substr(slash + 1));
}

bool MayUpgradeTo(std::string_view protocol) {
  const std::string_view name = protocol.substr(0, protocol.find('/'));
  return std::none_of(kNeverPassedOn.begin(), kNeverPassedOn.end(),
                      [name](std::string_view never) { return EqualsIgnoreCase(name, never); });
}

}  // namespace headgate::http
