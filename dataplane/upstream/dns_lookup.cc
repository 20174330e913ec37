#include "dataplane/upstream/dns_lookup.h"

#include <ares.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

#include "common/strings.h"

namespace headgate::upstream {
namespace {

using SteadyClock = std::chrono::steady_clock;

// One lookup in c-ares' terms: it wants its sockets watched, and calls back when it is done.
class Query {
 public:
  explicit Query(const DnsLookupOptions& options)
      : deadline_(SteadyClock::now() + ToMilliseconds(options.limit)) {
    static std::once_flag once;
    std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
    ares_options ares{};
    ares.sock_state_cb = [](void* self, ares_socket_t socket, int readable, int writable) {
      static_cast<Query*>(self)->OnSocket(socket, readable != 0, writable != 0);
    };
    ares.sock_state_cb_data = this;
    std::string resolv_conf = options.resolv_conf;
    ares.resolvconf_path = resolv_conf.data();
    status_ = ares_init_options(&channel_, &ares, ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF);
    if (status_ == ARES_SUCCESS && !options.servers.empty()) {
      status_ = ares_set_servers_ports_csv(channel_, options.servers.c_str());
    }
  }
  ~Query() {
    if (channel_ != nullptr) ares_destroy(channel_);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  absl::StatusOr<DnsAnswer> Run(const std::string& name) {
    if (status_ == ARES_SUCCESS) {
      ares_addrinfo_hints hints{};
      hints.ai_family = AF_UNSPEC;
      hints.ai_socktype = SOCK_STREAM;
      hints.ai_flags = ARES_AI_NOSORT;
      ares_getaddrinfo(
          channel_, name.c_str(), nullptr, &hints,
          [](void* self, int status, int /*timeouts*/, ares_addrinfo* found) {
            static_cast<Query*>(self)->OnDone(status, found);
          },
          this);
      while (!done_) Turn();
    }
    if (status_ != ARES_SUCCESS)
      return absl::UnavailableError(StrCat(name, ": ", ares_strerror(status_)));
    if (answer_.addresses.empty()) return absl::UnavailableError(StrCat(name, ": no addresses"));
    return std::move(answer_);
  }

 private:
  static std::chrono::milliseconds ToMilliseconds(absl::Duration duration) {
    return std::chrono::milliseconds(absl::ToInt64Milliseconds(duration));
  }

  void OnSocket(ares_socket_t socket, bool readable, bool writable) {
    if (!readable && !writable) {
      watched_.erase(socket);
    } else {
      watched_[socket] = static_cast<short>((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
    }
  }

  // Waits for a socket or for c-ares' own time limits.
  void Turn() {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - SteadyClock::now());
    if (left.count() <= 0) return ares_cancel(channel_);  // OnDone is called from inside
    timeval longest{left.count() / 1000, (left.count() % 1000) * 1000};
    timeval wait{};
    const timeval* const next = ares_timeout(channel_, &longest, &wait);
    std::vector<pollfd> fds;
    for (const auto& [socket, events] : watched_) fds.push_back({socket, events, 0});
    poll(fds.data(), fds.size(), static_cast<int>(next->tv_sec * 1000 + next->tv_usec / 1000 + 1));
    for (const pollfd& fd : fds) {
      if (fd.revents == 0) continue;
      const bool broken = (fd.revents & (POLLERR | POLLHUP)) != 0;
      ares_process_fd(channel_, broken || (fd.revents & POLLIN) != 0 ? fd.fd : ARES_SOCKET_BAD,
                      (fd.revents & POLLOUT) != 0 ? fd.fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // what is late
  }

  void OnDone(int status, ares_addrinfo* found) {
    done_ = true;
    status_ = status;
    if (status != ARES_SUCCESS) return;
    int ttl = INT32_MAX;
    for (const ares_addrinfo_node* at = found->nodes; at != nullptr; at = at->ai_next) {
      ttl = std::min(ttl, at->ai_ttl);
      const auto address = base::Address::FromSockaddr(at->ai_addr, at->ai_addrlen);
      if (address) answer_.addresses.push_back(*address);
    }
    for (const ares_addrinfo_cname* at = found->cnames; at != nullptr; at = at->next) {
      ttl = std::min(ttl, at->ttl);
    }
    answer_.ttl = absl::Seconds(std::max(ttl, 0));
    ares_freeaddrinfo(found);
  }

  const SteadyClock::time_point deadline_;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, short> watched_;  // to the events to poll for
  bool done_ = false;
  int status_ = ARES_SUCCESS;
  DnsAnswer answer_;
};

}  // namespace

absl::StatusOr<DnsAnswer> LookUp(const std::string& name, const DnsLookupOptions& options) {
  return Query(options).Run(name);
}

}  // namespace headgate::upstream
