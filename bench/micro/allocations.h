// Counts heap allocations, so that "no allocation per request" is a figure and not a hope.
//
// Linking allocations.cc replaces the global operator new of the program. Memory that C libraries
// take with malloc is not counted.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

namespace headgate::bench {

// Calls of any operator new by any thread so far.
uint64_t AllocationCount();

// Reports `allocs`, the allocations per iteration since its construction, when it goes out of
// scope. Construct it after the warm-up, right before the loop.
class AllocationsPerIteration {
 public:
  explicit AllocationsPerIteration(benchmark::State& state)
      : state_(state), before_(AllocationCount()) {}
  AllocationsPerIteration(const AllocationsPerIteration&) = delete;
  AllocationsPerIteration& operator=(const AllocationsPerIteration&) = delete;

  ~AllocationsPerIteration() {
    state_.counters["allocs"] =
        static_cast<double>(AllocationCount() - before_) / static_cast<double>(state_.iterations());
  }

  // For code that may not allocate at all once it is warm: ends the program with an error if it
  // did.
  void RequireNone() const;

 private:
  benchmark::State& state_;
  const uint64_t before_;
};

// Memory held through operator new by all threads now, in bytes, with what the allocator adds.
int64_t HeldBytes();

// For things of which there are thousands: what each of them takes. Construct it before they are
// made.
class BytesEach {
 public:
  explicit BytesEach(benchmark::State& state) : state_(state), before_(HeldBytes()) {}
  BytesEach(const BytesEach&) = delete;
  BytesEach& operator=(const BytesEach&) = delete;

  // Reports `bytes`; more than `limit` for each of the `count` that exist now ends the program with
  // an error.
  void Require(size_t count, double limit);

 private:
  benchmark::State& state_;
  const int64_t before_;
};

}  // namespace headgate::bench
