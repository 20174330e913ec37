#include "controller/translate/config_map/compression_options.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/strings.h"

namespace headgate::translate {
namespace {

using Coding = v1::Compression::Coding;

// What ingress-nginx compresses unless told otherwise; text/html is always among them.
constexpr std::string_view kDefaultTypes[] = {"application/atom+xml",
                                              "application/javascript",
                                              "application/x-javascript",
                                              "application/json",
                                              "application/rss+xml",
                                              "application/vnd.ms-fontobject",
                                              "application/x-font-ttf",
                                              "application/x-web-app-manifest+json",
                                              "application/xhtml+xml",
                                              "application/xml",
                                              "font/opentype",
                                              "image/svg+xml",
                                              "image/x-icon",
                                              "text/css",
                                              "text/javascript",
                                              "text/plain",
                                              "text/x-component"};

bool IsTokenChar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsMediaType(std::string_view text) {
  if (text == "*") return true;
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == text.size()) return false;
  const auto is_token = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), IsTokenChar);
  };
  return is_token(text.substr(0, slash)) && is_token(text.substr(slash + 1));
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \t\r\n"), text.size());
    if (end != 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

void ReadTypes(OptionReader& reader, std::string_view name, std::string_view also, Coding& out) {
  const std::vector<std::string_view> types = Words(reader.Text(name).value_or(""));
  const bool good = std::all_of(types.begin(), types.end(), IsMediaType);
  if (!good) reader.Ignore(name, "media types with blanks between them, or *");
  if (good && !types.empty()) {
    for (std::string_view type : types) out.add_types(std::string(type));
    return;
  }
  for (std::string_view type : kDefaultTypes) out.add_types(std::string(type));
  if (!also.empty()) out.add_types(std::string(also));
}

struct CodingOptions {
  std::string_view prefix;  // of level, min-length and types
  int64_t least_level;
  int64_t most_level;
  std::string_view also;  // a type beyond the default ones
};

// Also where the coding is off: a bad value is told when it is written, not when it counts.
Coding ReadCoding(OptionReader& reader, const CodingOptions& options) {
  Coding coding;
  const auto level =
      reader.Int(StrCat(options.prefix, "-level"), options.least_level, options.most_level);
  if (level) coding.set_level(static_cast<uint32_t>(*level));
  const auto length =
      reader.Int(StrCat(options.prefix, "-min-length"), 0, std::numeric_limits<int32_t>::max());
  if (length) coding.set_min_length(static_cast<uint64_t>(*length));
  ReadTypes(reader, StrCat(options.prefix, "-types"), options.also, coding);
  return coding;
}

}  // namespace

void ReadCompressionOptions(OptionReader& reader, GlobalSettings& global) {
  v1::Compression out;
  Coding gzip = ReadCoding(reader, {"gzip", 1, 9, ""});
  Coding brotli = ReadCoding(reader, {"brotli", 0, 11, "application/xml+rss"});
  Coding zstd = ReadCoding(reader, {"zstd", 1, 19, "application/xml+rss"});
  if (reader.Bool("use-gzip").value_or(false)) *out.mutable_gzip() = std::move(gzip);
  if (reader.Bool("enable-brotli").value_or(false)) *out.mutable_brotli() = std::move(brotli);
  if (reader.Bool("enable-zstd").value_or(false)) *out.mutable_zstd() = std::move(zstd);
  if (out.has_gzip() || out.has_brotli() || out.has_zstd()) {
    *global.settings.mutable_compression() = std::move(out);
  }
}

}  // namespace headgate::translate
