// How the benchmark programs give up: one line on stderr, exit code 1. A measurement with a wrong
// answer in it is worth nothing, so nothing is counted and carried on with.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace headgate::bench {

[[noreturn]] inline void Fail(const std::string& what) {
  std::fprintf(stderr, "error: %s\n", what.c_str());
  std::exit(1);
}

[[noreturn]] inline void FailErrno(const std::string& what) {
  Fail(what + ": " + std::strerror(errno));
}

}  // namespace headgate::bench
