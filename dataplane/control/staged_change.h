#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "proto/headgate/v1/discovery.pb.h"

namespace headgate::control {

// The deltas between two commits, merged: what a commit is about to change. Owns the received
// messages.
class StagedChange {
 public:
  StagedChange() = default;
  StagedChange(const StagedChange&) = delete;
  StagedChange& operator=(const StagedChange&) = delete;

  // A name that comes again replaces what came before. Within one delta a removal wins over an
  // upsert.
  void Add(v1::Delta delta);
  // Adds the removal of a name that no delta mentioned.
  void Remove(std::string_view name);

  // Whether a delta brought a new form of the name.
  bool Upserts(std::string_view name) const;

  // Sorted by name, so that one content is applied in one order. Valid until the next Add, Remove
  // or Clear.
  std::vector<const v1::Resource*> upserts() const;
  std::vector<std::string> removed() const;

  // Size of the received messages, for deciding whether memory is worth giving back.
  size_t bytes() const { return bytes_; }
  void Clear();

 private:
  std::vector<std::unique_ptr<const v1::Delta>> parts_;
  std::vector<std::unique_ptr<const std::string>> extra_names_;
  // Views into the owners above. Null: a removal.
  absl::flat_hash_map<std::string_view, const v1::Resource*> changes_;
  size_t bytes_ = 0;
};

}  // namespace headgate::control
