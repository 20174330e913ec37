// Who the client is, from the fields of proxies in front: against a reader of the chain that walks
// all of it from the left, and never a word of somebody who is not trusted.
//
// Input: lines. The first is the peer's address and the settings ("h" believes all fields, "a" the
// address alone, "c" keeps the chain, "x" another name for the field), the others are fields
// NAME=VALUE.
#include "dataplane/proxy/forwarded.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "common/check.h"
#include "dataplane/http/chars.h"
#include "dataplane/http/uri.h"

namespace headgate::fuzz {
namespace {

// The plain way: the whole chain as a list; from its end, as long as each is a trusted address, one
// goes on.
std::string ReferenceClient(const std::vector<std::string>& values, const std::string& peer,
                            const std::vector<base::Cidr>& trusted) {
  std::vector<std::string> chain;
  for (const std::string& value : values) {
    if (value.empty()) continue;
    std::vector<std::string> elements = absl::StrSplit(value, ',');
    // A comma at the front leaves nothing to the left of it.
    if (elements.front().empty()) elements.erase(elements.begin());
    chain.insert(chain.end(), elements.begin(), elements.end());
  }
  std::string client = peer;
  for (size_t i = chain.size(); i-- > 0;) {
    std::string element = chain[i];
    element.erase(0, element.find_first_not_of(" \t"));
    element.erase(element.find_last_not_of(" \t") + 1);
    const auto address = base::Address::ParseIp(element, 0);
    if (!address) break;
    client = element;
    if (std::none_of(trusted.begin(), trusted.end(),
                     [&](const base::Cidr& c) { return c.Contains(*address); }))
      break;
  }
  return client;
}

void Try(std::string_view input) {
  static base::BlockPool pool(0);
  base::Arena arena(pool);
  std::vector<std::string> lines = absl::StrSplit(std::string(input), '\n');
  const std::vector<std::string> first = absl::StrSplit(lines.front(), ' ');
  const auto peer = base::Address::ParseIp(first.front(), 4711);
  if (!peer) return;
  const std::string words = first.size() > 1 ? first[1] : "";
  const auto has = [&words](char c) { return words.find(c) != std::string::npos; };

  config::CompiledSettings settings;
  settings.trust_forwarded_headers = has('h');
  settings.trust_forwarded_address = has('a');
  settings.append_forwarded_for = has('c');
  if (has('x')) settings.address_field = "X-Client";
  for (const char* cidr : {"10.0.0.0/8", "2001:db8::/32"})
    settings.trusted_cidrs.push_back(*base::Cidr::Parse(cidr));
  const bool trusted = std::any_of(settings.trusted_cidrs.begin(), settings.trusted_cidrs.end(),
                                   [&](const base::Cidr& cidr) { return cidr.Contains(*peer); });

  http::ConnectionInfo connection;
  connection.peer = *peer;
  connection.peer_ip = peer->IpText();
  connection.local = *base::Address::ParseIp("192.0.2.80", 8080);

  http::RequestHead head;
  head.method_text = "GET";
  head.target = "/";
  head.authority = "a.example";
  head.fields.Add("Host", "a.example");
  std::vector<std::string> chain;
  for (size_t i = 1; i < lines.size() && i < 50; ++i) {
    const size_t equals = lines[i].find('=');
    if (equals == std::string::npos) continue;
    const std::string_view name = std::string_view(lines[i]).substr(0, equals);
    const std::string_view value = std::string_view(lines[i]).substr(equals + 1);
    // What a codec lets through.
    const char* const end = value.data() + value.size();
    if (!http::IsToken(name) || http::FindValueEnd(value.data(), end) != end ||
        http::TrimBlanks(value) != value)
      continue;
    if (http::EqualsIgnoreCase(name, "host")) continue;
    head.fields.Add(name, value);
    if (http::EqualsIgnoreCase(name, settings.address_field)) chain.emplace_back(value);
  }

  const proxy::ClientView view = proxy::ResolveClient(head, connection, settings, arena);
  const bool believes = trusted && (has('h') || has('a'));
  const std::string expected =
      believes ? ReferenceClient(chain, connection.peer_ip, settings.trusted_cidrs)
               : connection.peer_ip;
  HEADGATE_CHECK(view.ip == expected);
  HEADGATE_CHECK(base::Address::ParseIp(view.ip, 0).has_value());
  if (!(trusted && has('h'))) {
    HEADGATE_CHECK(view.host == "a.example" && view.scheme == "http" && view.port == "8080");
  }
  if (!believes) HEADGATE_CHECK(view.forwarded_for == connection.peer_ip);
  if (believes && has('c')) HEADGATE_CHECK(view.forwarded_for.ends_with(connection.peer_ip));
  http::Authority authority;
  HEADGATE_CHECK(http::ParseAuthority(view.host, arena, authority));
  HEADGATE_CHECK(view.scheme == "http" || view.scheme == "https");
  HEADGATE_CHECK(!view.port.empty() && view.port.size() <= 5);

  http::RequestHead out;
  proxy::BuildUpstreamHead(head, view, "id", "/", out);
  for (const char* name :
       {"X-Real-IP", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port",
        "X-Scheme", "X-Forwarded-Scheme", "X-Request-ID", "Host"}) {
    HEADGATE_CHECK(
        std::count_if(out.fields.begin(), out.fields.end(), [&](const http::Field& field) {
          return http::EqualsIgnoreCase(field.name, name);
        }) == 1);
  }
  HEADGATE_CHECK(out.fields.Get("X-Real-IP") == view.ip && out.authority == view.host);
}

}  // namespace
}  // namespace headgate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  headgate::fuzz::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
