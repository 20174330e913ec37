#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

// Counts that there are thousands of, one set for each route: most stay small for long. They take
// two bytes each, and eight from the moment that more than 65,535 things were counted.
namespace headgate::observe {

// Some counts. Each is written by one thread and read on any.
template <typename Number, size_t kSize>
class Buckets {
 public:
  void Add(size_t bucket) {
    std::atomic<Number>& count = counts_[bucket];
    count.store(static_cast<Number>(count.load(std::memory_order_relaxed) + 1),
                std::memory_order_relaxed);
  }
  std::array<uint64_t, kSize> Read() const {
    std::array<uint64_t, kSize> read;
    for (size_t i = 0; i < kSize; ++i) read[i] = counts_[i].load(std::memory_order_relaxed);
    return read;
  }
  // All of a smaller kind.
  template <typename Other>
  void Take(const Buckets<Other, kSize>& other) {
    const std::array<uint64_t, kSize> read = other.Read();
    for (size_t i = 0; i < kSize; ++i)
      counts_[i].store(static_cast<Number>(read[i]), std::memory_order_relaxed);
  }

 private:
  std::array<std::atomic<Number>, kSize> counts_{};
};

// A Set<Number> has Buckets<Number, ...> and perhaps other things: Count(what...), which adds one
// at most to each bucket, Read(), and Take(smaller set).
template <template <typename Number> typename Set>
class SmallCounts {
 public:
  SmallCounts() = default;
  ~SmallCounts() { delete many_.load(std::memory_order_relaxed); }
  SmallCounts(const SmallCounts&) = delete;
  SmallCounts& operator=(const SmallCounts&) = delete;

  // The owner's thread only.
  template <typename... What>
  void Count(const What&... what) {
    if (Set<uint64_t>* const many = many_.load(std::memory_order_relaxed); many != nullptr)
      return many->Count(what...);
    few_.Count(what...);
    if (++counted_ != UINT16_MAX) return;
    auto* const many = new Set<uint64_t>();
    many->Take(few_);
    many_.store(many, std::memory_order_release);
  }
  // Any thread.
  auto Read() const {
    const Set<uint64_t>* const many = many_.load(std::memory_order_acquire);
    return many != nullptr ? many->Read() : few_.Read();
  }

 private:
  std::atomic<Set<uint64_t>*> many_{nullptr};  // owned; null until few_ is full
  // Does not change any more when many_ is there. The next member lies in its padding.
  [[no_unique_address]] Set<uint16_t> few_;
  uint16_t counted_ = 0;  // in few_
};

}  // namespace headgate::observe
