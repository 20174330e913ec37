#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "absl/status/statusor.h"
#include "common/strings.h"
#include "dataplane/config/secret_index.h"
#include "dataplane/tls/client_auth.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::config {

// What a virtual host says about client certificates, before its secret is looked up.
struct ClientAuthSpec {
  tls::ClientAuthRules rules;
  std::string
      secret;  // name of the SecretData resource with the CAs; empty when the mode needs none
};

absl::StatusOr<ClientAuthSpec> CompileClientAuth(const v1::ClientAuth& in);

// Joins hosts that ask for client certificates with the secrets that hold their CAs. A host whose
// secret is missing or cannot be used lets nobody in. Control thread only.
class ClientAuthIndex {
 public:
  // References must outlive this.
  explicit ClientAuthIndex(const SecretIndex& secrets) : secrets_(secrets) {}

  void SetHost(std::string_view host, ClientAuthSpec spec);
  void RemoveHost(std::string_view host);

  // The table after all changes so far; the same pointer as before when nothing in it has changed.
  std::shared_ptr<const tls::ClientAuthTable> Table();

 private:
  tls::ClientAuthRules Resolve(const ClientAuthSpec& spec) const;

  const SecretIndex& secrets_;
  std::unordered_map<std::string, ClientAuthSpec, TransparentStringHash, TransparentStringEqual>
      hosts_;
  std::unordered_set<std::string> dirty_;
  uint64_t secrets_seen_ = 0;
  std::shared_ptr<const tls::ClientAuthTable> table_ = std::make_shared<tls::ClientAuthTable>();
};

}  // namespace headgate::config
