#pragma once

#include <memory>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "common/check.h"

namespace headgate::config {

// One block of memory for all the text of a virtual host, each distinct text once. First Add
// everything, then Freeze, then ask for the copies.
class TextPool {
 public:
  // `text` must stay valid until the pool is gone.
  void Add(std::string_view text) {
    if (!text.empty() && offsets_.emplace(text, size_).second) size_ += text.size();
  }

  // The block; its owner keeps the views alive.
  std::unique_ptr<char[]> Freeze() {
    auto block = std::make_unique<char[]>(size_);
    for (const auto& [text, offset] : offsets_) text.copy(block.get() + offset, text.size());
    base_ = block.get();
    return block;
  }

  // REQUIRES: added before, and frozen.
  std::string_view Get(std::string_view text) const {
    if (text.empty()) return {};
    const auto found = offsets_.find(text);
    HEADGATE_CHECK(found != offsets_.end());
    return {base_ + found->second, text.size()};
  }

 private:
  absl::flat_hash_map<std::string_view, size_t> offsets_;
  size_t size_ = 0;
  const char* base_ = nullptr;
};

}  // namespace headgate::config
