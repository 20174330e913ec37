#include "controller/cli/lenient_json.h"

namespace headgate::cli {

const kube::Json& Member(const kube::Json& object, std::string_view name) {
  static const kube::Json kNone;
  const auto found = object.find(std::string(name));
  return found == object.end() ? kNone : *found;
}

std::string Text(const kube::Json& object, std::string_view name) {
  const kube::Json& member = Member(object, name);
  return member.is_string() ? member.get<std::string>() : "";
}

std::optional<int64_t> Number(const kube::Json& object, std::string_view name) {
  const kube::Json& member = Member(object, name);
  return member.is_number_integer() ? std::optional(member.get<int64_t>()) : std::nullopt;
}

}  // namespace headgate::cli
