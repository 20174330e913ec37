// What a request must pass before its route is followed (docs/access.md), as plain functions over
// what is known of it.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/policy/address_set.h"

namespace headgate::policy {

// What one condition says of a request.
enum class Answer : uint8_t {
  kNone,  // it does not say
  kPass,
  kForbidden,     // 403
  kUnauthorized,  // 401
};

// By the client's address.
struct SourceRanges {
  AddressSet denied;
  AddressSet allowed;  // empty: all that are not denied

  Answer Judge(const base::Address& client) const {
    if (denied.Contains(client)) return Answer::kForbidden;
    if (allowed.empty()) return Answer::kNone;
    return allowed.Contains(client) ? Answer::kPass : Answer::kForbidden;
  }
};

// By name and password. The users are looked up by the name of their SecretData.
struct PasswordAuth {
  std::string users;
  std::string realm;
  bool digest = false;    // the scheme; else it is Basic
  std::string challenge;  // WWW-Authenticate; of Digest it is made for each answer
};

// Whether all conditions must be passed, or any one of them.
enum class Satisfy : uint8_t { kAll, kAny };

// Puts the answers of conditions together, which are asked one after the other until it is decided.
class Conditions {
 public:
  explicit Conditions(Satisfy satisfy) : satisfy_(satisfy) {}

  // True: no further condition matters.
  bool Add(Answer answer) {
    if (answer == Answer::kNone) return false;
    if (answer == Answer::kPass) {
      if (satisfy_ == Satisfy::kAny) result_ = Answer::kPass;
      return satisfy_ == Satisfy::kAny;
    }
    // With credentials one could come in.
    if (result_ != Answer::kUnauthorized) result_ = answer;
    return satisfy_ == Satisfy::kAll;
  }

  // Never kNone.
  Answer result() const { return result_; }

 private:
  Satisfy satisfy_;
  Answer result_ = Answer::kPass;
};

}  // namespace headgate::policy
