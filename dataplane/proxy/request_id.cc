#include "dataplane/proxy/request_id.h"

#include <sys/random.h>

#include <bit>

#include "common/check.h"

namespace headgate::proxy {

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
  constexpr char kDigits[] = "0123456789abcdef";
  char* text = arena.Allocate(32);
  for (int half = 0; half < 2; ++half) {
    uint64_t bits = Random();
    for (int i = 0; i < 16; ++i, bits >>= 4) text[half * 16 + i] = kDigits[bits & 15];
  }
  return {text, 32};
}

}  // namespace headgate::proxy
