// The Basic scheme of RFC 7617, and the files that hold users.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "common/secret_bytes.h"
#include "common/strings.h"

namespace headgate::policy {

struct Credentials {
  std::string user;
  std::string password;
};

// Of a value of Authorization. Nothing for other schemes, or what is not "user:password" in base64.
// As NGINX reads it: the scheme in any case, and any number of spaces after it.
std::optional<Credentials> ParseBasic(std::string_view authorization);

// Users and the hashes of their passwords. Immutable.
class UserTable {
 public:
  // Two tables are never told apart by anything else: each has another number, for as long as the
  // process runs.
  UserTable();

  // A file of lines "user:hash", "user:hash:comment" or, for the Digest scheme, "user:realm:hash";
  // lines that begin with '#', and others without a colon, are passed over. The first line of a
  // user counts.
  void AddFile(std::string_view file);
  // One user, whose hash ends where a line would.
  void AddUser(std::string_view user, std::string_view hash);

  // Empty when there is no such user, or no hash. Valid as long as the table.
  std::string_view HashOf(std::string_view user) const;
  // The hex MD5 of "user:realm:password"; empty when there is no such user.
  std::string_view DigestOf(std::string_view user, std::string_view realm) const;
  uint64_t id() const { return id_; }
  // A digest of all that was added; the same in every process that was given the same.
  std::string_view seal_key() const { return seal_key_.Reveal(); }
  size_t size() const { return hashes_.size(); }

 private:
  const uint64_t id_;
  absl::flat_hash_map<std::string, SecretBytes, TransparentStringHash, TransparentStringEqual>
      hashes_;
  // By "user\nrealm".
  absl::flat_hash_map<std::string, SecretBytes, TransparentStringHash, TransparentStringEqual>
      digests_;
  SecretBytes seal_key_;
};

}  // namespace headgate::policy
