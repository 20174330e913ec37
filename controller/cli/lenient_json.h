// Reading pages of which not every part need be there: of another version of Headgate, say. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "controller/kube/json.h"

namespace headgate::cli {

// The member of an object, or null.
const kube::Json& Member(const kube::Json& object, std::string_view name);
// The text, or empty for what is no text.
std::string Text(const kube::Json& object, std::string_view name);
// Nothing for what is no whole number.
std::optional<int64_t> Number(const kube::Json& object, std::string_view name);

}  // namespace headgate::cli
