#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/base/arena.h"

namespace headgate::proxy {

// Makes request ids: 32 hexadecimal digits, unique in practice, not secret. One per worker
// (xoshiro256**, seeded from the system once), because a system call per request costs more than
// the rest of the head.
class RequestIdSource {
 public:
  RequestIdSource();
  // Lives in `arena`.
  std::string_view Next(base::Arena& arena);
  // Uniform; also for everything else that needs cheap randomness on the worker.
  uint64_t Random();

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace headgate::proxy
