#include "dataplane/proxy/response_pace.h"

#include <algorithm>
#include <chrono>

namespace headgate::proxy {

size_t ResponsePace::Room(uint64_t sent_bytes) {
  using std::chrono::milliseconds;
  constexpr uint64_t kSecond = 1000;
  constexpr uint64_t kStep =
      100;  // a turn of the loop for each few bytes would cost more than they do
  const auto elapsed = std::chrono::duration_cast<milliseconds>(loop_.now() - started_).count();
  const uint64_t ticks = static_cast<uint64_t>(std::max<int64_t>(0, elapsed)) + kSecond;
  // In two parts, for responses that take days.
  const uint64_t rate = rate_.bytes_per_second;
  const uint64_t allowed =
      rate_.after_bytes + rate * (ticks / kSecond) + rate * (ticks % kSecond) / kSecond;
  if (sent_bytes < allowed) return static_cast<size_t>(allowed - sent_bytes);
  timer_.Arm(milliseconds(
      std::clamp<uint64_t>((sent_bytes - allowed) * kSecond / rate, kStep, 60 * kSecond)));
  return 0;
}

}  // namespace headgate::proxy
