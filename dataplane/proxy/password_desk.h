#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/policy/basic_auth.h"
#include "dataplane/proxy/password_thread.h"

namespace headgate::proxy {

// Who waits for the verdict on a password.
class PasswordClient {
 public:
  virtual void OnPasswordChecked(bool matches) = 0;

 protected:
  ~PasswordClient() = default;
};

// Judges the passwords that requests of one worker bring. What it costs much to find right is
// remembered, so that a client that sends it with every request pays once; what is remembered is a
// digest of it under a key of this process.
//
// One per worker, used on its thread; outlives every exchange.
class PasswordDesk {
 public:
  // A verdict that is waited for; destroying it ends the wait. Move-only.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept : desk_(std::exchange(other.desk_, nullptr)), id_(other.id_) {}
    Ticket& operator=(Ticket&& other) noexcept {
      std::swap(desk_, other.desk_);
      std::swap(id_, other.id_);
      return *this;
    }
    ~Ticket() {
      if (desk_ != nullptr) desk_->waiting_.erase(id_);
    }

   private:
    friend class PasswordDesk;
    Ticket(PasswordDesk& desk, uint64_t id) : desk_(&desk), id_(id) {}
    PasswordDesk* desk_ = nullptr;
    uint64_t id_ = 0;
  };

  enum class Verdict : uint8_t {
    kMatches,
    kDoesNot,
    kLater,  // OnPasswordChecked will tell, from the loop
    kBusy,   // too many are waiting
  };

  // References must outlive this. The thread is stopped before the loop is destroyed.
  PasswordDesk(net::EventLoop& loop, PasswordThread& thread);
  PasswordDesk(const PasswordDesk&) = delete;
  PasswordDesk& operator=(const PasswordDesk&) = delete;

  // `authorization`: the field's value. With kLater `ticket` is filled in, and `client` outlives
  // it.
  Verdict Check(const policy::UserTable& users, std::string_view authorization,
                PasswordClient& client, Ticket& ticket);

 private:
  using Fingerprint = std::array<uint8_t, 32>;
  struct Waiting {
    PasswordClient* client;
    Fingerprint fingerprint;
  };
  static constexpr size_t kRemembered = 1024;

  Fingerprint FingerprintOf(const policy::UserTable& users, std::string_view authorization) const;
  Fingerprint& PlaceOf(const Fingerprint& fingerprint);
  void Deliver(uint64_t id, bool matches);

  net::EventLoop& loop_;
  PasswordThread& thread_;
  Fingerprint key_;
  std::vector<Fingerprint>
      remembered_;  // empty, or kRemembered; each in the place that its first bytes say
  absl::flat_hash_map<uint64_t, Waiting> waiting_;
  uint64_t last_id_ = 0;
};

}  // namespace headgate::proxy
