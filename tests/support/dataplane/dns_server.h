#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "dataplane/base/address.h"
#include "dataplane/net/socket.h"

namespace headgate::test {

// A name server on a loopback port, by UDP, that knows what the test tells it. Names it does not
// know do not exist.
class DnsServer {
 public:
  DnsServer();
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  // "127.0.0.1:40001", as DnsLookupOptions::servers takes it.
  std::string address() const { return address_.Text(); }

  // The addresses of a name, of either family, with this lifetime in seconds. `name` without a dot
  // at the end.
  void Serve(const std::string& name, const std::vector<std::string>& ips, uint32_t ttl);
  // `name` is another name for `target`.
  void ServeAlias(const std::string& name, const std::string& target, uint32_t ttl);
  // From now on nothing is answered.
  void FallSilent();

  // The names asked for so far, once for each question.
  std::vector<std::string> asked();

 private:
  struct Zone {
    std::vector<base::Address> addresses;
    std::string alias;
    uint32_t ttl = 0;
  };

  void Run();
  std::string Answer(std::string_view question);
  static void AppendRecord(std::string& out, uint16_t type, uint32_t ttl, std::string_view data);

  net::Fd fd_;
  net::Fd stop_;
  base::Address address_;
  std::mutex mutex_;
  std::map<std::string, Zone> zones_;
  std::vector<std::string> asked_;
  bool silent_ = false;
  std::thread thread_;
};

}  // namespace headgate::test
