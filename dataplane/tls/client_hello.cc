#include "dataplane/tls/client_hello.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace headgate::tls {
namespace {

using Status = ClientHelloResult::Status;

constexpr size_t kRecordHead = 5;
constexpr size_t kMessageHead = 4;
constexpr size_t kMaxRecord = 16 * 1024;
constexpr uint8_t kHandshake = 22;
constexpr uint8_t kClientHello = 1;
constexpr uint16_t kServerName = 0;
constexpr size_t kMaxHostName = 255;

uint32_t Number(std::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  return number;
}

// Takes parts off the front; what is not there fails the whole.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  bool failed() const { return failed_; }
  bool empty() const { return rest_.empty(); }

  std::string_view Bytes(size_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  uint32_t Integer(size_t size) { return Number(Bytes(size)); }
  // What follows a length of `size` bytes.
  std::string_view Vector(size_t size) { return Bytes(Integer(size)); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// Letters of a host name; an underscore occurs in practice.
bool IsHostName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxHostName &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                  c == '_';
         });
}

// The one name of the list; other types of names have never been defined.
std::optional<std::string> ParseServerName(std::string_view extension) {
  Reader outer(extension);
  Reader list(outer.Vector(2));
  const uint32_t type = list.Integer(1);
  std::string name(list.Vector(2));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  const bool sound =
      !outer.failed() && outer.empty() && !list.failed() && list.empty() && type == 0;
  if (!sound || !IsHostName(name)) return std::nullopt;
  return name;
}

ClientHelloResult ParseMessage(std::string_view body) {
  constexpr Status kBad = Status::kMalformed;
  Reader hello(body);
  const uint32_t version = hello.Integer(2);
  hello.Bytes(32);  // random
  const std::string_view session = hello.Vector(1);
  const std::string_view ciphers = hello.Vector(2);
  const std::string_view compression = hello.Vector(1);
  if (hello.failed() || version < 0x0301 || session.size() > 32 || ciphers.empty() ||
      ciphers.size() % 2 != 0 || compression.empty()) {
    return {kBad, {}};
  }
  ClientHelloResult result{Status::kComplete, {}};
  if (hello.empty()) return result;  // TLS 1.2 allows a hello without extensions
  Reader extensions(hello.Vector(2));
  if (hello.failed() || !hello.empty()) return {kBad, {}};
  bool named = false;
  while (!extensions.empty()) {
    const uint32_t type = extensions.Integer(2);
    const std::string_view value = extensions.Vector(2);
    if (extensions.failed()) return {kBad, {}};
    if (type != kServerName) continue;
    const std::optional<std::string> name = ParseServerName(value);
    if (named || !name) return {kBad, {}};
    named = true;
    result.server_name = *name;
  }
  return result;
}

}  // namespace

ClientHelloResult ParseClientHello(std::string_view bytes) {
  const ClientHelloResult kMalformed{Status::kMalformed, {}};
  const ClientHelloResult incomplete{
      bytes.size() < kMaxClientHelloBytes ? Status::kIncomplete : Status::kMalformed, {}};
  std::string gathered;  // of several records
  std::string_view message;
  while (true) {
    if (!bytes.empty() && static_cast<uint8_t>(bytes[0]) != kHandshake) return kMalformed;
    if (bytes.size() > 1 && bytes[1] != 3) return kMalformed;
    if (bytes.size() < kRecordHead) return incomplete;
    const size_t size = Number(bytes.substr(3, 2));
    if (size == 0 || size > kMaxRecord) return kMalformed;
    // What has come of the record tells already whether this is a hello, and how long.
    const std::string_view payload = bytes.substr(kRecordHead, size);
    const size_t missing = size - payload.size();
    if (message.empty()) {
      message = payload;
    } else {
      if (gathered.empty()) gathered = message;
      gathered += payload;
      message = gathered;
    }
    if (!message.empty() && static_cast<uint8_t>(message[0]) != kClientHello) return kMalformed;
    if (message.size() >= kMessageHead) {
      const size_t needed = kMessageHead + Number(message.substr(1, 3));
      // Nothing shares its last record (RFC 8446 section 5.1): the client has to wait for an
      // answer.
      if (needed > kMessageHead + kMaxClientHello || message.size() + missing > needed)
        return kMalformed;
      if (message.size() == needed) return ParseMessage(message.substr(kMessageHead));
    }
    if (missing > 0) return incomplete;
    bytes.remove_prefix(kRecordHead + size);
  }
}

}  // namespace headgate::tls
