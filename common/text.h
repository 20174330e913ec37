// Escaping of untrusted text for our own outputs: log lines, metrics, JSON.
#pragma once

#include <string>
#include <string_view>

namespace headgate {

// True when `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool IsValidUtf8(std::string_view text);

// Appends `text` as the inside of a JSON string (RFC 8259 section 7), without the quotes. Each byte
// that is not part of well-formed UTF-8 becomes U+FFFD, so the result is always valid JSON.
void AppendJsonEscaped(std::string& out, std::string_view text);
// The same into memory with room for six bytes for each of `text`; returns the end.
char* WriteJsonEscaped(std::string_view text, char* out);

// Appends `text` with each byte that is not part of well-formed UTF-8 replaced by U+FFFD.
void AppendUtf8(std::string& out, std::string_view text);

}  // namespace headgate
