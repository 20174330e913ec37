#include "dataplane/encoding/coding.h"

#include <algorithm>
#include <optional>

namespace headgate::encoding {
namespace {

constexpr uint16_t kFull = 1000;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
std::optional<uint16_t> ParseWeight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1') || text.size() > 5) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  uint16_t weight = text[0] == '1' ? kFull : 0;
  uint16_t unit = 100;
  for (char c : text.substr(std::min<size_t>(text.size(), 2))) {
    if (c < '0' || c > '9') return std::nullopt;
    weight = static_cast<uint16_t>(weight + (c - '0') * unit);
    unit /= 10;
  }
  return weight <= kFull ? std::optional(weight) : std::nullopt;
}

// The weight that the parameters of an item say; an unreadable one rules the item out.
uint16_t WeightOf(std::string_view parameters) {
  while (!parameters.empty()) {
    const size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = Trim(parameters.substr(0, end));
    if (parameter.size() > 2 && (parameter[0] == 'q' || parameter[0] == 'Q') &&
        parameter[1] == '=') {
      return ParseWeight(parameter.substr(2)).value_or(0);
    }
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
  }
  return kFull;
}

std::optional<Coding> CodingOf(std::string_view name) {
  using http::EqualsIgnoreCase;
  if (EqualsIgnoreCase(name, "gzip") || EqualsIgnoreCase(name, "x-gzip")) return Coding::kGzip;
  if (EqualsIgnoreCase(name, "br")) return Coding::kBrotli;
  if (EqualsIgnoreCase(name, "zstd")) return Coding::kZstd;
  if (EqualsIgnoreCase(name, "identity")) return Coding::kIdentity;
  return std::nullopt;
}

}  // namespace

std::string_view CodingName(Coding coding) {
  switch (coding) {
    case Coding::kIdentity: return "identity";
    case Coding::kGzip: return "gzip";
    case Coding::kBrotli: return "br";
    case Coding::kZstd: return "zstd";
  }
  return "identity";
}

AcceptedCodings AcceptedCodings::Parse(const http::HeaderMap& fields) {
  AcceptedCodings result;
  std::array<bool, kCodings> named = {};
  uint16_t star = 0;
  for (const http::Field& field : fields) {
    if (!http::EqualsIgnoreCase(field.name, "accept-encoding")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(','), rest.size());
      const std::string_view item = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const size_t mark = std::min(item.find(';'), item.size());
      const std::string_view name = Trim(item.substr(0, mark));
      const uint16_t weight = WeightOf(item.substr(std::min(mark + 1, item.size())));
      if (name == "*") {
        star = weight;
      } else if (const std::optional<Coding> coding = CodingOf(name)) {
        named[static_cast<size_t>(*coding)] = true;
        result.weights_[static_cast<size_t>(*coding)] = weight;
      }
    }
  }
  for (Coding coding : {Coding::kGzip, Coding::kBrotli, Coding::kZstd}) {
    if (!named[static_cast<size_t>(coding)]) result.weights_[static_cast<size_t>(coding)] = star;
  }
  return result;
}

Coding AcceptedCodings::Choose(std::span<const Coding> offered) const {
  Coding best = Coding::kIdentity;
  for (Coding coding : offered) {
    const uint16_t least = best == Coding::kIdentity ? std::max<uint16_t>(weight(best), 1)
                                                     : static_cast<uint16_t>(weight(best) + 1);
    if (weight(coding) >= least) best = coding;
  }
  return best;
}

}  // namespace headgate::encoding
