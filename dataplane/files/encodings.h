#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/http/header_map.h"

namespace headgate::files {

// A compressed form that lies beside a file.
struct Encoding {
  std::string_view name;    // content coding
  std::string_view suffix;  // of the sibling's name
};

// Best first.
inline constexpr std::array<Encoding, 3> kEncodings = {
    {{"br", ".br"}, {"zstd", ".zst"}, {"gzip", ".gz"}}};

// The weights (RFC 9110 section 12.4.2) that a client gives to kEncodings, in thousandths; 0: not
// acceptable.
using EncodingWeights = std::array<uint16_t, kEncodings.size()>;

// From Accept-Encoding (section 12.5.3); without the field, nothing but the file itself.
EncodingWeights AcceptedEncodings(const http::HeaderMap& fields);

}  // namespace headgate::files
