#include "controller/translate/one_line.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

namespace headgate::translate {
namespace {

void MakeOneLine(std::string& text) {
  const auto is_control = [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); };
  if (std::none_of(text.begin(), text.end(), is_control)) return;  // as good as always
  std::string out;
  for (const char c : text) {
    if (is_control(c)) {
      out += absl::CEscape(absl::string_view(&c, 1));
    } else {
      out += c;
    }
  }
  text = std::move(out);
}

}  // namespace

void MakeOneLine(std::vector<Diagnostic>& diagnostics) {
  for (Diagnostic& diagnostic : diagnostics) {
    MakeOneLine(diagnostic.field);
    MakeOneLine(diagnostic.message);
  }
}

}  // namespace headgate::translate
