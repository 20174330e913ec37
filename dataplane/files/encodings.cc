#include "dataplane/files/encodings.h"

#include <cstddef>
#include <optional>

namespace headgate::files {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// "0", "1", "0.5", "1.000" in thousandths; 0 for what is none of these: better the file itself than
// a form that the client did not ask for.
uint16_t ParseWeight(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 0;
  unsigned value = static_cast<unsigned>(text[0] - '0') * 1000;
  if (text.size() == 1) return static_cast<uint16_t>(value);
  if (text[1] != '.' || text.size() > 5) return 0;
  unsigned unit = 100;
  for (const char c : text.substr(2)) {
    if (c < '0' || c > '9') return 0;
    value += static_cast<unsigned>(c - '0') * unit;
    unit /= 10;
  }
  return value > 1000 ? uint16_t{0} : static_cast<uint16_t>(value);
}

// The weight of one element, and its coding in `name`.
uint16_t ReadElement(std::string_view element, std::string_view& name) {
  const size_t semicolon = element.find(';');
  name = Trim(element.substr(0, semicolon));
  if (semicolon == std::string_view::npos) return 1000;
  const std::string_view parameter = Trim(element.substr(semicolon + 1));
  if (parameter.size() < 2 || (parameter[0] | 0x20) != 'q' || parameter[1] != '=') return 0;
  return ParseWeight(parameter.substr(2));
}

}  // namespace

EncodingWeights AcceptedEncodings(const http::HeaderMap& fields) {
  std::array<std::optional<uint16_t>, kEncodings.size()> named;
  uint16_t others = 0;  // "*"
  for (const http::Field& field : fields) {
    if (field.id != http::FieldId::kOther || !http::EqualsIgnoreCase(field.name, "Accept-Encoding"))
      continue;
    std::string_view rest = field.value;
    while (true) {
      const size_t comma = rest.find(',');
      std::string_view name;
      const uint16_t weight = ReadElement(rest.substr(0, comma), name);
      if (name == "*") others = weight;
      for (size_t i = 0; i < kEncodings.size(); ++i) {
        const bool alias = kEncodings[i].name == "gzip" && http::EqualsIgnoreCase(name, "x-gzip");
        if (alias || http::EqualsIgnoreCase(name, kEncodings[i].name)) named[i] = weight;
      }
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  EncodingWeights weights;
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = named[i].value_or(others);
  return weights;
}

}  // namespace headgate::files
