// What a route does to the heads of its messages.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "controller/translate/annotations/header_settings.h"
#include "controller/translate/config_map/settings.h"
#include "controller/translate/dns_cluster.h"
#include "controller/translate/model.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

// Sets what the settings ask for, and nothing where they ask for nothing. `path`: of the route.
void SetMessagePolicy(const HeaderSettings& settings, const IngressDefaults& defaults,
                      std::string_view path, v1::RoutePolicy& policy);

// Adds what a snippet says (IngressSettings), after what is there.
void AddSnippet(const std::string& snippet, v1::RoutePolicy& policy);

// The Service of default-backend, by its first port.
std::optional<BackendRef> ErrorServiceOf(const IngressModel& model);

// Whose bodies the failures of a route have that leads to a backend. True: the cluster of
// ErrorServiceOf is needed.
bool SetErrorBackend(const IngressModel& model, const IngressDefaults& defaults,
                     v1::RoutePolicy& policy);

// Where copies of a route's requests go that leads to a backend. The cluster that is needed, if
// any.
std::optional<DnsClusterRef> SetMirror(const IngressModel& model, v1::RoutePolicy& policy);

}  // namespace headgate::translate
