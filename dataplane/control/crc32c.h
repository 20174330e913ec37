#pragma once

#include <cstdint>
#include <string_view>

namespace headgate::control {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4), the check sum of the records on disk. Pass the
// result of one call as `crc` of the next to go on over several pieces.
uint32_t Crc32c(std::string_view bytes, uint32_t crc = 0);

}  // namespace headgate::control
