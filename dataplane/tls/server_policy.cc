#include "dataplane/tls/server_policy.h"

#include "absl/strings/str_cat.h"
#include "common/dh_parameters.h"
#include "dataplane/tls/openssl_ptr.h"

namespace headgate::tls {

absl::Status Validate(const ServerPolicy& policy) {
  if (policy.min_version > policy.max_version) {
    return absl::InvalidArgumentError("min_version is above max_version");
  }
  if (!policy.groups.empty()) {
    const OpenSslPtr<SSL_CTX> probe(SSL_CTX_new(TLS_server_method()));
    if (probe == nullptr || !SetGroups(probe.get(), policy.groups.c_str())) {
      ERR_clear_error();
      return absl::InvalidArgumentError("groups is no list of groups that OpenSSL knows");
    }
  }
  if (!policy.dh_parameters.empty()) {
    const auto parsed = ParseDhParameters(policy.dh_parameters);
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("dh_parameters: ", parsed.status().message()));
    }
  }
  return policy.ciphers.empty() ? absl::OkStatus() : ValidateCiphers(policy.ciphers);
}

absl::Status ValidateCiphers(const std::string& ciphers) {
  const OpenSslPtr<SSL_CTX> probe(SSL_CTX_new(TLS_server_method()));
  if (probe == nullptr || SSL_CTX_set_cipher_list(probe.get(), ciphers.c_str()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("ciphers holds no cipher that OpenSSL knows");
  }
  return absl::OkStatus();
}

}  // namespace headgate::tls
