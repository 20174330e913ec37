#include "controller/translate/config_map/header_options.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "controller/translate/annotations/errors.h"
#include "controller/translate/annotations/response_rewrites.h"
#include "controller/translate/annotations/values.h"
#include "controller/translate/header_names.h"

namespace headgate::translate {
namespace {

std::optional<Replacement> ReadReplacement(OptionReader& reader, std::string_view name) {
  const auto text = reader.Text(name);
  if (!text) return std::nullopt;
  auto parsed = ParseReplacement(*text);
  if (!parsed) reader.Ignore(name, kCookieValues);
  return parsed;
}

std::optional<std::string> ReadRedirectPart(OptionReader& reader, std::string_view name,
                                            std::string_view accepted) {
  const auto text = reader.Text(name);
  if (!text) return std::nullopt;
  if (IsRedirectText(*text)) return std::string(*text);
  reader.Ignore(name, accepted);
  return std::nullopt;
}

// Empty: none.
kube::ObjectKey ReadConfigMapName(OptionReader& reader, std::string_view name) {
  const auto text = reader.Text(name);
  if (!text) return {};
  const auto key = ParseReference(*text);
  if (!key) reader.Ignore(name, "the NAMESPACE/NAME of a ConfigMap");
  return key.value_or(kube::ObjectKey());
}

}  // namespace

void ReadHeaderOptions(OptionReader& reader, GlobalSettings& global) {
  v1::Settings& settings = global.settings;
  if (reader.Bool("server-tokens").value_or(false)) settings.set_server("headgate");
  if (reader.Bool("allow-backend-server-header").value_or(false)) settings.set_pass_server(true);
  if (!reader.Bool("generate-request-id").value_or(true)) settings.set_no_request_ids(true);
  for (const std::string_view name : reader.List("hide-headers")) {
    if (MayBeEdited(name)) {
      settings.mutable_response_headers()->add_hidden(std::string(name));
    } else {
      reader.Ignore("hide-headers", kEditableHeaders);
    }
  }
  if (reader.Bool("proxy-add-original-uri-header").value_or(false)) {
    v1::HeaderEdit& edit = *settings.mutable_request_headers()->add_edits();
    edit.set_name("X-Original-URI");
    edit.mutable_value()->add_parts()->set_variable(v1::TextTemplate::REQUEST_URI);
  }
  if (const auto list = reader.Text("custom-http-errors")) {
    if (auto statuses = ParseStatuses(*list, 300)) {
      global.ingress.error_statuses = *std::move(statuses);
    } else {
      reader.Ignore("custom-http-errors", "statuses from 300 to 599, separated by commas");
    }
  }
  global.ingress.errors_local_only = reader.Bool("disable-proxy-intercept-errors").value_or(false);
  global.headers = {ReadConfigMapName(reader, "proxy-set-headers"),
                    ReadConfigMapName(reader, "add-headers")};
  std::vector<std::string>& allowed = global.ingress.response_headers;
  for (const std::string_view name : reader.List("global-allowed-response-headers"))
    allowed.emplace_back(name);
  std::sort(allowed.begin(), allowed.end());
  RewriteSettings& rewrites = global.ingress.rewrites;
  rewrites.cookie_domain = ReadReplacement(reader, "proxy-cookie-domain");
  rewrites.cookie_path = ReadReplacement(reader, "proxy-cookie-path");
  rewrites.redirect_from = ReadRedirectPart(reader, "proxy-redirect-from", kRedirectFromValues);
  rewrites.redirect_to = ReadRedirectPart(reader, "proxy-redirect-to", kRedirectToValues);
}

}  // namespace headgate::translate
