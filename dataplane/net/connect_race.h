#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/net/event_loop.h"
#include "dataplane/net/socket.h"

namespace headgate::net {

// Connects to one of several addresses (RFC 8305 section 5): they are tried in order, another one
// kDelay after the last, or at once when that has failed, and whichever is established first wins.
//
// Lives on one loop's thread. The owner bounds the time for the whole; Stop gives up.
class ConnectRace final : public Retirable, private TimerHandler {
 public:
  static constexpr milliseconds kDelay{250};

  class Owner {
   public:
    // `fd` is connected with `address`, and watched by `registration` (set its handler); `edges`
    // have come on it. Called once, never from within Start; the race is over and may be retired.
    virtual void OnRaceWon(Fd fd, IoRegistration registration, const base::Address& address,
                           IoEvents edges) = 0;
    // None could be reached. As above.
    virtual void OnRaceLost() = 0;

   protected:
    ~Owner() = default;
  };

  // `loop` and `owner` outlive the race, or its Stop.
  ConnectRace(EventLoop& loop, std::vector<base::Address> addresses, Owner& owner);

  void Start() { TryNext(); }
  // Closes what is open; nothing is reported afterwards.
  void Stop();

 private:
  class Entrant final : private IoHandler {
   public:
    // False: it cannot even begin.
    bool Start(ConnectRace& race, const base::Address& address);
    void Stop();

   private:
    void OnIo(IoEvents events) override;

    ConnectRace* race_ = nullptr;
    base::Address address_;
    Fd fd_;
    IoRegistration registration_;
  };

  void TryNext();
  void OnTimer(Timer& timer) override;
  void OnFailed();
  void OnConnected(Fd fd, IoRegistration registration, const base::Address& address,
                   IoEvents edges);
  void ReportLost() { owner_.OnRaceLost(); }

  EventLoop& loop_;
  const std::vector<base::Address> addresses_;
  Owner& owner_;
  size_t next_ = 0;     // in addresses_
  size_t running_ = 0;  // of the entrants
  std::vector<std::unique_ptr<Entrant>> entrants_;
  Timer timer_;
  MemberTask<ConnectRace, &ConnectRace::ReportLost> report_lost_{*this};
};

}  // namespace headgate::net
