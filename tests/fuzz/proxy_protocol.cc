// The PROXY protocol: a header takes no more than there is, and reads the same whatever follows it.
#include "dataplane/net/proxy_protocol.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"

using headgate::net::ParseProxyHeader;
using Status = headgate::net::ProxyHeaderResult::Status;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto result = ParseProxyHeader(bytes);
  if (result.status == Status::kMalformed) {
    HEADGATE_CHECK(ParseProxyHeader(std::string(bytes) + "x").status == Status::kMalformed);
  }
  if (result.status == Status::kIncomplete) {
    HEADGATE_CHECK(size < headgate::net::kMaxProxyHeader);
  }
  if (result.status != Status::kComplete) return 0;
  const size_t taken = result.header.size;
  HEADGATE_CHECK(taken > 0 && taken <= size && taken <= headgate::net::kMaxProxyHeader);
  const auto alone = ParseProxyHeader(bytes.substr(0, taken));
  HEADGATE_CHECK(alone.status == Status::kComplete && alone.header.size == taken);
  HEADGATE_CHECK(ParseProxyHeader(bytes.substr(0, taken - 1)).status == Status::kIncomplete);
  return 0;
}
