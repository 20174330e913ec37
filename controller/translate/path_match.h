// How the paths of a host are told apart, and the order in which a host with regular expressions
// tries them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

// What makes two routes of a host the same, in the order of the result: exact before prefix, longer
// before shorter.
struct MatchKey {
  bool exact = false;
  std::string path;

  friend bool operator==(const MatchKey&, const MatchKey&) = default;
  friend bool operator<(const MatchKey& a, const MatchKey& b) {
    if (a.exact != b.exact) return a.exact;
    if (a.path.size() != b.path.size()) return a.path.size() > b.path.size();
    return a.path < b.path;
  }
};

// Whether routes can have the path of an Ingress: empty (every path), or "/" and what follows, 8
// KiB at most, without control bytes. A data plane refuses others, and with them their host.
bool IsServable(std::string_view path);

// Whether requests for the path are sent on with another one.
bool Rewrites(const IngressSettings& settings, std::string_view path);

// Whether the path is a regular expression. One such path makes all the paths of its host regular
// expressions.
bool IsRegex(const IngressSettings& settings, std::string_view path);

// Whether the data plane takes the text as the pattern of a path.
enum class PatternForm : uint8_t {
  kNone,
  kLinear,        // matched in time linear in the path
  kBacktracking,  // with look-around or the like: by PCRE2, within a limit (common/regex.h)
};
PatternForm FormOf(std::string_view text);

// A pattern that fits the text and nothing else.
std::string QuotePattern(std::string_view text);

// Which of two patterns is tried first: the longer text, then the one that comes later in the
// alphabet.
bool TriedBefore(std::string_view a, std::string_view b);

}  // namespace headgate::translate
