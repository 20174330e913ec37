#include "dataplane/proxy/grpc.h"

#include <algorithm>
#include <charconv>

namespace headgate::proxy {
namespace {

constexpr uint64_t kMaxMilliseconds = 24ull * 24 * 3600 * 1000;

}  // namespace

uint8_t GrpcStatusFor(uint16_t http_status) {
  switch (http_status) {
    case 400: return 13;  // INTERNAL
    case 401: return 16;  // UNAUTHENTICATED
    case 403: return 7;   // PERMISSION_DENIED
    case 404: return 12;  // UNIMPLEMENTED
    case 429:
    case 502:
    case 503:
    case 504: return 14;  // UNAVAILABLE
    default: return 2;    // UNKNOWN
  }
}

std::optional<net::milliseconds> ParseGrpcTimeout(std::string_view text) {
  constexpr size_t kMaxDigits = 8;
  if (text.size() < 2 || text.size() > kMaxDigits + 1) return std::nullopt;
  uint64_t value = 0;
  const char* const unit = text.data() + text.size() - 1;
  const auto [end, error] = std::from_chars(text.data(), unit, value);
  if (error != std::errc() || end != unit) return std::nullopt;
  switch (*unit) {
    case 'H': value *= 3'600'000; break;
    case 'M': value *= 60'000; break;
    case 'S': value *= 1000; break;
    case 'm': break;
    case 'u': value = (value + 999) / 1000; break;
    case 'n': value = (value + 999'999) / 1'000'000; break;
    default: return std::nullopt;
  }
  return net::milliseconds(std::min(value, kMaxMilliseconds));
}

}  // namespace headgate::proxy
