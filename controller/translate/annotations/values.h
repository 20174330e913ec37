// Annotation values: the types of ingress-nginx, with exactly what its parsers accept. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "controller/kube/objects.h"

namespace headgate::translate {

// 1 t T TRUE true True, 0 f F FALSE false False; nothing else.
std::optional<bool> ParseBool(std::string_view text);

// on or off, as NGINX writes its switches.
std::optional<bool> ParseOnOff(std::string_view text);

// An optional sign and decimal digits, within 64 bits.
std::optional<int64_t> ParseInt(std::string_view text);

// Digits and an optional unit k, m or g (powers of 1024, either case), in bytes.
std::optional<uint64_t> ParseSize(std::string_view text);

// Digits with a unit, one after the other: ms, s, m, h, d, w, M (30 days) or y (365 days), largest
// first as people write them. Digits alone are seconds.
std::optional<absl::Duration> ParseDuration(std::string_view text);

// The items between commas, without blanks around them; empty ones are left out.
std::vector<std::string_view> SplitList(std::string_view text);

// Whether it is printable ASCII alone.
bool IsPrintable(std::string_view text);

// "NS/NAME"; nothing for anything else.
std::optional<kube::ObjectKey> ParseReference(std::string_view text);

// The value in quotes, for a message; a long one only at its beginning.
std::string QuoteValue(std::string_view value);

// Letters, digits and - . _ ~ / : , ? & =, with blanks left out of account. Never empty.
bool IsUrlText(std::string_view text);

// Without blanks, tabs and line ends around it.
std::string_view Trim(std::string_view text);

}  // namespace headgate::translate
