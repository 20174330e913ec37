// use-gzip, enable-brotli, enable-zstd (the last is our own), each with -level, -min-length and
// -types: which responses are compressed, and how.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "controller/translate/config_map/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 12> kCompressionOptions = {
    "use-gzip",      "gzip-level",   "gzip-min-length",   "gzip-types",
    "enable-brotli", "brotli-level", "brotli-min-length", "brotli-types",
    "enable-zstd",   "zstd-level",   "zstd-min-length",   "zstd-types"};

void ReadCompressionOptions(OptionReader& reader, GlobalSettings& global);

}  // namespace headgate::translate
