#include "dataplane/proxy/password_desk.h"

#include <openssl/rand.h>

#include <cstring>
#include <optional>
#include <string>

#include "common/check.h"
#include "common/hash.h"
#include "dataplane/policy/password_hash.h"

namespace headgate::proxy {

PasswordDesk::PasswordDesk(net::EventLoop& loop, PasswordThread& thread)
    : loop_(loop), thread_(thread) {
  HEADGATE_CHECK(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1);
}

// The number of the table is part of it: what another form of the Secret said is worth nothing.
PasswordDesk::Fingerprint PasswordDesk::FingerprintOf(const policy::UserTable& users,
                                                      std::string_view authorization) const {
  const uint64_t id = users.id();
  std::string text(reinterpret_cast<const char*>(key_.data()), key_.size());
  text.append(reinterpret_cast<const char*>(&id), sizeof(id));
  text.append(authorization);
  const Fingerprint fingerprint = Sha256(text);
  WipeMemory(text.data(), text.size());
  return fingerprint;
}

PasswordDesk::Fingerprint& PasswordDesk::PlaceOf(const Fingerprint& fingerprint) {
  if (remembered_.empty()) remembered_.resize(kRemembered);
  uint64_t number = 0;
  std::memcpy(&number, fingerprint.data(), sizeof(number));
  return remembered_[number % kRemembered];
}

PasswordDesk::Verdict PasswordDesk::Check(const policy::UserTable& users,
                                          std::string_view authorization, PasswordClient& client,
                                          Ticket& ticket) {
  std::optional<policy::Credentials> credentials = policy::ParseBasic(authorization);
  if (!credentials) return Verdict::kDoesNot;
  const std::string_view hash = users.HashOf(credentials->user);
  const policy::HashCost cost = policy::CostOf(hash);
  Verdict verdict = Verdict::kDoesNot;
  if (cost == policy::HashCost::kLow) {
    if (policy::MatchesHash(credentials->password, hash)) verdict = Verdict::kMatches;
  } else if (cost == policy::HashCost::kHigh) {
    const Fingerprint fingerprint = FingerprintOf(users, authorization);
    if (PlaceOf(fingerprint) == fingerprint) {
      verdict = Verdict::kMatches;
    } else {
      const uint64_t id = ++last_id_;
      const bool taken = thread_.Check(credentials->password, hash, [this, id](bool matches) {
        loop_.Post([this, id, matches] { Deliver(id, matches); });
      });
      verdict = taken ? Verdict::kLater : Verdict::kBusy;
      if (taken) {
        waiting_.emplace(id, Waiting{&client, fingerprint});
        ticket = Ticket(*this, id);
      }
    }
  }
  WipeMemory(credentials->password.data(), credentials->password.size());
  return verdict;
}

void PasswordDesk::Deliver(uint64_t id, bool matches) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  const Waiting waiting = found->second;
  waiting_.erase(found);
  if (matches) PlaceOf(waiting.fingerprint) = waiting.fingerprint;
  waiting.client->OnPasswordChecked(matches);
}

}  // namespace headgate::proxy
