// What the two programs check of the files for mTLS between them before they use them.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace headgate {

struct PemFile {
  std::string_view path;  // for the error
  std::string_view content;
};

// OK when the first certificate and the key are PEM, not encrypted, and belong together, and the
// authority's file begins with a certificate. The error names the file.
absl::Status CheckTlsFiles(const PemFile& certificate, const PemFile& key,
                           const PemFile& authority);

}  // namespace headgate
