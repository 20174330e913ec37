#include "controller/translate/ticket_keys.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdint>
#include <string>

#include "common/strings.h"
#include "controller/translate/emit.h"

namespace headgate::translate {
namespace {

constexpr int64_t kPeriodSeconds = 12 * 3600;
constexpr size_t kKeySize = 80;

// HKDF-Expand (RFC 5869 section 2.3) with SHA-256.
std::string Derive(const SecretBytes& root, int64_t epoch) {
  const std::string info = StrCat("headgate session tickets ", epoch);
  std::string out;
  std::string block;
  for (char counter = 1; out.size() < kKeySize; ++counter) {
    std::string input = block + info + counter;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha256(), root.Reveal().data(), static_cast<int>(root.size()),
         reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest, &size);
    block.assign(reinterpret_cast<const char*>(digest), size);
    out += block;
  }
  out.resize(kKeySize);
  return out;
}

}  // namespace

int64_t TicketEpoch(absl::Time now) { return absl::ToUnixSeconds(now) / kPeriodSeconds; }

ResourcePtr TranslateTicketKeys(const SecretBytes& root, const SecretBytes& fixed, int64_t epoch) {
  if (root.empty() && fixed.empty()) return nullptr;
  v1::Resource resource;
  if (!fixed.empty()) {
    AddSecretEntry(resource, "current", fixed.Reveal());
  } else {
    AddSecretEntry(resource, "current", Derive(root, epoch));
    AddSecretEntry(resource, "next", Derive(root, epoch + 1));
    AddSecretEntry(resource, "previous", Derive(root, epoch - 1));
  }
  return Finish(std::string(kTicketKeysName), std::move(resource));
}

}  // namespace headgate::translate
