#include "controller/translate/header_names.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "absl/strings/ascii.h"
#include "common/strings.h"

namespace headgate::translate {
namespace {

// Sorted.
constexpr std::string_view kOfCodecs[] = {
    "connection",     "content-length",    "expect",           "host",
    "http2-settings", "keep-alive",        "proxy-connection", "te",
    "trailer",        "transfer-encoding", "upgrade"};
constexpr std::string_view kForwarding[] = {"ssl-client-cert",
                                            "ssl-client-issuer-dn",
                                            "ssl-client-subject-dn",
                                            "ssl-client-verify",
                                            "x-forwarded-for",
                                            "x-forwarded-host",
                                            "x-forwarded-port",
                                            "x-forwarded-proto",
                                            "x-forwarded-scheme",
                                            "x-original-forwarded-for",
                                            "x-original-forwarded-host",
                                            "x-real-ip",
                                            "x-request-id",
                                            "x-scheme"};

template <size_t N>
bool IsOneOf(const std::string_view (&names)[N], std::string_view name) {
  return std::binary_search(std::begin(names), std::end(names),
                            absl::AsciiStrToLower(ToAbsl(name)));
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

}  // namespace

bool MayBeEdited(std::string_view name) { return IsToken(name) && !IsOneOf(kOfCodecs, name); }

bool IsForwardingHeader(std::string_view name) { return IsOneOf(kForwarding, name); }

}  // namespace headgate::translate
