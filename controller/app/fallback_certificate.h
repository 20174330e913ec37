// The certificate of last resort: self-signed, made at start-up, served where no other fits.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "controller/translate/options.h"

namespace headgate::app {

// An RSA-2048 key and a certificate for it with the subject that ingress-nginx uses (people and
// probes know it), valid for 365 days from the day before `now`. Different on each call: to be the
// same after a restart or in another replica its key would have to be kept somewhere, for
// connections that no client should trust. Whoever wants one that lasts names a Secret
// (--default-ssl-certificate). Takes some 100 ms.
absl::StatusOr<translate::CertificatePem> MakeFallbackCertificate(absl::Time now);

}  // namespace headgate::app
