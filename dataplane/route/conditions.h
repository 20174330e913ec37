#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/regex.h"
#include "dataplane/http/message.h"

namespace headgate::route {

// One header or query parameter that a request must, or must not, have. When a name occurs several
// times, one fitting occurrence is enough.
struct ValueCondition {
  enum class Kind : uint8_t {
    kExact,    // equal to `text`, byte by byte
    kRegex,    // the whole value fits `regex`
    kPresent,  // there, with any value
    kAbsent,
  };
  std::string name;
  Kind kind = Kind::kPresent;
  std::string text;
  std::shared_ptr<const Regex> regex;
};

// What a route asks of a request beside its path. All parts must hold.
struct Conditions {
  // Empty: every method. Case-sensitive (RFC 9110 section 9.1).
  std::vector<std::string> methods;
  // Names in any case.
  std::vector<ValueCondition> headers;
  // Names and values are compared after percent-decoding, '+' standing for a space. Names are
  // case-sensitive.
  std::vector<ValueCondition> query;

  bool empty() const { return methods.empty() && headers.empty() && query.empty(); }
};

bool Holds(const Conditions& conditions, const http::RequestHead& request);

}  // namespace headgate::route
