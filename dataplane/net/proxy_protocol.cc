#include "dataplane/net/proxy_protocol.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>

#include "common/strings.h"

namespace headgate::net {
namespace {

using Status = ProxyHeaderResult::Status;

constexpr std::string_view kText = "PROXY ";
constexpr size_t kMaxText = 107;
constexpr std::string_view kBinary("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr size_t kBinaryHead = 16;

constexpr ProxyHeaderResult kMalformed{Status::kMalformed, {}};
constexpr ProxyHeaderResult kIncomplete{Status::kIncomplete, {}};

// The word before the next space, which is taken away with it; everything when there is none.
std::string_view TakeWord(std::string_view& line) {
  const size_t space = line.find(' ');
  const std::string_view word = line.substr(0, space);
  line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  return word;
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool canonical = text.size() == 1 || !text.starts_with('0');
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !canonical) {
    return std::nullopt;
  }
  return port;
}

ProxyHeaderResult ParseText(std::string_view bytes) {
  const size_t end = bytes.substr(0, kMaxText).find("\r\n");
  if (end == std::string_view::npos) return bytes.size() < kMaxText ? kIncomplete : kMalformed;
  std::string_view line = bytes.substr(kText.size(), end - kText.size());
  ProxyHeaderResult result{Status::kComplete, {.size = end + 2, .addresses = {}}};
  const std::string_view family = TakeWord(line);
  if (family == "UNKNOWN") return result;
  if (family != "TCP4" && family != "TCP6") return kMalformed;
  const std::string_view source = TakeWord(line);
  const std::string_view destination = TakeWord(line);
  const std::optional<uint16_t> source_port = ParsePort(TakeWord(line));
  const std::optional<uint16_t> destination_port = ParsePort(line);
  if (!source_port || !destination_port) return kMalformed;
  const auto from = base::Address::ParseIp(source, *source_port);
  const auto to = base::Address::ParseIp(destination, *destination_port);
  // An IPv4-mapped address reads as IPv4, so the text decides the family.
  const bool colons =
      source.find(':') != std::string_view::npos && destination.find(':') != std::string_view::npos;
  const bool no_colons =
      source.find(':') == std::string_view::npos && destination.find(':') == std::string_view::npos;
  if (!from || !to || (family == "TCP6" ? !colons : !no_colons)) return kMalformed;
  result.header.addresses = {*from, *to};
  return result;
}

ProxyHeaderResult ParseBinary(std::string_view bytes) {
  if (bytes.size() < kBinaryHead) return kIncomplete;
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(bytes[at]); };
  const auto number = [&](size_t at) {
    return static_cast<uint16_t>(byte(at) << 8 | byte(at + 1));
  };
  const uint8_t version_and_command = byte(12);
  const uint8_t family = byte(13);
  const size_t size = kBinaryHead + number(14);
  const bool local = version_and_command == 0x20;
  if ((!local && version_and_command != 0x21) || size > kMaxProxyHeader) return kMalformed;
  if (bytes.size() < size) return kIncomplete;
  ProxyHeaderResult result{Status::kComplete, {.size = size, .addresses = {}}};
  if (local || family == 0x00) return result;
  size_t width = 0;
  switch (family) {
    case 0x11:  // TCP over IPv4
      width = 4;
      break;
    case 0x21:  // TCP over IPv6
      width = 16;
      break;
    case 0x31:  // a UNIX socket
      return result;
    default: return kMalformed;
  }
  if (size < kBinaryHead + 2 * width + 4) return kMalformed;
  const size_t ports = kBinaryHead + 2 * width;
  const auto from = base::Address::FromBytes(bytes.substr(kBinaryHead, width), number(ports));
  const auto to =
      base::Address::FromBytes(bytes.substr(kBinaryHead + width, width), number(ports + 2));
  if (!from || !to) return kMalformed;
  result.header.addresses = {*from, *to};
  return result;
}

// Whether the two agree as far as both go.
bool Begins(std::string_view bytes, std::string_view mark) {
  const size_t size = std::min(bytes.size(), mark.size());
  return bytes.substr(0, size) == mark.substr(0, size);
}

}  // namespace

ProxyHeaderResult ParseProxyHeader(std::string_view bytes) {
  if (Begins(bytes, kText)) return bytes.size() < kText.size() ? kIncomplete : ParseText(bytes);
  if (Begins(bytes, kBinary))
    return bytes.size() < kBinary.size() ? kIncomplete : ParseBinary(bytes);
  return kMalformed;
}

std::string WriteProxyHeader(ProxyVersion version, const base::Address& source,
                             const base::Address& destination) {
  if (version == ProxyVersion::kNone) return {};
  static const std::string kZeroes(16, '\0');
  const std::string_view unspecified = std::string_view(kZeroes).substr(0, source.bytes().size());
  const base::Address to = destination.is_v4() == source.is_v4()
                               ? destination
                               : *base::Address::FromBytes(unspecified, destination.port());
  if (version == ProxyVersion::kV1) {
    return StrCat(source.is_v4() ? "PROXY TCP4 " : "PROXY TCP6 ", source.IpText(), " ", to.IpText(),
                  " ", source.port(), " ", to.port(), "\r\n");
  }
  std::string out(kBinary);
  const auto put = [&](int byte) { out += static_cast<char>(byte); };
  put(0x21);
  put(source.is_v4() ? 0x11 : 0x21);
  const size_t size = 2 * source.bytes().size() + 4;
  put(0);
  put(static_cast<int>(size));
  out += source.bytes();
  out += to.bytes();
  for (const uint16_t port : {source.port(), to.port()}) {
    put(port >> 8);
    put(port & 0xff);
  }
  return out;
}

std::string_view OwnProxyHeader(ProxyVersion version) {
  switch (version) {
    case ProxyVersion::kV1: return "PROXY UNKNOWN\r\n";
    case ProxyVersion::kV2: return {"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", kBinaryHead};
    case ProxyVersion::kNone: break;
  }
  return {};
}

ProxyHeaderResult TakeProxyHeader(int fd) {
  char bytes[kMaxProxyHeader];
  ssize_t got;
  do {
    got = recv(fd, bytes, sizeof(bytes), MSG_PEEK);
  } while (got < 0 && errno == EINTR);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return kIncomplete;
  if (got <= 0) return kMalformed;
  ProxyHeaderResult result = ParseProxyHeader({bytes, static_cast<size_t>(got)});
  if (result.status == Status::kComplete &&
      recv(fd, bytes, result.header.size, 0) != static_cast<ssize_t>(result.header.size)) {
    return kMalformed;
  }
  return result;
}

}  // namespace headgate::net
