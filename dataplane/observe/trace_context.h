#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace headgate::observe {

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

// Where in which trace somebody is: W3C Trace Context, level 1 (www.w3.org/TR/trace-context),
// section 3.2.
struct TraceContext {
  TraceId trace_id{};  // not all zero, as the next
  SpanId span_id{};
  bool sampled = false;
  bool operator==(const TraceContext&) const = default;
};

inline constexpr std::string_view kTraceparent = "traceparent";
inline constexpr std::string_view kTracestate = "tracestate";

// The value of traceparent, exactly: lower case, no blanks. Of versions to come what version 00 has
// is read; anything else is nothing, and begins a new trace.
std::optional<TraceContext> ParseTraceparent(std::string_view text);

inline constexpr size_t kTraceparentSize = 55;
// Writes kTraceparentSize bytes, version 00.
void WriteTraceparent(const TraceContext& context, char* out);

// Whether the value of tracestate, its fields joined by commas, may be passed on (section 3.3): a
// list of at most 32 members "key=value", each key once, of at most 512 bytes in all.
bool IsTracestate(std::string_view text);

}  // namespace headgate::observe
