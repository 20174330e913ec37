// The part of NGINX's configuration language that a snippet may have here: header fields and
// answers, perhaps below an `if`. It becomes typed policy, or nothing at all. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

enum class SnippetPlace : uint8_t {
  kLocation,  // configuration-snippet
  kServer,    // server-snippet
  kAuth,      // auth-snippet: fields of the request to the server of auth-url
};

struct SnippetResult {
  // request_headers, response_headers and replies; nothing else is set.
  v1::RoutePolicy policy;
  // Why it cannot be used, each with its line, as "line 2: lua_code_cache (here: nothing)". Empty:
  // it can.
  std::vector<std::string> problems;
  // What is left out because it changes nothing.
  std::vector<std::string> notes;
};

// Supported: more_set_headers (-s), more_clear_headers (-s), add_header, proxy_hide_header,
// default_type, return, and towards endpoints more_set_input_headers, more_clear_input_headers,
// proxy_set_header, grpc_set_header; all but proxy_hide_header and default_type below `if` too,
// which compares one variable with =, !=, ~, ~*, !~ or !~*. Of kAuth proxy_set_header alone.
//
// Blocks of several `if` take effect one after the other, and what stands before an answer is in
// it: NGINX lets only the last block count that fits, and drops add_header around it.
SnippetResult TranslateSnippet(std::string_view text, SnippetPlace place);

// What does the same as a directive here, to put behind "here: "; "nothing" if there is nothing.
std::string_view InsteadOfDirective(std::string_view name);

}  // namespace headgate::translate
