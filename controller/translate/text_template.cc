#include "controller/translate/text_template.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/ascii.h"

namespace headgate::translate {
namespace {

using v1::TextTemplate;

struct Known {
  std::string_view name;
  TextTemplate::Variable variable;
};

// Sorted by name.
constexpr Known kKnown[] = {
    {"args", TextTemplate::ARGS},
    {"best_http_host", TextTemplate::HTTP_HOST},
    {"binary_remote_addr", TextTemplate::BINARY_REMOTE_ADDR},
    {"content_length", TextTemplate::CONTENT_LENGTH},
    {"content_type", TextTemplate::CONTENT_TYPE},
    {"escaped_request_uri", TextTemplate::ESCAPED_REQUEST_URI},
    {"host", TextTemplate::HOST},
    {"http_host", TextTemplate::HTTP_HOST},
    {"https", TextTemplate::HTTPS},
    {"ingress_name", TextTemplate::INGRESS_NAME},
    {"is_args", TextTemplate::IS_ARGS},
    {"location_path", TextTemplate::LOCATION_PATH},
    {"namespace", TextTemplate::NAMESPACE},
    {"pass_access_scheme", TextTemplate::SCHEME},
    {"pass_port", TextTemplate::SERVER_PORT},
    {"pass_server_port", TextTemplate::SERVER_PORT},
    {"proxy_add_x_forwarded_for", TextTemplate::PROXY_ADD_X_FORWARDED_FOR},
    {"proxy_alternative_upstream_name", TextTemplate::PROXY_ALTERNATIVE_UPSTREAM_NAME},
    {"proxy_protocol_addr", TextTemplate::PROXY_PROTOCOL_ADDR},
    {"proxy_upstream_name", TextTemplate::PROXY_UPSTREAM_NAME},
    {"query_string", TextTemplate::ARGS},
    {"realip_remote_addr", TextTemplate::PEER_ADDR},
    {"remote_addr", TextTemplate::REMOTE_ADDR},
    {"remote_port", TextTemplate::REMOTE_PORT},
    {"req_id", TextTemplate::REQUEST_ID},
    {"request", TextTemplate::REQUEST},
    {"request_id", TextTemplate::REQUEST_ID},
    {"request_method", TextTemplate::REQUEST_METHOD},
    {"request_uri", TextTemplate::REQUEST_URI},
    {"scheme", TextTemplate::SCHEME},
    {"server_name", TextTemplate::SERVER_NAME},
    {"server_port", TextTemplate::SERVER_PORT},
    {"server_protocol", TextTemplate::SERVER_PROTOCOL},
    {"service_name", TextTemplate::SERVICE_NAME},
    {"service_port", TextTemplate::SERVICE_PORT},
    {"ssl_cipher", TextTemplate::SSL_CIPHER},
    {"ssl_client_escaped_cert", TextTemplate::SSL_CLIENT_ESCAPED_CERT},
    {"ssl_client_i_dn", TextTemplate::SSL_CLIENT_ISSUER},
    {"ssl_client_s_dn", TextTemplate::SSL_CLIENT_SUBJECT},
    {"ssl_client_verify", TextTemplate::SSL_CLIENT_VERIFY},
    {"ssl_protocol", TextTemplate::SSL_PROTOCOL},
    {"ssl_server_name", TextTemplate::SSL_SERVER_NAME},
    {"uri", TextTemplate::URI},
};

// Sorted by name.
constexpr Known kOfResponses[] = {{"status", TextTemplate::STATUS},
                                  {"upstream_addr", TextTemplate::UPSTREAM_ADDR}};

// Those with a name of something in the request behind them, and of something in the response.
constexpr Known kPrefixes[] = {{"arg_", TextTemplate::ARG},
                               {"cookie_", TextTemplate::COOKIE},
                               {"http_", TextTemplate::HEADER}};
constexpr Known kPrefixesOfResponses[] = {{"upstream_http_", TextTemplate::UPSTREAM_HEADER}};

bool IsNameChar(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_'; }

bool SetNamed(std::span<const Known> known, std::string_view name, TextTemplate::Part& part) {
  const auto found = std::lower_bound(
      known.begin(), known.end(), name,
      [](const Known& entry, std::string_view wanted) { return entry.name < wanted; });
  if (found == known.end() || found->name != name) return false;
  part.set_variable(found->variable);
  return true;
}

bool SetPrefixed(std::span<const Known> prefixes, std::string_view name, TextTemplate::Part& part) {
  for (const Known& prefix : prefixes) {
    if (!name.starts_with(prefix.name) || name.size() == prefix.name.size()) continue;
    std::string rest(name.substr(prefix.name.size()));
    if (prefix.variable == TextTemplate::HEADER ||
        prefix.variable == TextTemplate::UPSTREAM_HEADER) {
      absl::AsciiStrToLower(&rest);
      std::replace(rest.begin(), rest.end(), '_', '-');
    }
    part.set_variable(prefix.variable);
    part.set_name(std::move(rest));
    return true;
  }
  return false;
}

}  // namespace

bool ReadTemplate(std::string_view text, absl::FunctionRef<void(char)> on_text,
                  absl::FunctionRef<void(std::string_view)> on_variable) {
  while (!text.empty()) {
    if (text.front() != '$') {
      on_text(text.front());
      text.remove_prefix(1);
      continue;
    }
    text.remove_prefix(1);
    const bool braced = text.starts_with('{');
    if (braced) text.remove_prefix(1);
    const size_t length =
        static_cast<size_t>(std::find_if_not(text.begin(), text.end(), IsNameChar) - text.begin());
    const std::string_view name = text.substr(0, length);
    text.remove_prefix(length);
    if (name.empty() || (braced && !text.starts_with('}'))) return false;
    if (braced) text.remove_prefix(1);
    on_variable(name);
  }
  return true;
}

std::optional<TextTemplate::Part> FindVariable(std::string_view name, bool of_response) {
  TextTemplate::Part part;
  if (SetNamed(kKnown, name, part) || SetPrefixed(kPrefixes, name, part)) return part;
  if (of_response &&
      (SetNamed(kOfResponses, name, part) || SetPrefixed(kPrefixesOfResponses, name, part))) {
    return part;
  }
  return std::nullopt;
}

std::optional<ParsedTemplate> ParseTemplate(std::string_view text, bool of_response) {
  ParsedTemplate out;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) out.text.add_parts()->set_literal(std::exchange(literal, {}));
  };
  const bool valid = ReadTemplate(
      text, [&](char c) { literal.push_back(c); },
      [&](std::string_view name) {
        if (std::optional<TextTemplate::Part> part = FindVariable(name, of_response)) {
          end_literal();
          *out.text.add_parts() = *std::move(part);
        } else if (std::find(out.unknown.begin(), out.unknown.end(), name) == out.unknown.end()) {
          out.unknown.emplace_back(name);
        }
      });
  if (!valid) return std::nullopt;
  end_literal();
  return out;
}

}  // namespace headgate::translate
