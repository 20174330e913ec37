// Which virtual host and which of its routes take a request, by the rules that the data plane
// follows (dataplane/route; a test holds the two together). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/translate/translation.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::cli {

struct Request {
  std::string method = "GET";
  bool tls = false;
  std::string host;   // lower case, without port
  std::string path;   // in normal form
  std::string query;  // with its "?", or empty
  std::vector<std::pair<std::string, std::string>> fields;

  // The value of a field, by its name in any case; null when there is none.
  const std::string* Find(std::string_view name) const;
};

// "http://shop.example/cart?a=b", also without scheme.
absl::StatusOr<Request> ParseRequestUrl(std::string_view url);

// The path as routes are matched on it: decoded once, "//" merged, dot segments resolved. Nothing
// for one that is answered 400.
std::optional<std::string> NormalPath(std::string_view raw);

struct PassedOver {
  const v1::Route* route = nullptr;
  std::string why;
};

struct Choice {
  const v1::VirtualHost* host = nullptr;  // null: there is none, not even for every host
  const v1::Route* route = nullptr;       // null: no route of the host fits
  std::vector<PassedOver> passed_over;    // every other route of the host, those that fit first
};

// The pointers live as long as `translation`.
Choice Choose(const translate::Translation& translation, const Request& request);

// "Prefix /cart", "Exact /", "regular expression ^/x".
std::string MatchText(const v1::Route& route);

}  // namespace headgate::cli
