// proxy-next-upstream, proxy-next-upstream-tries, proxy-next-upstream-timeout: when an attempt that
// failed is followed by another.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 3> kNextUpstreamNames = {
    "proxy-next-upstream", "proxy-next-upstream-tries", "proxy-next-upstream-timeout"};

// Bits by v1::NextUpstream::Condition. Words between blanks; "off" is no condition.
std::optional<uint32_t> ParseNextUpstream(std::string_view text);
inline constexpr std::string_view kNextUpstreamValues =
    "error, timeout, invalid_header, http_500, http_502, http_503, http_504, http_403, http_404, "
    "http_429 and "
    "non_idempotent with blanks between them, or off";

// A bad value is ignored.
void ReadNextUpstream(AnnotationReader& reader, IngressSettings& settings);

void SetNextUpstream(const NextUpstreamSettings& settings, v1::NextUpstream& out);

}  // namespace headgate::translate
