#include "dataplane/proxy/request_id.h"

#include <sys/random.h>

#include <bit>
#include <cstring>

#include "common/check.h"

namespace headgate::proxy {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;

// Eight lower-case digits at once.
void WriteHex(uint32_t number, char* out) {
  uint64_t digits = number;
  digits = (digits | digits << 16) & 0x0000ffff0000ffff;
  digits = (digits | digits << 8) & 0x00ff00ff00ff00ff;
  digits = (digits | digits << 4) & 0x0f0f0f0f0f0f0f0f;  // one in each byte
  const uint64_t letters = (digits + 6 * kOnes) >> 4 & kOnes;
  digits += '0' * kOnes + letters * ('a' - '0' - 10);
  std::memcpy(out, &digits, sizeof(digits));
}

}  // namespace

RequestIdSource::RequestIdSource() {
  const ssize_t got = getrandom(state_.data(), sizeof(state_), 0);
  HEADGATE_CHECK(got == static_cast<ssize_t>(sizeof(state_)));
  state_[0] |= 1;  // the generator must not start from all zero
}

uint64_t RequestIdSource::Random() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

std::string_view RequestIdSource::Next(base::Arena& arena) {
  char* text = arena.Allocate(32);
  for (int part = 0; part < 4; part += 2) {
    const uint64_t bits = Random();
    WriteHex(static_cast<uint32_t>(bits), text + part * 8);
    WriteHex(static_cast<uint32_t>(bits >> 32), text + part * 8 + 8);
  }
  return {text, 32};
}

}  // namespace headgate::proxy
