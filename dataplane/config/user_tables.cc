#include "dataplane/config/user_tables.h"

#include <algorithm>

namespace headgate::config {
namespace {

constexpr std::string_view kFile = "/users";
constexpr std::string_view kMap = "/user-map";

}  // namespace

bool IsUserTable(std::string_view name) {
  return name.starts_with("secret/") && (name.ends_with(kFile) || name.ends_with(kMap)) &&
         std::count(name.begin(), name.end(), '/') == 3;
}

std::shared_ptr<const policy::UserTable> CompileUserTable(std::string_view name,
                                                          const v1::SecretData& in) {
  auto users = std::make_shared<policy::UserTable>();
  for (const v1::SecretEntry& entry : in.data()) {
    if (name.ends_with(kMap)) {
      users->AddUser(entry.key(), entry.value());
    } else if (entry.key() == "auth") {
      users->AddFile(entry.value());
    }
  }
  return users;
}

}  // namespace headgate::config
