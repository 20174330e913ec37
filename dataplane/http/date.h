#pragma once

#include <cstddef>
#include <ctime>
#include <optional>
#include <string_view>

namespace headgate::http {

constexpr size_t kDateSize = 29;

// Writes `time` as an IMF-fixdate (RFC 9110 section 5.6.7), "Sun, 06 Nov 1994 08:49:37 GMT", to
// `out`, which has kDateSize bytes. Years outside 0–9999 are not supported.
void WriteDate(time_t time, char* out);

// Reads an HTTP-date in any of its three forms (RFC 9110 section 5.6.7); nothing if it is none.
std::optional<time_t> ParseDate(std::string_view text);

}  // namespace headgate::http
