// Users and passwords as tenants write them: a file of htpasswd, and what clients say in
// Authorization. Input: the field's value, a line end, the file. Nothing of it may be taken for
// more than it is.
#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"
#include "dataplane/policy/basic_auth.h"
#include "dataplane/policy/password_hash.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using headgate::policy::CostOf;
  using headgate::policy::HashCost;
  using headgate::policy::MatchesHash;
  using headgate::policy::ParseBasic;
  using headgate::policy::UserTable;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t end = input.find('\n');
  const std::string_view authorization = input.substr(0, end);
  const std::string_view file =
      end == std::string_view::npos ? std::string_view() : input.substr(end + 1);

  UserTable users;
  users.AddFile(file);
  const auto credentials = ParseBasic(authorization);
  if (!credentials) return 0;
  HEADGATE_CHECK(credentials->user.find(':') == std::string::npos);
  const std::string_view hash = users.HashOf(credentials->user);
  HEADGATE_CHECK(hash.find_first_of(":\r\n") == std::string_view::npos);
  const std::string line = credentials->user + ":" + std::string(hash);
  HEADGATE_CHECK(hash.empty() || file.find(line) != std::string_view::npos);
  // What costs much is left to the unit tests, but for the one that is our own code.
  if (CostOf(hash) == HashCost::kHigh && !hash.starts_with("$apr1$")) return 0;
  const bool matches = MatchesHash(credentials->password, hash);
  if (hash.starts_with("{PLAIN}")) {
    HEADGATE_CHECK(!matches || hash.substr(7) == credentials->password);
  } else if (hash.empty()) {
    HEADGATE_CHECK(!matches);
  }
  return 0;
}
