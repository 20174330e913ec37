#include "dataplane/proxy/local_reply.h"

#include <array>
#include <string>
#include <utility>

namespace headgate::proxy {
namespace {

// Titles as ingress-nginx shows them: tests and probes of its users look for these words.
constexpr std::pair<uint16_t, const char*> kTitles[] = {
    {301, "301 Moved Permanently"},
    {302, "302 Found"},
    {303, "303 See Other"},
    {307, "307 Temporary Redirect"},
    {308, "308 Permanent Redirect"},
    {400, "400 Bad Request"},
    {401, "401 Authorization Required"},
    {403, "403 Forbidden"},
    {404, "404 Not Found"},
    {405, "405 Not Allowed"},
    {408, "408 Request Time-out"},
    {413, "413 Request Entity Too Large"},
    {414, "414 Request-URI Too Large"},
    {417, "417 Expectation Failed"},
    {421, "421 Misdirected Request"},
    {429, "429 Too Many Requests"},
    {431, "431 Request Header Fields Too Large"},
    {500, "500 Internal Server Error"},
    {501, "501 Not Implemented"},
    {502, "502 Bad Gateway"},
    {503, "503 Service Temporarily Unavailable"},
    {504, "504 Gateway Time-out"},
    {505, "505 HTTP Version Not Supported"},
};

std::array<std::string, std::size(kTitles)> MakePages() {
  std::array<std::string, std::size(kTitles)> pages;
  for (size_t i = 0; i < pages.size(); ++i) {
    const std::string title = kTitles[i].second;
    pages[i] = "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" +
               title + "</h1></center>\r\n</body>\r\n</html>\r\n";
  }
  return pages;
}

}  // namespace

uint16_t StatusFor(const base::Failure& failure) {
  using Kind = base::Failure::Kind;
  switch (failure.kind) {
    case Kind::kHeadTimeout: return 408;
    case Kind::kHeadTooLarge: return 431;
    case Kind::kTargetTooLong: return 414;
    case Kind::kBodyTooLarge: return 413;
    case Kind::kConnectTimeout: return 504;
    case Kind::kNoEndpoint:
    case Kind::kOverloaded:
    case Kind::kUpstreamLimit:
    case Kind::kDraining: return 503;
    case Kind::kTimeout: return failure.side == base::Failure::Side::kDownstream ? 408 : 504;
    default: return failure.side == base::Failure::Side::kDownstream ? 400 : 502;
  }
}

std::string_view LocalPage(uint16_t status) {
  static const auto* const kPages =
      new auto(MakePages());  // never destroyed: workers may outlive main
  for (size_t i = 0; i < kPages->size(); ++i) {
    if (kTitles[i].first == status) return (*kPages)[i];
  }
  return {};
}

}  // namespace headgate::proxy
