#include "dataplane/policy/digest_auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "common/hash.h"
#include "common/strings.h"
#include "dataplane/http/header_map.h"

namespace headgate::policy {
namespace {

// Of the time and of the id.
constexpr size_t kNumberDigits = 16;
constexpr size_t kSealDigits = 32;

std::string HexMd5(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) != 1)
    return {};
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

bool Equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string Seal(const UserTable& users, std::string_view sealed) {
  return Sha256Hex(StrCat(users.seal_key(), sealed)).substr(0, kSealDigits);
}

std::string HexNumber(uint64_t number) {
  std::string text(kNumberDigits, '0');
  char digits[kNumberDigits];
  const auto end = std::to_chars(digits, digits + kNumberDigits, number, 16).ptr;
  const auto size = static_cast<size_t>(end - digits);
  return text.replace(kNumberDigits - size, size, digits, size);
}

template <typename Number>
bool ReadHex(std::string_view digits, Number& number) {
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
  return error == std::errc() && end == digits.data() + digits.size();
}

// False: it is none of ours.
bool ReadNonce(const UserTable& users, std::string_view nonce, NonceUse& use) {
  constexpr size_t kSealed = 2 * kNumberDigits;
  if (nonce.size() != kSealed + kSealDigits) return false;
  if (!Equal(nonce.substr(kSealed), Seal(users, nonce.substr(0, kSealed)))) return false;
  return ReadHex(nonce.substr(0, kNumberDigits), use.made) &&
         ReadHex(nonce.substr(kNumberDigits, kNumberDigits), use.id);
}

// "00000001"; false for what is no count (RFC 7616 section 3.4).
bool ReadCount(std::string_view text, uint32_t& count) {
  constexpr size_t kDigits = 8;
  return text.size() == kDigits && ReadHex(text, count) && count != 0;
}

struct Response {
  std::string username, realm, nonce, uri, qop, nc, cnonce, response, algorithm;
};

// "Digest name=value, name="value", ..." (RFC 9110 section 11.4); each name at most once.
std::optional<Response> Parse(std::string_view text) {
  constexpr std::string_view kScheme = "Digest ";
  if (!http::EqualsIgnoreCase(text.substr(0, kScheme.size()), kScheme)) return std::nullopt;
  text.remove_prefix(kScheme.size());
  Response out;
  const struct {
    std::string_view name;
    std::string& value;
  } known[] = {
      {"username", out.username}, {"realm", out.realm},       {"nonce", out.nonce},
      {"uri", out.uri},           {"qop", out.qop},           {"nc", out.nc},
      {"cnonce", out.cnonce},     {"response", out.response}, {"algorithm", out.algorithm}};
  uint32_t seen = 0;
  while (true) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == ','))
      text.remove_prefix(1);
    if (text.empty()) return out;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = text.substr(0, equals);
    text.remove_prefix(equals + 1);
    std::string value;
    if (text.starts_with('"')) {
      size_t at = 1;
      while (at < text.size() && text[at] != '"') {
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        value.push_back(text[at++]);
      }
      if (at >= text.size()) return std::nullopt;
      text.remove_prefix(at + 1);
    } else {
      const size_t end = std::min(text.find_first_of(", \t"), text.size());
      value = text.substr(0, end);
      text.remove_prefix(end);
    }
    uint32_t bit = 1;
    for (const auto& [known_name, target] : known) {
      if (http::EqualsIgnoreCase(name, known_name)) {
        if ((seen & bit) != 0) return std::nullopt;
        seen |= bit;
        target = std::move(value);
        break;
      }
      bit <<= 1;
    }
  }
}

}  // namespace

std::string MakeNonce(const UserTable& users, int64_t now, uint64_t id) {
  const std::string sealed = StrCat(HexNumber(static_cast<uint64_t>(now)), HexNumber(id));
  return StrCat(sealed, Seal(users, sealed));
}

std::string DigestChallenge(const UserTable& users, std::string_view realm, bool stale, int64_t now,
                            uint64_t id) {
  return StrCat("Digest algorithm=\"MD5\", qop=\"auth\", realm=\"", realm, "\", nonce=\"",
                MakeNonce(users, now, id), "\"", stale ? ", stale=\"true\"" : "");
}

DigestVerdict CheckDigest(const UserTable& users, std::string_view realm,
                          std::string_view authorization, std::string_view method,
                          std::string_view target, int64_t now, NonceUse& use) {
  const std::optional<Response> said = Parse(authorization);
  if (!said || said->realm != realm || said->qop != "auth" || said->cnonce.empty() ||
      !ReadCount(said->nc, use.count)) {
    return DigestVerdict::kDoesNot;
  }
  if (!said->algorithm.empty() && !http::EqualsIgnoreCase(said->algorithm, "MD5"))
    return DigestVerdict::kDoesNot;
  // What was made for one request is no use for another.
  if (said->uri != target) return DigestVerdict::kDoesNot;
  const std::string_view ha1 = users.DigestOf(said->username, realm);
  if (ha1.empty()) return DigestVerdict::kDoesNot;
  const std::string expected = HexMd5(StrCat(
      absl::AsciiStrToLower(absl::string_view(ha1.data(), ha1.size())), ":", said->nonce, ":",
      said->nc, ":", said->cnonce, ":", said->qop, ":", HexMd5(StrCat(method, ":", said->uri))));
  if (!Equal(expected, absl::AsciiStrToLower(said->response))) return DigestVerdict::kDoesNot;
  const bool ours = ReadNonce(users, said->nonce, use);
  const bool fresh = ours && use.made <= now + kNonceSeconds && now - use.made <= kNonceSeconds;
  return fresh ? DigestVerdict::kMatches : DigestVerdict::kStale;
}

}  // namespace headgate::policy
