// Annotation values: the types of ingress-nginx, with exactly what its parsers accept. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace headgate::translate {

// 1 t T TRUE true True, 0 f F FALSE false False; nothing else.
std::optional<bool> ParseBool(std::string_view text);

// An optional sign and decimal digits, within 64 bits.
std::optional<int64_t> ParseInt(std::string_view text);

// Digits and an optional unit k, m or g (powers of 1024, either case), in bytes.
std::optional<uint64_t> ParseSize(std::string_view text);

// Letters, digits and - . _ ~ / : , ? & =, with blanks left out of account. Never empty.
bool IsUrlText(std::string_view text);

// Without blanks, tabs and line ends around it.
std::string_view Trim(std::string_view text);

}  // namespace headgate::translate
