#include "controller/translate/config_map/access_options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/strings.h"
#include "controller/translate/addresses.h"
#include "controller/translate/annotations/external_auth.h"
#include "controller/translate/annotations/source_range.h"
#include "controller/translate/config_map/text_patterns.h"
#include "controller/translate/text_template.h"

namespace headgate::translate {
namespace {

SourceRangeDefault ReadList(OptionReader& reader, std::string_view name) {
  const auto text = reader.Text(name);
  if (!text) return {};
  std::optional<CidrList> list = ParseCidrList(*text);
  if (list) return {*std::move(list), false};
  reader.Ignore(name,
                "addresses and CIDRs, separated by commas; until it is valid, Ingresses without a "
                "list of their "
                "own are answered 503");
  return {{}, true};
}

void ReadLimitOptions(OptionReader& reader, v1::Settings& settings) {
  if (const auto status = reader.Int("limit-req-status-code", 400, 599)) {
    settings.set_limit_request_status(static_cast<uint32_t>(*status));
  }
  if (const auto status = reader.Int("limit-conn-status-code", 400, 599)) {
    settings.set_limit_connection_status(static_cast<uint32_t>(*status));
  }
  constexpr std::string_view kKey = "limit-conn-zone-variable";
  const auto text = reader.Text(kKey);
  if (!text || *text == "$binary_remote_addr") return;  // which is the default
  std::optional<ParsedTemplate> key = ParseTemplate(*text);
  if (!key || !key->unknown.empty()) {
    return reader.Ignore(kKey, "text with variables that are known here, as $binary_remote_addr");
  }
  *settings.mutable_limit_key() = std::move(key->text);
}

void ReadBlocked(OptionReader& reader, v1::Settings& settings) {
  v1::Blocked blocked;
  bool bad = false;
  for (const std::string_view item : reader.List("block-cidrs")) {
    if (IsCidr(item)) {
      blocked.add_cidrs(std::string(item));
    } else {
      bad = true;
    }
  }
  if (bad) {
    reader.Ignore(
        "block-cidrs",
        "addresses and CIDRs, separated by commas; the items that are valid are in effect");
  }
  ReadPatterns(reader, "block-user-agents", *blocked.mutable_user_agents());
  ReadPatterns(reader, "block-referers", *blocked.mutable_referers());
  if (blocked.ByteSizeLong() > 0) *settings.mutable_blocked() = std::move(blocked);
}

ExternalAuthDefault ReadGlobalAuth(OptionReader& reader) {
  const auto text = [&](std::string_view part) {
    return reader.Text(StrCat("global-auth-", part)).value_or(std::string_view());
  };
  if (text("url").empty()) return {};
  const ExternalAuthInput input{.url = text("url"),
                                .method = text("method"),
                                .signin = text("signin"),
                                .signin_parameter = text("signin-redirect-param"),
                                .response_headers = text("response-headers"),
                                .request_redirect = text("request-redirect"),
                                .always_set_cookie = text("always-set-cookie"),
                                .cache_key = text("cache-key"),
                                .cache_duration = text("cache-duration")};
  ExternalAuthProblem problem;
  std::vector<std::string> unknown;
  std::optional<ExternalAuthSettings> auth = ParseExternalAuth(input, problem, unknown);
  if (auth) return {std::move(auth), false};
  reader.Ignore(StrCat("global-auth-", problem.part),
                StrCat(problem.accepted,
                       "; until it is valid, Ingresses without an auth-url are answered 503"));
  return {std::nullopt, true};
}

}  // namespace

void ReadAccessOptions(OptionReader& reader, GlobalSettings& global) {
  global.ingress.allowed = ReadList(reader, "whitelist-source-range");
  global.ingress.denied = ReadList(reader, "denylist-source-range");
  global.ingress.external = ReadGlobalAuth(reader);
  ReadLimitOptions(reader, global.settings);
  ReadBlocked(reader, global.settings);
  constexpr int64_t kMost = 1'000'000;
  global.ingress.limit_rate = static_cast<uint32_t>(reader.Int("limit-rate", 0, kMost).value_or(0));
  global.ingress.limit_rate_after =
      static_cast<uint32_t>(reader.Int("limit-rate-after", 0, kMost).value_or(0));
  global.ingress.cross_namespace = reader.Bool("allow-cross-namespace-resources").value_or(false);
  if (!reader.Text("no-auth-locations")) return;
  global.ingress.no_auth.clear();
  for (const std::string_view prefix : reader.List("no-auth-locations")) {
    global.ingress.no_auth.emplace_back(prefix);
  }
}

}  // namespace headgate::translate
