#pragma once

#include <cstdint>

namespace headgate::admin {

// What this process has taken from the machine.
struct ProcessUse {
  double cpu_seconds = 0;  // user and system
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
};
// getrusage(2) and /proc/self/statm. Thread: any.
ProcessUse ReadProcessUse();

}  // namespace headgate::admin
