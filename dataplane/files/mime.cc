#include "dataplane/files/mime.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace headgate::files {
namespace {

struct Row {
  std::string_view extension;
  MimeType type;
};

constexpr MimeType kText{"text/plain; charset=utf-8", true};
constexpr MimeType kJavaScript{"text/javascript; charset=utf-8", true};

// Sorted by extension. Names of types as registered with IANA; text/javascript is RFC 9239.
constexpr Row kRows[] = {
    {"3gp", {"video/3gpp"}},
    {"7z", {"application/x-7z-compressed"}},
    {"aac", {"audio/aac"}},
    {"apng", {"image/apng"}},
    {"atom", {"application/atom+xml", true}},
    {"avi", {"video/x-msvideo"}},
    {"avif", {"image/avif"}},
    {"bmp", {"image/bmp", true}},
    {"br", {"application/octet-stream"}},
    {"bz2", {"application/x-bzip2"}},
    {"cer", {"application/pkix-cert"}},
    {"conf", kText},
    {"crl", {"application/pkix-crl"}},
    {"crt", {"application/x-x509-ca-cert"}},
    {"css", {"text/css; charset=utf-8", true}},
    {"csv", {"text/csv; charset=utf-8", true}},
    {"deb", {"application/vnd.debian.binary-package"}},
    {"doc", {"application/msword"}},
    {"docx", {"application/vnd.openxmlformats-officedocument.wordprocessingml.document"}},
    {"eot", {"application/vnd.ms-fontobject", true}},
    {"epub", {"application/epub+zip"}},
    {"flac", {"audio/flac"}},
    {"geojson", {"application/geo+json", true}},
    {"gif", {"image/gif"}},
    {"gz", {"application/gzip"}},
    {"htm", {"text/html; charset=utf-8", true}},
    {"html", {"text/html; charset=utf-8", true}},
    {"ico", {"image/vnd.microsoft.icon", true}},
    {"ics", {"text/calendar; charset=utf-8", true}},
    {"ini", kText},
    {"jar", {"application/java-archive"}},
    {"jpeg", {"image/jpeg"}},
    {"jpg", {"image/jpeg"}},
    {"js", kJavaScript},
    {"json", {"application/json", true}},
    {"jsonld", {"application/ld+json", true}},
    {"jxl", {"image/jxl"}},
    {"log", kText},
    {"m3u8", {"application/vnd.apple.mpegurl", true}},
    {"m4a", {"audio/mp4"}},
    {"m4v", {"video/mp4"}},
    {"map", {"application/json", true}},
    {"md", {"text/markdown; charset=utf-8", true}},
    {"mid", {"audio/midi"}},
    {"mjs", kJavaScript},
    {"mov", {"video/quicktime"}},
    {"mp3", {"audio/mpeg"}},
    {"mp4", {"video/mp4"}},
    {"mpd", {"application/dash+xml", true}},
    {"mpeg", {"video/mpeg"}},
    {"odp", {"application/vnd.oasis.opendocument.presentation"}},
    {"ods", {"application/vnd.oasis.opendocument.spreadsheet"}},
    {"odt", {"application/vnd.oasis.opendocument.text"}},
    {"oga", {"audio/ogg"}},
    {"ogg", {"audio/ogg"}},
    {"ogv", {"video/ogg"}},
    {"opus", {"audio/ogg"}},
    {"otf", {"font/otf", true}},
    {"pdf", {"application/pdf"}},
    {"pem", {"application/x-pem-file", true}},
    {"png", {"image/png"}},
    {"ppt", {"application/vnd.ms-powerpoint"}},
    {"pptx", {"application/vnd.openxmlformats-officedocument.presentationml.presentation"}},
    {"rar", {"application/vnd.rar"}},
    {"rpm", {"application/x-rpm"}},
    {"rss", {"application/rss+xml", true}},
    {"rtf", {"application/rtf", true}},
    {"svg", {"image/svg+xml", true}},
    {"svgz", {"image/svg+xml"}},
    {"tar", {"application/x-tar", true}},
    {"tgz", {"application/gzip"}},
    {"tif", {"image/tiff"}},
    {"tiff", {"image/tiff"}},
    {"toml", {"application/toml", true}},
    {"ts", {"video/mp2t"}},
    {"ttf", {"font/ttf", true}},
    {"txt", kText},
    {"vtt", {"text/vtt; charset=utf-8", true}},
    {"wasm", {"application/wasm", true}},
    {"wav", {"audio/wav"}},
    {"weba", {"audio/webm"}},
    {"webm", {"video/webm"}},
    {"webmanifest", {"application/manifest+json", true}},
    {"webp", {"image/webp"}},
    {"woff", {"font/woff"}},
    {"woff2", {"font/woff2"}},
    {"xhtml", {"application/xhtml+xml", true}},
    {"xls", {"application/vnd.ms-excel"}},
    {"xlsx", {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}},
    {"xml", {"application/xml", true}},
    {"xsl", {"application/xslt+xml", true}},
    {"xz", {"application/x-xz"}},
    {"yaml", {"application/yaml", true}},
    {"yml", {"application/yaml", true}},
    {"zip", {"application/zip"}},
    {"zst", {"application/zstd"}},
};
static_assert(std::is_sorted(std::begin(kRows), std::end(kRows),
                             [](const Row& a, const Row& b) { return a.extension < b.extension; }));

constexpr size_t kLongest = 11;

}  // namespace

MimeType MimeTypeOf(std::string_view name) {
  constexpr MimeType kUnknown{"application/octet-stream"};
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || name.size() - dot - 1 > kLongest) return kUnknown;
  char lower[kLongest];
  size_t size = 0;
  for (const char c : name.substr(dot + 1)) {
    lower[size++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  const std::string_view extension(lower, size);
  const Row* const row =
      std::lower_bound(std::begin(kRows), std::end(kRows), extension,
                       [](const Row& a, std::string_view wanted) { return a.extension < wanted; });
  return row != std::end(kRows) && row->extension == extension ? row->type : kUnknown;
}

}  // namespace headgate::files
