#pragma once

#include <cstddef>

namespace headgate::base {

// Blocks of 512 bytes to 256 KiB in powers of two that each thread keeps for reuse, so that a
// warmed-up worker takes and drops buffers and field lists without the heap. Bigger blocks come
// from the heap. Under AddressSanitizer nothing is kept, so that it sees every use after free.
//
// Thread: any; memory may be given back on another thread than the one that took it.
namespace pooled_memory {

// Uninitialised memory of at least `bytes`; PooledSize(bytes) of it may be used.
void* Take(size_t bytes);
// `bytes` as given to Take.
void Give(void* memory, size_t bytes);
size_t PooledSize(size_t bytes);

}  // namespace pooled_memory

// Standard allocator over pooled_memory.
template <typename T>
struct PooledAllocator {
  using value_type = T;

  PooledAllocator() = default;
  template <typename U>
  PooledAllocator(const PooledAllocator<U>&) {}

  T* allocate(size_t count) { return static_cast<T*>(pooled_memory::Take(count * sizeof(T))); }
  void deallocate(T* memory, size_t count) { pooled_memory::Give(memory, count * sizeof(T)); }
  template <typename U>
  bool operator==(const PooledAllocator<U>&) const {
    return true;
  }
};

}  // namespace headgate::base
