#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "common/regex.h"
#include "dataplane/base/client_identity.h"
#include "dataplane/base/host_map.h"

struct stack_st_X509_NAME;  // STACK_OF(X509_NAME), which openssl/types.h does not declare

namespace headgate::tls {

enum class ClientAuthMode : uint8_t {
  kRefuse,        // what the host asks for cannot be had: nobody comes in
  kOff,           // no certificate is asked for
  kRequired,      // a verified certificate, or no answer but an error
  kOptional,      // verified if there is one
  kOptionalNoCa,  // as kOptional, but may be signed by anybody
};

// Which clients a host lets in, and what the upstream is told of them. A value until it is frozen
// in a table.
struct ClientAuthRules {
  ClientAuthMode mode = ClientAuthMode::kRefuse;
  // Intermediate certificates allowed between the client's and the CA.
  uint32_t verify_depth = 1;
  // PEM: trusted CAs, revocation lists. With a list, every certificate of a chain must be covered
  // by one.
  std::string ca_pem;
  std::string crl_pem;
  // An absolute URL that clients without a good certificate are sent to, or a path whose answer
  // they get; empty: 400.
  std::string error_page;
  bool pass_certificate = false;
  // Searched for in the subject; null: any.
  std::shared_ptr<const Regex> match_subject;
};

// The rules of one host pattern. Immutable. Thread: any.
class ClientAuth {
 public:
  ClientAuth(std::string host, ClientAuthRules rules);

  // "example.com", "*.example.com" or "_".
  std::string_view host() const { return host_; }
  const ClientAuthRules& rules() const { return rules_; }
  bool asks() const {
    return rules_.mode != ClientAuthMode::kRefuse && rules_.mode != ClientAuthMode::kOff;
  }
  // Differs for rules of another host, or with other content; the same in every process. What
  // sessions and connections go by, so that neither outlives the rules it was made under. Never 0.
  uint64_t fingerprint() const { return fingerprint_; }

 private:
  std::string host_;
  ClientAuthRules rules_;
  uint64_t fingerprint_;
};

// Only hosts that have rules; asked by pattern, because a host without rules is not covered by
// those of a wildcard.
using ClientAuthTable = base::HostMap<ClientAuth>;

// Whether the CAs and revocation lists can be read; the status says which of "ca.crt" and "ca.crl"
// cannot.
absl::Status CheckTrust(std::string_view ca_pem, std::string_view crl_pem);

// OpenSSL's form of the CAs a worker has used: one per worker, so that workers do not contend for a
// store's lock. Bounded. Thread: the worker's.
class TrustCache {
 public:
  TrustCache() = default;
  ~TrustCache();
  TrustCache(const TrustCache&) = delete;
  TrustCache& operator=(const TrustCache&) = delete;

  // Makes the connection ask for a certificate as the rules say. False if OpenSSL will not.
  bool Apply(const ClientAuth& auth, SSL* ssl);

 private:
  static constexpr size_t kCapacity = 128;
  struct Trust {
    X509_STORE* store = nullptr;
    stack_st_X509_NAME* names = nullptr;
  };
  static void Free(Trust& trust);
  const Trust* Get(const ClientAuth& auth);

  std::unordered_map<uint64_t, Trust> by_fingerprint_;
};

// What the client of a completed handshake showed. `rules`: the fingerprint of those that were
// applied to `ssl`.
std::shared_ptr<const base::ClientIdentity> IdentityOf(SSL* ssl, uint64_t rules,
                                                       bool pass_certificate);

}  // namespace headgate::tls
