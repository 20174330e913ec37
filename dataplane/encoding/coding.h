#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/http/header_map.h"

namespace headgate::encoding {

// Content codings (RFC 9110 section 8.4.1; RFC 7932, RFC 8878).
enum class Coding : uint8_t { kIdentity, kGzip, kBrotli, kZstd };
inline constexpr size_t kCodings = 4;

// "gzip", "br", "zstd"; "identity".
std::string_view CodingName(Coding coding);

// What a client takes, by its Accept-Encoding fields (RFC 9110 section 12.5.3).
class AcceptedCodings {
 public:
  // A field that cannot be read says nothing.
  static AcceptedCodings Parse(const http::HeaderMap& fields);

  // Weight in thousandths; 0: must not be sent.
  uint16_t weight(Coding coding) const { return weights_[static_cast<size_t>(coding)]; }

  // The one with the highest weight, the earliest in `offered` among equals; kIdentity when there
  // is none, or when the client says that it prefers that.
  Coding Choose(std::span<const Coding> offered) const;

 private:
  std::array<uint16_t, kCodings> weights_ = {};
};

}  // namespace headgate::encoding
