#pragma once

#include <string>
#include <vector>

// Certificates made on the spot, for tests.
namespace headgate::testing {

enum class KeyType { kEcdsa, kRsa };

struct PemPair {
  std::string chain;
  std::string key;
};

// Self-signed, for these DNS names; the first is the common name. Valid for a year around the
// present. Different keys on each call.
PemPair MakeCertificate(const std::vector<std::string>& names, KeyType type = KeyType::kEcdsa,
                        int key_bits = 2048);

}  // namespace headgate::testing
