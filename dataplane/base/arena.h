#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

namespace headgate::base {

// Keeps freed arena blocks for reuse, so that a warmed-up worker allocates nothing per request.
// One per worker, used by its thread only; outlives every Arena made from it.
class BlockPool {
 public:
  static constexpr size_t kBlockSize = 4096;

  explicit BlockPool(size_t max_free_blocks = 4096) : max_free_blocks_(max_free_blocks) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool() {
    for (char* block : free_) ::operator delete(block);
  }

  char* Take() {
    if (free_.empty()) return static_cast<char*>(::operator new(kBlockSize));
    char* block = free_.back();
    free_.pop_back();
    return block;
  }

  void Give(char* block) {
    if (free_.size() < max_free_blocks_) {
      free_.push_back(block);
    } else {
      ::operator delete(block);
    }
  }

 private:
  const size_t max_free_blocks_;
  std::vector<char*> free_;
};

// Bump allocator with the life of one exchange. Memory is given back as a whole by the destructor
// or Clear(); nothing is destroyed one by one, so only trivially destructible things belong here.
class Arena {
 public:
  explicit Arena(BlockPool& pool) : pool_(pool) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { Clear(); }

  // Uninitialised memory, aligned for pointers.
  char* Allocate(size_t size) {
    size = (size + 7) & ~size_t{7};
    if (size > static_cast<size_t>(end_ - next_)) return AllocateSlow(size);
    char* result = next_;
    next_ += size;
    return result;
  }

  // A copy of `text` that lives as long as the arena.
  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {};
    char* memory = Allocate(text.size());
    std::memcpy(memory, text.data(), text.size());
    return {memory, text.size()};
  }

  // The concatenation of `parts`.
  template <typename... Parts>
  std::string_view Join(const Parts&... parts) {
    const size_t size = (std::string_view(parts).size() + ... + 0);
    char* memory = Allocate(size);
    char* at = memory;
    auto append = [&at](std::string_view part) {
      if (!part.empty()) std::memcpy(at, part.data(), part.size());
      at += part.size();
    };
    (append(std::string_view(parts)), ...);
    return {memory, size};
  }

  void Clear() {
    while (blocks_ != nullptr) pool_.Give(Unlink(blocks_));
    while (large_ != nullptr) ::operator delete(Unlink(large_));
    next_ = end_ = nullptr;
  }

 private:
  // At the start of each block. Lists in the blocks themselves: an arena without any takes little
  // memory, and many connections have one.
  struct Link {
    Link* next;
  };

  // Makes `memory` the first of the list; returns what follows the link.
  static char* Prepend(char* memory, Link*& list) {
    list = new (memory) Link{list};
    return memory + sizeof(Link);
  }
  static char* Unlink(Link*& list) {
    return reinterpret_cast<char*>(std::exchange(list, list->next));
  }

  char* AllocateSlow(size_t size) {
    if (size > BlockPool::kBlockSize / 2) {
      return Prepend(static_cast<char*>(::operator new(sizeof(Link) + size)), large_);
    }
    char* const block = pool_.Take();
    char* const result = Prepend(block, blocks_);
    next_ = result + size;
    end_ = block + BlockPool::kBlockSize;
    return result;
  }

  BlockPool& pool_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  Link* blocks_ = nullptr;
  Link* large_ = nullptr;
};

}  // namespace headgate::base
