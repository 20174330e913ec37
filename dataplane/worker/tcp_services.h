#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "dataplane/base/address.h"
#include "dataplane/config/tcp_service.h"
#include "dataplane/net/socket.h"
#include "dataplane/observe/stream_counters.h"

namespace headgate::worker {

// Which ports the process has open for TCP services, and what has been counted of each: what the
// workers' TcpPorts are told.
//
// Thread: the control thread, where not said otherwise.
class TcpServices {
 public:
  // `addresses`: where HTTP and HTTPS are listened for; services listen on the same hosts, but at
  // none of these ports and of `reserved`.
  TcpServices(size_t workers, const std::vector<base::Address>& addresses,
              std::vector<uint16_t> reserved);

  struct Opened {
    uint16_t port = 0;
    std::vector<std::vector<net::Fd>> sockets;  // by worker; none: the port was open already
    observe::StreamCounters* counters =
        nullptr;  // of the first worker; those of the others follow. They live as long as this
  };
  struct Problem {
    uint16_t port = 0;
    std::string reason;  // one line for people
  };
  struct Change {
    std::vector<uint16_t> closed;
    std::vector<Opened> opened;
    std::vector<Problem> problems;  // ports that cannot be had now; each call tries again
  };
  Change Update(const config::TcpTable& services);

  struct Numbers {
    uint16_t port = 0;
    std::string service;  // config::TcpService::name
    std::array<uint64_t, static_cast<size_t>(observe::StreamCount::kCount)>
        counts{};  // over all workers
  };
  // Of the services there are, by port. Any thread.
  std::vector<Numbers> Read() const;

 private:
  using Key = std::pair<uint16_t, std::string>;  // port and service

  absl::StatusOr<std::vector<std::vector<net::Fd>>> Bind(uint16_t port) const;

  const size_t workers_;
  std::vector<base::Address> hosts_;
  std::set<uint16_t> reserved_;
  std::map<uint16_t, std::string> open_;  // what each open port is for

  mutable std::mutex mutex_;
  // Those that are gone stay: their connections may live on, and they may come back.
  std::map<Key, std::unique_ptr<observe::StreamCounters[]>> counters_ ABSL_GUARDED_BY(mutex_);
  std::set<Key> shown_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace headgate::worker
