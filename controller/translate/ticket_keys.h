// Keys that seal TLS session tickets, the same for all data planes of all replicas of the
// controller.
//
// A replica may write nothing, so the keys are not made but derived: from a secret that the
// replicas share (the private key by which they prove themselves to data planes) and from the time.
// Every 12 hours another key seals; the one before and the one after open as well, so that clocks
// may differ. Whoever has the controller's private key can derive them.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "common/secret_bytes.h"
#include "controller/translate/translation.h"

namespace headgate::translate {

inline constexpr std::string_view kTicketKeysName = "secret/_/session-tickets";

// The number of the key that seals at `now`.
int64_t TicketEpoch(absl::Time now);

// SecretData with the keys of an epoch (see TlsPolicy.ticket_keys); `fixed`, when not empty, is the
// only one instead. Null when both it and `root` are empty.
ResourcePtr TranslateTicketKeys(const SecretBytes& root, const SecretBytes& fixed, int64_t epoch);

}  // namespace headgate::translate
