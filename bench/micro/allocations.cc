#include "bench/micro/allocations.h"

#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace headgate::bench {
namespace {

std::atomic<uint64_t> allocations{0};
std::atomic<int64_t> held_bytes{0};

// What the allocator sets aside for a block: its usable size and the header before it.
int64_t Footprint(void* memory) {
  return static_cast<int64_t>(malloc_usable_size(memory) + sizeof(size_t));
}

void* Allocate(size_t size, size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* memory =
      alignment <= alignof(std::max_align_t)
          ? std::malloc(size)
          : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) std::abort();
  held_bytes.fetch_add(Footprint(memory), std::memory_order_relaxed);
  return memory;
}

void Free(void* memory) {
  if (memory == nullptr) return;
  held_bytes.fetch_sub(Footprint(memory), std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

uint64_t AllocationCount() { return allocations.load(std::memory_order_relaxed); }

void AllocationsPerIteration::RequireNone() const {
  const uint64_t count = AllocationCount() - before_;
  if (count == 0) return;
  std::fprintf(stderr, "error: %llu allocations in %llu iterations; there may be none\n",
               static_cast<unsigned long long>(count),
               static_cast<unsigned long long>(state_.iterations()));
  std::exit(1);
}

int64_t HeldBytes() { return held_bytes.load(std::memory_order_relaxed); }

void BytesEach::Require(size_t count, double limit) {
  const double bytes = static_cast<double>(HeldBytes() - before_) / static_cast<double>(count);
  state_.counters["bytes"] = bytes;
  if (bytes <= limit) return;
  std::fprintf(stderr, "error: %.0f bytes for each of %zu; at most %.0f are expected\n", bytes,
               count, limit);
  std::exit(1);
}

}  // namespace headgate::bench

void* operator new(size_t size) {
  return headgate::bench::Allocate(size, alignof(std::max_align_t));
}
void* operator new[](size_t size) {
  return headgate::bench::Allocate(size, alignof(std::max_align_t));
}
void* operator new(size_t size, std::align_val_t alignment) {
  return headgate::bench::Allocate(size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return headgate::bench::Allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { headgate::bench::Free(memory); }
void operator delete[](void* memory) noexcept { headgate::bench::Free(memory); }
void operator delete(void* memory, size_t) noexcept { headgate::bench::Free(memory); }
void operator delete[](void* memory, size_t) noexcept { headgate::bench::Free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { headgate::bench::Free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { headgate::bench::Free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  headgate::bench::Free(memory);
}
void operator delete[](void* memory, size_t, std::align_val_t) noexcept {
  headgate::bench::Free(memory);
}
