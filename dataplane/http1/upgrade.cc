#include "dataplane/http1/upgrade.h"

#include "dataplane/http/upgrade.h"
#include "dataplane/http1/field_parser.h"

namespace headgate::http1 {

UpgradeRequest ReadUpgrade(const http::HeaderMap& fields) {
  UpgradeRequest request;
  bool several = false;
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::kUpgrade) continue;
    ForEachListElement(field.value, [&](std::string_view protocol) {
      if (!http::IsUpgradeProtocol(protocol)) {
        request.valid = false;
      } else if (http::MayUpgradeTo(protocol)) {
        several |= !request.protocol.empty();
        request.protocol = protocol;
      }
    });
  }
  if (several || !request.valid) request.protocol = {};
  return request;
}

bool AcceptsUpgrade(const http::ResponseHead& head, bool connection_upgrade,
                    std::string_view protocol) {
  if (protocol.empty() || !connection_upgrade || head.version != http::Version::kHttp11)
    return false;
  return head.fields.Count(http::FieldId::kUpgrade) == 1 &&
         http::EqualsIgnoreCase(head.fields.Get(http::FieldId::kUpgrade), protocol);
}

}  // namespace headgate::http1
