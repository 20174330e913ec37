#include "controller/state/resource_version.h"

#include <algorithm>

namespace headgate::state {
namespace {

bool IsNumber(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view WithoutLeadingZeros(std::string_view digits) {
  const size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? std::string_view() : digits.substr(first);
}

}  // namespace

bool IsOlderVersion(std::string_view a, std::string_view b) {
  if (!IsNumber(a) || !IsNumber(b)) return false;
  a = WithoutLeadingZeros(a);
  b = WithoutLeadingZeros(b);
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace headgate::state
