// Reading JSON of the Kubernetes API without exceptions and with errors that name the field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace headgate::kube {

using Json = nlohmann::json;

// One JSON document. The error says at which byte it is broken, never what stands there (it may be
// a secret).
absl::StatusOr<Json> ParseJson(std::string_view text);

// A value in a document and the way to it. Reads like Kubernetes does: a field that is absent and
// one that is null are the same, and give the zero value of the type asked for; a value of another
// type is an error. The first error is kept in the FieldErrors that all nodes of a document share;
// after it, reading goes on and gives zero values.
//
// A node points at its parent, so it must be held in a variable while its children are used (the
// compiler refuses anything else), and at the document, which must outlive it.
class FieldErrors {
 public:
  bool ok() const { return first_.empty(); }
  // "spec.rules[0].host: must be a string"
  const std::string& first() const { return first_; }
  void Add(std::string error) {
    if (first_.empty()) first_ = std::move(error);
  }

 private:
  std::string first_;
};

class FieldNode {
 public:
  FieldNode(const Json& document, FieldErrors& errors) : value_(&document), errors_(&errors) {}

  FieldNode Get(std::string_view key) const&;
  FieldNode Get(std::string_view key) const&& = delete;
  // REQUIRES: index < size()
  FieldNode At(size_t index) const&;
  FieldNode At(size_t index) const&& = delete;

  bool present() const { return value_ != nullptr; }
  // Elements of an array; 0 when absent.
  size_t size() const;
  // Calls `visit(key, node)` for every entry of an object, in the order of the keys.
  template <typename Visit>
  void ForEach(Visit visit) const {
    if (!CheckType(Json::value_t::object, "an object")) return;
    for (auto it = value_->begin(); it != value_->end(); ++it) {
      visit(it.key(), FieldNode(&it.value(), this, it.key(), kNoIndex));
    }
  }

  std::string String() const { return std::string(View()); }
  // Valid as long as the document.
  std::string_view View() const;
  // Absent or null: `absent`.
  bool Bool(bool absent) const;
  int64_t Int(int64_t min, int64_t max, int64_t absent) const;
  // A port number, 1 to 65535; 0 when absent.
  uint16_t Port() const { return static_cast<uint16_t>(Int(1, 65535, 0)); }
  bool is_string() const { return present() && value_->is_string(); }
  bool is_number() const { return present() && value_->is_number(); }
  // RFC 3339; seconds since the epoch, 0 when absent.
  int64_t Timestamp() const;

  // Reports "path: problem". For checks beyond the type.
  void Fail(std::string_view problem) const;
  // For a field that must be there and be no empty string. False, and reported, if not.
  bool Require() const;

 private:
  static constexpr size_t kNoIndex = static_cast<size_t>(-1);

  FieldNode(const Json* value, const FieldNode* parent, std::string_view key, size_t index);
  bool CheckType(Json::value_t type, std::string_view name) const;
  void AppendPath(std::string& out) const;

  const Json* value_;  // null: absent
  FieldErrors* errors_;
  const FieldNode* parent_ = nullptr;
  std::string_view key_;
  size_t index_ = kNoIndex;
};

}  // namespace headgate::kube
