#pragma once

#include <cstdio>
#include <cstdlib>

namespace headgate::internal {

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}

}  // namespace headgate::internal

// Ends the program when an invariant of ours is broken, in every build type. Never for input: what arrives from a
// network, a file or a user gets an error.
#define HEADGATE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) \
               : ::headgate::internal::CheckFailed(__FILE__, __LINE__, #condition))
