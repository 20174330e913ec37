// How programs behind the proxy read a path: each of the ways below exists in some server or
// framework. Shares no code with dataplane/http/uri.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headgate::testing {

struct PathReader {
  int decodes = 1;  // how often percent sequences are decoded
  bool backslash_is_slash = false;
  enum class Parameters {
    kKept,
    kStrippedBefore,
    kStrippedAfter
  } parameters = Parameters::kKept;  // decoding
  bool overlong_utf8 = false;        // C0 AE is a dot
  bool ends_at_nul = false;
};

inline std::vector<PathReader> AllPathReaders() {
  std::vector<PathReader> readers;
  using Parameters = PathReader::Parameters;
  for (int decodes = 0; decodes <= 3; ++decodes) {
    for (int flags = 0; flags < 8; ++flags) {
      for (const Parameters parameters :
           {Parameters::kKept, Parameters::kStrippedBefore, Parameters::kStrippedAfter}) {
        readers.push_back(
            {decodes, (flags & 1) != 0, parameters, (flags & 2) != 0, (flags & 4) != 0});
      }
    }
  }
  return readers;
}

// Malformed sequences stay as they are.
inline std::string DecodePercent(const std::string& text) {
  const auto hex = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
      out += static_cast<char>(hex(text[i + 1]) * 16 + hex(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

namespace path_readers_internal {

inline std::vector<std::string> Split(const std::string& path) {
  std::vector<std::string> segments(1);
  for (const char c : path) {
    if (c == '/') {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  return segments;
}

inline std::string WithoutParameters(const std::string& path) {
  std::string out;
  bool first = true;
  for (const std::string& segment : Split(path)) {
    if (!first) out += '/';
    first = false;
    out += segment.substr(0, segment.find(';'));
  }
  return out;
}

inline std::string WithoutOverlong(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if ((lead == 0xc0 || lead == 0xc1) && (next & 0xc0) == 0x80) {
      out += static_cast<char>((lead & 1) << 6 | (next & 0x3f));
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace path_readers_internal

// The path that such a program acts on: "/" and segments, without empty ones.
inline std::string ReadPath(const PathReader& reader, std::string path) {
  namespace internal = path_readers_internal;
  using Parameters = PathReader::Parameters;
  if (reader.parameters == Parameters::kStrippedBefore) path = internal::WithoutParameters(path);
  for (int i = 0; i < reader.decodes; ++i) path = DecodePercent(path);
  if (reader.overlong_utf8) path = internal::WithoutOverlong(path);
  if (reader.ends_at_nul) path = path.substr(0, path.find('\0'));
  if (reader.backslash_is_slash) {
    for (char& c : path) c = c == '\\' ? '/' : c;
  }
  if (reader.parameters == Parameters::kStrippedAfter) path = internal::WithoutParameters(path);
  std::vector<std::string> kept;
  for (const std::string& segment : internal::Split(path)) {
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string& segment : kept) out += "/" + segment;
  return out.empty() ? "/" : out;
}

// Whether the path that a reader acts on is `prefix` or below it, once what the reader left encoded
// is decoded too.
inline bool IsBelow(std::string path, std::string_view prefix) {
  for (std::string next = DecodePercent(path); next != path; next = DecodePercent(path))
    path = next;
  std::string merged;
  for (const char c : path) {
    if (c != '/' || !merged.ends_with('/')) merged += c;
  }
  if (prefix == "/" || merged == prefix) return true;
  return merged.starts_with(std::string(prefix) + "/");
}

}  // namespace headgate::testing
