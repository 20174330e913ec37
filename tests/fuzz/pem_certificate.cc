// A TLS Secret as the control thread reads it. First byte: bit 0 puts a sound chain behind the
// chain of the input, bit 1 a sound key behind its key. Then the chain, a NUL, the key. Whatever it
// holds, it is refused with a reason without key material, or it gives a certificate.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/check.h"
#include "dataplane/tls/certificate.h"
#include "tests/support/certificates.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static const auto sound = headgate::testing::MakeCertificate({"a.example"});
  static headgate::tls::CertificateParser parser;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t nul = input.find('\0');
  std::string chain(input.substr(0, nul));
  std::string key(nul == std::string_view::npos ? std::string_view() : input.substr(nul + 1));
  if ((data[0] & 1) != 0) chain += sound.chain;
  if ((data[0] & 2) != 0) key += sound.key;

  const auto certificate = parser.Parse(chain, key);
  if (!certificate.ok()) {
    const std::string reason(certificate.status().message());
    HEADGATE_CHECK(!reason.empty() && reason.size() < 500);
    HEADGATE_CHECK(reason.find("PRIVATE KEY-----") == std::string::npos);
    for (const std::string& line : std::vector<std::string>(absl::StrSplit(key, '\n'))) {
      // Key material has no blanks; our own words do, and inputs that repeat them are no leak.
      const bool may_be_key = line.size() >= 32 && line.find(' ') == std::string::npos;
      HEADGATE_CHECK(!may_be_key || reason.find(line) == std::string::npos);
    }
    return 0;
  }
  HEADGATE_CHECK(!(*certificate)->key_der().empty() && !(*certificate)->leaf_der().empty());
  return 0;
}
