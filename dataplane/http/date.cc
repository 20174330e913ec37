#include "dataplane/http/date.h"

#include <cstring>

#include "absl/time/time.h"

namespace headgate::http {
namespace {

char* WriteTwo(int value, char* out) {
  out[0] = static_cast<char>('0' + value / 10 % 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

char* WriteText(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

}  // namespace

void WriteDate(time_t time, char* out) {
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  tm parts{};
  gmtime_r(&time, &parts);
  out = WriteText(kDays[parts.tm_wday], out);
  out = WriteText(", ", out);
  out = WriteTwo(parts.tm_mday, out);
  *out++ = ' ';
  out = WriteText(kMonths[parts.tm_mon], out);
  *out++ = ' ';
  const int year = parts.tm_year + 1900;
  out = WriteTwo(year / 100, out);
  out = WriteTwo(year % 100, out);
  *out++ = ' ';
  out = WriteTwo(parts.tm_hour, out);
  *out++ = ':';
  out = WriteTwo(parts.tm_min, out);
  *out++ = ':';
  out = WriteTwo(parts.tm_sec, out);
  WriteText(" GMT", out);
}

std::optional<time_t> ParseDate(std::string_view text) {
  if (text.size() < 24 || text.size() > 40) return std::nullopt;
  // IMF-fixdate, RFC 850's, asctime's.
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    absl::Time time;
    if (absl::ParseTime(form, absl::string_view(text.data(), text.size()), &time, nullptr)) {
      return absl::ToTimeT(time);
    }
  }
  return std::nullopt;
}

}  // namespace headgate::http
