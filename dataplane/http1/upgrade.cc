#include "dataplane/http1/upgrade.h"

#include <algorithm>
#include <array>

#include "dataplane/http/chars.h"
#include "dataplane/http1/field_parser.h"

namespace headgate::http1 {
namespace {

constexpr std::array<std::string_view, 4> kNeverPassedOn = {"h2c", "h2", "HTTP", "TLS"};

// protocol = protocol-name ["/" protocol-version], both tokens.
bool IsProtocol(std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return http::IsToken(text);
  return http::IsToken(text.substr(0, slash)) && http::IsToken(text.substr(slash + 1));
}

bool MayBePassedOn(std::string_view protocol) {
  const std::string_view name = protocol.substr(0, protocol.find('/'));
  return std::none_of(kNeverPassedOn.begin(), kNeverPassedOn.end(), [name](std::string_view never) {
    return http::EqualsIgnoreCase(name, never);
  });
}

}  // namespace

UpgradeRequest ReadUpgrade(const http::HeaderMap& fields) {
  UpgradeRequest request;
  bool several = false;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::kUpgrade) continue;
    ForEachListElement(field.value, [&](std::string_view protocol) {
      if (!IsProtocol(protocol)) {
        request.valid = false;
      } else if (MayBePassedOn(protocol)) {
        several |= !request.protocol.empty();
        request.protocol = protocol;
      }
    });
  }
  if (several || !request.valid) request.protocol = {};
  return request;
}

bool AcceptsUpgrade(const http::ResponseHead& head, bool connection_upgrade, std::string_view protocol) {
  if (protocol.empty() || !connection_upgrade || head.version != http::Version::kHttp11) return false;
  return head.fields.Count(http::FieldId::kUpgrade) == 1 &&
         http::EqualsIgnoreCase(head.fields.Get(http::FieldId::kUpgrade), protocol);
}

}  // namespace headgate::http1
