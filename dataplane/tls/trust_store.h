#pragma once

#include <openssl/types.h>

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"

namespace headgate::tls {

// Certificates of authorities that a peer's certificate is checked against. Immutable.
//
// Thread: made on the control thread, used by the handshakes of any.
class TrustStore {
 public:
  ~TrustStore();
  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;

  // Every certificate of a PEM text. Refused, with a reason, when there is none or one cannot be
  // parsed.
  static absl::StatusOr<std::shared_ptr<const TrustStore>> FromPem(std::string_view pem);
  // What the system trusts, read from disk once in the life of the process; empty when it has
  // nothing.
  static std::shared_ptr<const TrustStore> System();

 private:
  friend class ClientContext;
  explicit TrustStore(X509_STORE* store) : store_(store) {}

  X509_STORE* const store_;
};

}  // namespace headgate::tls
