// Path normalisation: what is forwarded has, for every reader we know of, no dot segment, and reads
// as the path that was matched. And authorities: what is accepted is accepted again in its own
// normal form.
#include "dataplane/http/uri.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"
#include "tests/support/path_readers.h"

namespace {

// Whether a reader that splits at slashes and backslashes and strips parameters sees a dot segment.
bool ShowsDots(const std::string& path) {
  size_t begin = 0;
  while (begin <= path.size()) {
    size_t end = path.find_first_of("/\\", begin);
    if (end == std::string::npos) end = path.size();
    std::string segment = path.substr(begin, end - begin);
    segment = segment.substr(0, segment.find(';'));
    if (segment == "." || segment == "..") return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static headgate::base::BlockPool pool;
  static const auto kReaders = headgate::testing::AllPathReaders();
  headgate::base::Arena arena(pool);

  headgate::http::NormalPath normal;
  if (headgate::http::NormalizePath(input, arena, normal) && normal.match != "*") {
    HEADGATE_CHECK(normal.match.front() == '/' && normal.forward.front() == '/');
    HEADGATE_CHECK(normal.rewritten || normal.forward == input);
    HEADGATE_CHECK(normal.match.find("//") == std::string_view::npos);
    std::string seen(normal.forward);
    for (int depth = 0; depth < 4; ++depth) {
      HEADGATE_CHECK(!ShowsDots(seen));
      seen = headgate::testing::DecodePercent(seen);
    }
    // A route for the first segment: nobody reads the path as lying outside it.
    const size_t end = normal.match.find('/', 1);
    const std::string_view prefix = normal.match.substr(0, end);
    if (prefix.find_first_not_of("/abcdefghijklmnopqrstuvwxyz") == std::string_view::npos) {
      for (const auto& reader : kReaders) {
        HEADGATE_CHECK(headgate::testing::IsBelow(
            headgate::testing::ReadPath(reader, std::string(normal.forward)), prefix));
      }
    }
    headgate::http::NormalPath again;
    HEADGATE_CHECK(headgate::http::NormalizePath(normal.forward, arena, again));
    HEADGATE_CHECK(again.match == normal.match && !again.rewritten);
  }

  headgate::http::Authority authority;
  if (headgate::http::ParseAuthority(input, arena, authority)) {
    HEADGATE_CHECK(!authority.host.empty() && authority.host.size() <= 255);
    std::string text(authority.host);
    for (char c : text) {
      HEADGATE_CHECK(c > ' ' && c < 0x7f && (c < 'A' || c > 'Z') &&
                     std::string_view("/?#@%\\,\"").find(c) == std::string_view::npos);
    }
    if (authority.port != 0) text += ":" + std::to_string(authority.port);
    headgate::http::Authority again;
    HEADGATE_CHECK(headgate::http::ParseAuthority(text, arena, again));
    HEADGATE_CHECK(again.port == authority.port);
  }
  return 0;
}
