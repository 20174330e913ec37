#include "dataplane/worker/tcp_services.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace headgate::worker {

TcpServices::TcpServices(size_t workers, const std::vector<base::Address>& addresses,
                         std::vector<uint16_t> reserved)
    : workers_(workers), reserved_(reserved.begin(), reserved.end()) {
  for (base::Address host : addresses) {
    reserved_.insert(host.port());
    host.set_port(0);
    if (std::find(hosts_.begin(), hosts_.end(), host) == hosts_.end()) hosts_.push_back(host);
  }
  if (hosts_.empty()) hosts_.push_back(*base::Address::ParseHostPort(":0"));
}

TcpServices::Change TcpServices::Update(const config::TcpTable& services) {
  Change change;
  for (const auto& [port, service] : open_) {
    if (!services.contains(port)) change.closed.push_back(port);
  }
  for (const uint16_t port : change.closed) open_.erase(port);

  std::lock_guard lock(mutex_);
  shown_.clear();
  for (const auto& [port, service] : services) {
    const auto open = open_.find(port);
    Opened opened;
    opened.port = port;
    if (open == open_.end()) {
      auto sockets = Bind(port);
      if (!sockets.ok()) {
        change.problems.push_back({port, std::string(sockets.status().message())});
        continue;
      }
      opened.sockets = *std::move(sockets);
    }
    const Key key(port, service->name);
    shown_.insert(key);
    if (open != open_.end() && open->second == service->name) continue;
    open_[port] = service->name;
    std::unique_ptr<observe::StreamCounters[]>& counters = counters_[key];
    if (counters == nullptr) counters = std::make_unique<observe::StreamCounters[]>(workers_);
    opened.sockets.resize(workers_);
    opened.counters = counters.get();
    change.opened.push_back(std::move(opened));
  }
  return change;
}

absl::StatusOr<std::vector<std::vector<net::Fd>>> TcpServices::Bind(uint16_t port) const {
  if (reserved_.contains(port)) {
    return absl::InvalidArgumentError(
        absl::StrCat("port ", port, " is one that the data plane itself listens at"));
  }
  std::vector<std::vector<net::Fd>> sockets(workers_);
  for (std::vector<net::Fd>& of_worker : sockets) {
    for (base::Address address : hosts_) {
      address.set_port(port);
      auto socket = net::BindTcp(address);
      if (!socket.ok()) return socket.status();
      of_worker.push_back(*std::move(socket));
    }
  }
  return sockets;
}

std::vector<TcpServices::Numbers> TcpServices::Read() const {
  std::vector<Numbers> read;
  std::lock_guard lock(mutex_);
  for (const Key& key : shown_) {
    Numbers& numbers = read.emplace_back(Numbers{.port = key.first, .service = key.second});
    const observe::StreamCounters* const counters = counters_.at(key).get();
    for (size_t worker = 0; worker < workers_; ++worker) {
      for (size_t i = 0; i < numbers.counts.size(); ++i) {
        numbers.counts[i] += counters[worker][static_cast<observe::StreamCount>(i)].value();
      }
    }
  }
  return read;
}

}  // namespace headgate::worker
