#include "dataplane/policy/basic_auth.h"

#include <algorithm>
#include <atomic>

#include "absl/strings/escaping.h"
#include "common/hash.h"
#include "dataplane/http/chars.h"
#include "dataplane/http/header_map.h"

namespace headgate::policy {
namespace {

uint64_t NextId() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

std::optional<Credentials> ParseBasic(std::string_view authorization) {
  constexpr std::string_view kScheme = "Basic ";
  if (!http::EqualsIgnoreCase(authorization.substr(0, kScheme.size()), kScheme))
    return std::nullopt;
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  std::string text;
  if (!absl::Base64Unescape({authorization.data(), authorization.size()}, &text))
    return std::nullopt;
  const size_t colon = text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  return Credentials{text.substr(0, colon), text.substr(colon + 1)};
}

UserTable::UserTable() : id_(NextId()) {}

void UserTable::AddFile(std::string_view file) {
  while (!file.empty()) {
    const size_t end = file.find('\n');
    const std::string_view line = file.substr(0, end);
    file.remove_prefix(end == std::string_view::npos ? file.size() : end + 1);
    const size_t colon = line.find(':');
    if (line.starts_with('#') || colon == std::string_view::npos) continue;
    AddUser(line.substr(0, colon), line.substr(colon + 1));
  }
}

void UserTable::AddUser(std::string_view user, std::string_view hash) {
  hash = hash.substr(0, hash.find_first_of("\r\n"));
  seal_key_ = SecretBytes(Sha256Hex(StrCat(seal_key_.Reveal(), user, ":", hash)));
  const size_t colon = hash.find(':');
  hashes_.try_emplace(std::string(user), hash.substr(0, colon));
  if (colon == std::string_view::npos) return;
  const std::string_view digest = hash.substr(colon + 1);
  constexpr size_t kMd5Digits = 32;
  const bool hex =
      digest.size() == kMd5Digits &&
      std::all_of(digest.begin(), digest.end(), [](char c) { return http::IsHexDigit(c); });
  if (hex) digests_.try_emplace(StrCat(user, "\n", hash.substr(0, colon)), digest);
}

std::string_view UserTable::DigestOf(std::string_view user, std::string_view realm) const {
  const auto found = digests_.find(StrCat(user, "\n", realm));
  return found == digests_.end() ? std::string_view() : found->second.Reveal();
}

std::string_view UserTable::HashOf(std::string_view user) const {
  const auto found = hashes_.find(user);
  return found == hashes_.end() ? std::string_view() : found->second.Reveal();
}

}  // namespace headgate::policy
