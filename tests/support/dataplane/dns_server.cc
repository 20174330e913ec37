#include "tests/support/dataplane/dns_server.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <optional>
#include <string_view>

namespace headgate::test {
namespace {

constexpr size_t kHeadSize = 12;
constexpr uint16_t kTypeA = 1, kTypeCname = 5, kTypeAaaa = 28;

void Append16(std::string& out, uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value & 0xff);
}

uint16_t Read16(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[at]) << 8 |
                               static_cast<uint8_t>(bytes[at + 1]));
}

// RFC 1035 section 3.1, without compression.
std::string EncodeName(const std::string& name) {
  std::string out;
  for (size_t begin = 0; begin < name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    out += static_cast<char>(end - begin);
    out += name.substr(begin, end - begin);
    begin = end + 1;
  }
  return out + '\0';
}

// The name at `at`, which is moved behind it.
std::string DecodeName(std::string_view bytes, size_t& at) {
  std::string name;
  while (at < bytes.size() && bytes[at] != 0) {
    const auto size = static_cast<uint8_t>(bytes[at]);
    name += (name.empty() ? "" : ".") + std::string(bytes.substr(at + 1, size));
    at += size + size_t{1};
  }
  ++at;
  return name;
}

}  // namespace

DnsServer::DnsServer()
    : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), stop_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_storage storage;
  const socklen_t length = base::Address::ParseHostPort("127.0.0.1:0")->ToSockaddr(storage);
  EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&storage), length), 0);
  address_ = *net::LocalAddress(fd_.get());
  thread_ = std::thread([this] { Run(); });
}

DnsServer::~DnsServer() {
  const uint64_t one = 1;
  EXPECT_EQ(write(stop_.get(), &one, sizeof(one)), ssize_t{sizeof(one)});
  thread_.join();
}

void DnsServer::Serve(const std::string& name, const std::vector<std::string>& ips, uint32_t ttl) {
  Zone zone{.addresses = {}, .alias = "", .ttl = ttl};
  for (const std::string& ip : ips) zone.addresses.push_back(*base::Address::ParseIp(ip, 0));
  std::lock_guard lock(mutex_);
  zones_[name] = std::move(zone);
}

void DnsServer::ServeAlias(const std::string& name, const std::string& target, uint32_t ttl) {
  std::lock_guard lock(mutex_);
  zones_[name] = {.addresses = {}, .alias = target, .ttl = ttl};
}

void DnsServer::FallSilent() {
  std::lock_guard lock(mutex_);
  silent_ = true;
}

std::vector<std::string> DnsServer::asked() {
  std::lock_guard lock(mutex_);
  return asked_;
}

void DnsServer::Run() {
  while (true) {
    pollfd waiting[] = {{fd_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    poll(waiting, 2, -1);
    if (waiting[1].revents != 0) return;
    char buffer[1500];
    sockaddr_storage peer;
    socklen_t length = sizeof(peer);
    const ssize_t got =
        recvfrom(fd_.get(), buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&peer), &length);
    if (got < static_cast<ssize_t>(kHeadSize)) continue;
    const std::string answer = Answer({buffer, static_cast<size_t>(got)});
    if (answer.empty()) continue;
    sendto(fd_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&peer), length);
  }
}

void DnsServer::AppendRecord(std::string& out, uint16_t type, uint32_t ttl, std::string_view data) {
  Append16(out, type);
  Append16(out, 1);  // IN
  Append16(out, static_cast<uint16_t>(ttl >> 16));
  Append16(out, static_cast<uint16_t>(ttl & 0xffff));
  Append16(out, static_cast<uint16_t>(data.size()));
  out += data;
}

std::string DnsServer::Answer(std::string_view query) {
  size_t at = kHeadSize;
  const std::string asked = DecodeName(query, at);
  const uint16_t type = Read16(query, at);
  const std::string_view question = query.substr(kHeadSize, at + 4 - kHeadSize);

  std::lock_guard lock(mutex_);
  asked_.push_back(asked);
  if (silent_) return "";
  uint16_t count = 0;
  std::string records;
  std::string name = asked;
  auto zone = zones_.find(name);
  while (zone != zones_.end() && !zone->second.alias.empty()) {
    records += EncodeName(name);
    AppendRecord(records, kTypeCname, zone->second.ttl, EncodeName(zone->second.alias));
    ++count;
    name = zone->second.alias;
    zone = zones_.find(name);
  }
  if (zone != zones_.end()) {
    for (const base::Address& address : zone->second.addresses) {
      if ((address.is_v4() ? kTypeA : kTypeAaaa) != type) continue;
      records += EncodeName(name);
      AppendRecord(records, type, zone->second.ttl, address.bytes());
      ++count;
    }
  }
  std::string out(query.substr(0, 2));
  Append16(out,
           static_cast<uint16_t>(0x8580 | (zone == zones_.end() ? 3 : 0)));  // answer, or NXDOMAIN
  Append16(out, 1);
  Append16(out, count);
  Append16(out, 0);
  Append16(out, 0);
  out += question;
  return out + records;
}

}  // namespace headgate::test
