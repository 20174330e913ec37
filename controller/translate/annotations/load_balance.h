// headgate.dev/load-balance, on a Service or an Ingress, and ingress-nginx's load-balance on an
// Ingress: which endpoint gets a request.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/upstream_settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 2> kLoadBalanceNames = {"headgate.dev/load-balance",
                                                                      "load-balance"};

// Those of kLoadBalanceValues; "least_conn" is another name of "least_request".
std::optional<LoadBalance> ParseLoadBalance(std::string_view text);
// What it accepts, for messages.
inline constexpr std::string_view kLoadBalanceValues =
    "round_robin, least_request, ewma, random or ip_hash";

// Of the two our own name goes before. A bad value of it is ignored, one of ingress-nginx's refuses
// the Ingress. The names that ingress-nginx has for its own use there count as round_robin.
void ReadLoadBalance(AnnotationReader& reader, UpstreamSettings& settings);

}  // namespace headgate::translate
