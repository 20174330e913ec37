// What a PEM text holds. Pure.
#pragma once

#include <string_view>

namespace headgate::translate {

struct PemCount {
  int certificates = 0;
  int revocation_lists = 0;
};

// As far as the text can be read. REQUIRES: text.size() <= INT_MAX.
PemCount CountPem(std::string_view text);

}  // namespace headgate::translate
