#include "dataplane/route/conditions.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "common/strings.h"

namespace headgate::route {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Reads query text one decoded byte at a time, so that comparing needs no copy.
class QueryDecoder {
 public:
  explicit QueryDecoder(std::string_view text) : text_(text) {}

  // A '%' that starts no valid escape stands for itself.
  std::optional<char> Next() {
    if (at_ == text_.size()) return std::nullopt;
    const char c = text_[at_++];
    if (c == '+') return ' ';
    if (c == '%' && text_.size() - at_ >= 2) {
      const int high = HexValue(text_[at_]);
      const int low = HexValue(text_[at_ + 1]);
      if (high >= 0 && low >= 0) {
        at_ += 2;
        return static_cast<char>(high * 16 + low);
      }
    }
    return c;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

bool DecodesTo(std::string_view encoded, std::string_view plain) {
  QueryDecoder decoder(encoded);
  for (const char c : plain) {
    if (decoder.Next() != c) return false;
  }
  return !decoder.Next();
}

std::string Decode(std::string_view encoded) {
  std::string plain;
  plain.reserve(encoded.size());
  QueryDecoder decoder(encoded);
  while (const auto c = decoder.Next()) plain.push_back(*c);
  return plain;
}

// In doubt the more specific route has the request, with all that it asks of requests.
bool FitsWhole(const Regex& regex, std::string_view value) {
  return regex.Finds(value, /*when_in_doubt=*/true);
}

bool HeaderFits(const ValueCondition& condition, std::string_view value) {
  switch (condition.kind) {
    case ValueCondition::Kind::kExact: return value == condition.text;
    case ValueCondition::Kind::kRegex: return FitsWhole(*condition.regex, value);
    case ValueCondition::Kind::kPresent:
    case ValueCondition::Kind::kAbsent: break;
  }
  return true;
}

bool HeaderHolds(const ValueCondition& condition, const http::HeaderMap& fields) {
  const bool found = std::any_of(fields.begin(), fields.end(), [&](const http::Field& field) {
    return absl::EqualsIgnoreCase(ToAbsl(field.name), ToAbsl(condition.name)) &&
           HeaderFits(condition, field.value);
  });
  return found != (condition.kind == ValueCondition::Kind::kAbsent);
}

bool ParameterFits(const ValueCondition& condition, std::string_view encoded) {
  switch (condition.kind) {
    case ValueCondition::Kind::kExact: return DecodesTo(encoded, condition.text);
    case ValueCondition::Kind::kRegex:
      if (encoded.find_first_of("%+") == std::string_view::npos) {
        return FitsWhole(*condition.regex, encoded);
      }
      return FitsWhole(*condition.regex, Decode(encoded));
    case ValueCondition::Kind::kPresent:
    case ValueCondition::Kind::kAbsent: break;
  }
  return true;
}

bool ParameterHolds(const ValueCondition& condition, std::string_view query) {
  bool found = false;
  while (!query.empty() && !found) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    found = DecodesTo(pair.substr(0, equals), condition.name) && !pair.empty() &&
            ParameterFits(condition, value);
  }
  return found != (condition.kind == ValueCondition::Kind::kAbsent);
}

}  // namespace

bool Holds(const Conditions& conditions, const http::RequestHead& request) {
  const auto& methods = conditions.methods;
  if (!methods.empty() &&
      std::find(methods.begin(), methods.end(), request.method_text) == methods.end()) {
    return false;
  }
  const auto header_holds = [&](const ValueCondition& c) { return HeaderHolds(c, request.fields); };
  if (!std::all_of(conditions.headers.begin(), conditions.headers.end(), header_holds))
    return false;
  if (conditions.query.empty()) return true;
  const std::string_view query = request.query();
  return std::all_of(conditions.query.begin(), conditions.query.end(),
                     [&](const ValueCondition& c) { return ParameterHolds(c, query); });
}

}  // namespace headgate::route
