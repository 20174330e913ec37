#include "dataplane/policy/password_hash.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/escaping.h"
#include "common/secret_bytes.h"

namespace headgate::policy {
namespace {

constexpr size_t kMaxPassword = 512;
constexpr unsigned kMaxRounds = 1'000'000;
constexpr unsigned kMaxBcryptCost = 14;
constexpr std::string_view kCryptAlphabet =
    "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

struct DigestFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// A digest of parts, as bytes.
class Digest {
 public:
  explicit Digest(const EVP_MD* kind) : context_(EVP_MD_CTX_new()) {
    EVP_DigestInit_ex(context_.get(), kind, nullptr);
  }
  Digest& Add(std::string_view part) {
    EVP_DigestUpdate(context_.get(), part.data(), part.size());
    return *this;
  }
  std::string Finish() {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), &size);
    out.resize(size);
    return out;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, DigestFree> context_;
};

bool Equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool MatchesSha(std::string_view password, std::string_view encoded, bool salted) {
  constexpr size_t kSha1Bytes = 20;
  std::string bytes;
  if (!absl::Base64Unescape({encoded.data(), encoded.size()}, &bytes)) return false;
  if (salted ? bytes.size() < kSha1Bytes : bytes.size() != kSha1Bytes) return false;
  const std::string_view salt = std::string_view(bytes).substr(kSha1Bytes);
  const std::string made = Digest(EVP_sha1()).Add(password).Add(salt).Finish();
  return Equal(made, std::string_view(bytes).substr(0, kSha1Bytes));
}

// Six bits at a time, the lowest first.
void AppendCryptText(uint32_t bits, int characters, std::string& out) {
  for (; characters > 0; --characters, bits >>= 6) out.push_back(kCryptAlphabet[bits & 63]);
}

// Apache's variant of md5crypt, apr_md5_encode: the same but for the text that marks it. `setting`:
// "$apr1$", a salt of at most 8 characters, and perhaps more.
std::string Apr1(std::string_view password, std::string_view setting) {
  constexpr std::string_view kMagic = "$apr1$";
  constexpr size_t kDigest = 16;
  std::string_view salt = setting.substr(kMagic.size());
  salt = salt.substr(0, std::min<size_t>({salt.find('$'), 8, salt.size()}));

  const std::string inner = Digest(EVP_md5()).Add(password).Add(salt).Add(password).Finish();
  Digest first(EVP_md5());
  first.Add(password).Add(kMagic).Add(salt);
  for (size_t left = password.size(); left > 0; left -= std::min(left, kDigest)) {
    first.Add(std::string_view(inner).substr(0, std::min(left, kDigest)));
  }
  for (size_t bits = password.size(); bits > 0; bits >>= 1) {
    first.Add((bits & 1) != 0 ? std::string_view("\0", 1) : password.substr(0, 1));
  }
  std::string digest = first.Finish();
  for (int round = 0; round < 1000; ++round) {
    Digest next(EVP_md5());
    next.Add((round & 1) != 0 ? password : std::string_view(digest));
    if (round % 3 != 0) next.Add(salt);
    if (round % 7 != 0) next.Add(password);
    next.Add((round & 1) != 0 ? std::string_view(digest) : password);
    digest = next.Finish();
  }
  const auto byte = [&](size_t i) {
    return static_cast<uint32_t>(static_cast<uint8_t>(digest[i]));
  };
  std::string out(kMagic);
  out.append(salt).push_back('$');
  for (size_t i = 0; i < 4; ++i) {
    AppendCryptText(byte(i) << 16 | byte(i + 6) << 8 | byte(i + 12), 4, out);
  }
  AppendCryptText(byte(4) << 16 | byte(10) << 8 | byte(5), 4, out);
  AppendCryptText(byte(11), 2, out);
  return out;
}

bool MatchesCrypt(std::string_view password, std::string_view hash) {
  const auto data = std::make_unique<crypt_data>();
  std::string key(password);
  const char* made = crypt_r(key.c_str(), std::string(hash).c_str(), data.get());
  const bool matches = made != nullptr && made[0] != '*' && Equal(made, hash);
  WipeMemory(key.data(), key.size());
  WipeMemory(data.get(), sizeof(*data));
  return matches;
}

bool IsTraditionalDes(std::string_view hash) {
  return hash.size() == 13 && hash.find_first_not_of(kCryptAlphabet) == std::string_view::npos;
}

// "rounds=N$" of sha256crypt and sha512crypt, if it is there.
bool RoundsAreFew(std::string_view rest) {
  constexpr std::string_view kRounds = "rounds=";
  if (!rest.starts_with(kRounds)) return true;
  rest.remove_prefix(kRounds.size());
  unsigned rounds = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), rounds);
  return error == std::errc() && rounds <= kMaxRounds;
}

bool IsCheapBcrypt(std::string_view hash) {
  if (hash.size() < 7 || hash[0] != '$' || hash[1] != '2' || hash[3] != '$' || hash[6] != '$')
    return false;
  if (hash[2] != 'a' && hash[2] != 'b' && hash[2] != 'y') return false;
  unsigned cost = 0;
  const auto [end, error] = std::from_chars(hash.data() + 4, hash.data() + 6, cost);
  return error == std::errc() && end == hash.data() + 6 && cost <= kMaxBcryptCost;
}

}  // namespace

HashCost CostOf(std::string_view hash) {
  if (hash.find('\0') != std::string_view::npos) return HashCost::kNone;
  if (hash.starts_with("{PLAIN}") || hash.starts_with("{SHA}") || hash.starts_with("{SSHA}")) {
    return HashCost::kLow;
  }
  if (IsTraditionalDes(hash)) return HashCost::kLow;
  const bool sha_crypt = hash.starts_with("$5$") || hash.starts_with("$6$");
  const bool known = hash.starts_with("$apr1$") || hash.starts_with("$1$") || IsCheapBcrypt(hash) ||
                     (sha_crypt && RoundsAreFew(hash.substr(3)));
  return known ? HashCost::kHigh : HashCost::kNone;
}

bool MatchesHash(std::string_view password, std::string_view hash) {
  if (password.size() > kMaxPassword || password.find('\0') != std::string_view::npos) return false;
  if (CostOf(hash) == HashCost::kNone) return false;
  constexpr std::string_view kPlain = "{PLAIN}";
  constexpr std::string_view kSha = "{SHA}";
  constexpr std::string_view kSaltedSha = "{SSHA}";
  if (hash.starts_with(kPlain)) return Equal(password, hash.substr(kPlain.size()));
  if (hash.starts_with(kSha)) return MatchesSha(password, hash.substr(kSha.size()), false);
  if (hash.starts_with(kSaltedSha))
    return MatchesSha(password, hash.substr(kSaltedSha.size()), true);
  if (hash.starts_with("$apr1$")) return Equal(Apr1(password, hash), hash);
  return MatchesCrypt(password, hash);
}

}  // namespace headgate::policy
