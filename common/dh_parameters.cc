#include "common/dh_parameters.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/check.h"

namespace headgate {
namespace {

constexpr size_t kMaxBytes = 64 * 1024;
constexpr int kLeastBits = 2048;
constexpr int kMostBits = 8192;

using KeyContextPtr = std::unique_ptr<EVP_PKEY_CTX, OpenSslDeleter<EVP_PKEY_CTX_free>>;

absl::Status Check(EVP_PKEY* parameters) {
  if (parameters == nullptr ||
      (EVP_PKEY_is_a(parameters, "DH") != 1 && EVP_PKEY_is_a(parameters, "DHX") != 1)) {
    return absl::InvalidArgumentError("these are no Diffie-Hellman parameters in PEM");
  }
  const int bits = EVP_PKEY_get_bits(parameters);
  if (bits < kLeastBits || bits > kMostBits) {
    return absl::InvalidArgumentError(
        absl::StrCat("the prime has ", bits, " bits, not ", kLeastBits, " to ", kMostBits));
  }
  const KeyContextPtr context(EVP_PKEY_CTX_new(parameters, nullptr));
  if (context == nullptr || EVP_PKEY_param_check_quick(context.get()) != 1) {
    return absl::InvalidArgumentError("prime and generator do not belong together");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KeyPtr> ParseDhParameters(std::string_view pem) {
  if (pem.size() > kMaxBytes) return absl::InvalidArgumentError("more than 64 KiB");
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  KeyPtr parameters(
      bio == nullptr ? nullptr : PEM_read_bio_Parameters_ex(bio.get(), nullptr, nullptr, nullptr));
  absl::Status status = Check(parameters.get());
  ERR_clear_error();  // a stale entry would be taken for the reason of some later failure
  if (!status.ok()) return status;
  return parameters;
}

std::string WriteDhParameters(const EVP_PKEY* parameters) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  HEADGATE_CHECK(bio != nullptr && PEM_write_bio_Parameters(bio.get(), parameters) == 1);
  const char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

}  // namespace headgate
