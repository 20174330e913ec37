#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/config/compiled_config.h"
#include "dataplane/http/connection_info.h"
#include "dataplane/http/message.h"
#include "dataplane/observe/request_record.h"
#include "dataplane/policy/text_template.h"
#include "dataplane/proxy/forwarded.h"

namespace headgate::proxy {

// The variables of a request, and of its response while that is made. Refers to everything it is
// made from.
struct RequestVariables final : policy::VariableSource {
  const http::RequestHead& head;
  const http::ConnectionInfo& connection;
  const ClientView& client;
  const config::CompiledRoute* route;  // null: the default backend
  std::string_view normal_path;
  std::string_view request_id;
  std::string_view upstream_name;
  const observe::RequestRecord* record;  // null: only the request is known
  const http::ResponseHead* answer;      // null: there is none

  RequestVariables(const http::RequestHead& request_head, const http::ConnectionInfo& info,
                   const ClientView& client_view, const config::CompiledRoute* matched,
                   std::string_view path, std::string_view id, std::string_view upstream,
                   const observe::RequestRecord* facts = nullptr,
                   const http::ResponseHead* response = nullptr)
      : head(request_head),
        connection(info),
        client(client_view),
        route(matched),
        normal_path(path),
        request_id(id),
        upstream_name(upstream),
        record(facts),
        answer(response) {}

  std::string_view Value(const policy::TextTemplate::Part& part, base::Arena& arena) const override;
};

// The value of the first cookie of that name that a request brings (RFC 6265 section 5.4); empty:
// there is none.
std::string_view FindCookie(const http::HeaderMap& fields, std::string_view name);

// In decimal digits.
std::string_view Decimal(uint64_t value, base::Arena& arena);

}  // namespace headgate::proxy
