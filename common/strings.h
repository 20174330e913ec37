// Joining and converting strings. Debian builds abseil so that absl::string_view is a type of its
// own and does not convert from or to std::string_view; elsewhere the two are the same. We use
// std::string_view everywhere, and these helpers where abseil is called. (A flat_hash_map keyed by
// std::string cannot be searched by std::string_view for the same reason: use TransparentStringHash
// below, or std::map<..., std::less<>>.)
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace headgate {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToStd(absl::string_view text) { return {text.data(), text.size()}; }

namespace strings_internal {
template <typename T>
decltype(auto) Argument(const T& value) {
  if constexpr (std::is_same_v<T, std::string_view>) {
    return ToAbsl(value);
  } else {
    return (value);
  }
}
}  // namespace strings_internal

// absl::StrCat and absl::StrAppend that also take std::string_view.
template <typename... Args>
std::string StrCat(const Args&... args) {
  return absl::StrCat(strings_internal::Argument(args)...);
}

template <typename... Args>
void StrAppend(std::string* out, const Args&... args) {
  absl::StrAppend(out, strings_internal::Argument(args)...);
}

// For absl::flat_hash_map<std::string, T, TransparentStringHash, TransparentStringEqual>:
// find(std::string_view).
struct TransparentStringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using TransparentStringEqual = std::equal_to<>;

}  // namespace headgate
