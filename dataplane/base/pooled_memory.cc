#include "dataplane/base/pooled_memory.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define HEADGATE_KEEP_NO_BLOCKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEADGATE_KEEP_NO_BLOCKS 1
#endif
#endif

namespace headgate::base::pooled_memory {
namespace {

constexpr size_t kMinShift = 9;
constexpr size_t kMaxShift = 18;

size_t ShiftFor(size_t bytes) {
  return std::max(kMinShift, static_cast<size_t>(std::bit_width(std::max(bytes, size_t{1}) - 1)));
}

#ifndef HEADGATE_KEEP_NO_BLOCKS
// What a thread keeps at most of each size.
constexpr size_t kMaxKeptBytes = size_t{2} << 20;

// Free blocks are chained through their first word.
struct FreeLists {
  struct List {
    void* head = nullptr;
    size_t count = 0;
  };
  std::array<List, kMaxShift - kMinShift + 1> lists;
  bool destroyed = false;

  ~FreeLists() {
    for (List& list : lists) {
      while (list.head != nullptr) {
        void* next = *static_cast<void**>(list.head);
        ::operator delete(list.head);
        list.head = next;
      }
    }
    destroyed = true;  // other thread-local objects may still give memory back
  }
};

thread_local FreeLists free_lists;
#endif

}  // namespace

size_t PooledSize(size_t bytes) {
  const size_t shift = ShiftFor(bytes);
  return shift > kMaxShift ? bytes : size_t{1} << shift;
}

void* Take(size_t bytes) {
  const size_t shift = ShiftFor(bytes);
  if (shift > kMaxShift) return ::operator new(bytes);
#ifndef HEADGATE_KEEP_NO_BLOCKS
  FreeLists::List& list = free_lists.lists[shift - kMinShift];
  if (list.head != nullptr && !free_lists.destroyed) {
    void* memory = list.head;
    list.head = *static_cast<void**>(memory);
    --list.count;
    return memory;
  }
#endif
  return ::operator new (size_t{1} << shift);
}

void Give(void* memory, [[maybe_unused]] size_t bytes) {
#ifndef HEADGATE_KEEP_NO_BLOCKS
  const size_t shift = ShiftFor(bytes);
  if (shift <= kMaxShift && !free_lists.destroyed) {
    FreeLists::List& list = free_lists.lists[shift - kMinShift];
    if (list.count < (kMaxKeptBytes >> shift)) {
      *static_cast<void**>(memory) = list.head;
      list.head = memory;
      ++list.count;
      return;
    }
  }
#endif
  ::operator delete(memory);
}

}  // namespace headgate::base::pooled_memory
