#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/net/socket.h"

namespace headgate::test {

// An HTTP/1.1 server that goes on answering every request with its name, on threads of its own, and
// counts; for tests in which what is asked of whom matters. "/health" is for probes.
class ReplyServer {
 public:
  explicit ReplyServer(std::string name);
  ~ReplyServer();
  ReplyServer(const ReplyServer&) = delete;
  ReplyServer& operator=(const ReplyServer&) = delete;

  const base::Address& address() const { return address_; }

  void SetStatus(int status) { status_ = status; }
  void SetProbeStatus(int status) { probe_status_ = status; }
  // Requests, but for probes, are not answered: their connection is closed.
  void Break() { broken_ = true; }
  void Repair() { broken_ = false; }

  // Waits until nobody is connected any more, as a pod that is asked to go. False after a minute:
  // its threads may be many, and the machine busy.
  bool AwaitNoConnections();

  // How many came so far.
  uint64_t requests() const { return requests_; }
  uint64_t probes() const { return probes_; }

 private:
  void Accept();
  void Converse(int fd);

  const std::string name_;
  net::Fd listener_;
  base::Address address_;
  std::atomic<int> status_{200};
  std::atomic<int> probe_status_{200};
  std::atomic<bool> broken_{false};
  std::atomic<uint64_t> requests_{0};
  std::atomic<uint64_t> probes_{0};

  std::mutex mutex_;
  std::condition_variable closed_;
  bool stopping_ = false;  // guarded by mutex_, as is the next
  std::vector<int> open_;  // connections
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace headgate::test
