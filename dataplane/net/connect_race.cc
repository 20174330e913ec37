#include "dataplane/net/connect_race.h"

#include <utility>

namespace headgate::net {

bool ConnectRace::Entrant::Start(ConnectRace& race, const base::Address& address) {
  auto fd = ConnectTcp(address);
  if (!fd.ok()) return false;
  registration_ = race.loop_.Watch(fd->get(), *this);
  if (!registration_) return false;
  race_ = &race;
  address_ = address;
  fd_ = *std::move(fd);
  return true;
}

void ConnectRace::Entrant::Stop() {
  registration_.Reset();
  fd_.Close();
}

void ConnectRace::Entrant::OnIo(IoEvents events) {
  if (!events.writable) return;
  if (ConnectError(fd_.get()) == 0) {
    return race_->OnConnected(std::move(fd_), std::move(registration_), address_, events);
  }
  Stop();
  race_->OnFailed();
}

ConnectRace::ConnectRace(EventLoop& loop, std::vector<base::Address> addresses, Owner& owner)
    : loop_(loop), addresses_(std::move(addresses)), owner_(owner), timer_(loop.timers(), *this) {}

void ConnectRace::Stop() {
  for (const auto& entrant : entrants_) entrant->Stop();
  timer_.Cancel();
  report_lost_.Unlink();
}

void ConnectRace::TryNext() {
  timer_.Cancel();
  while (next_ < addresses_.size()) {
    auto entrant = std::make_unique<Entrant>();
    if (!entrant->Start(*this, addresses_[next_++])) continue;
    entrants_.push_back(std::move(entrant));
    ++running_;
    if (next_ < addresses_.size()) timer_.Arm(kDelay);
    return;
  }
  if (running_ == 0) loop_.Schedule(report_lost_);
}

void ConnectRace::OnTimer(Timer& /*timer*/) { TryNext(); }

void ConnectRace::OnFailed() {
  --running_;
  TryNext();
}

void ConnectRace::OnConnected(Fd fd, IoRegistration registration, const base::Address& address,
                              IoEvents edges) {
  Stop();
  owner_.OnRaceWon(std::move(fd), std::move(registration), address, edges);
}

}  // namespace headgate::net
