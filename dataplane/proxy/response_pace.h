#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/config/access.h"
#include "dataplane/net/event_loop.h"

namespace headgate::proxy {

// How fast the body of one response goes to its client, as NGINX's limit_rate has it: what may go
// in the first second goes at once. Part of an exchange; the body asks it.
class ResponsePace {
 public:
  // `owner` is told by the timer when more may go. References outlive this.
  ResponsePace(net::EventLoop& loop, net::TimerHandler& owner, const config::ResponseRate& rate)
      : loop_(loop), rate_(rate), started_(loop.now()), timer_(loop.timers(), owner) {}

  // How many bytes may go after so many. 0: the timer will tell when to ask again.
  size_t Room(uint64_t sent_bytes);

 private:
  net::EventLoop& loop_;
  const config::ResponseRate rate_;
  const net::TimePoint started_;
  net::Timer timer_;
};

}  // namespace headgate::proxy
