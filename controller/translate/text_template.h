// Values of annotations and options that are made of text and variables, as "$scheme://${host}":
// ingress-nginx's syntax, with a closed set of variables.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

struct ParsedTemplate {
  v1::TextTemplate text;
  // Variables that are not known here, or not when a request is forwarded; they are left out of
  // `text`, as if they were empty. Each once.
  std::vector<std::string> unknown;
};

// "$name" and "${name}", with letters, digits and '_' in the name; everything else is text. Nothing
// when a '$' has no name or a brace is not closed. `of_response`: the value is made when a response
// is sent, and what is known of that can be used.
std::optional<ParsedTemplate> ParseTemplate(std::string_view text, bool of_response = false);

// What both are made of, for templates with variables of their own. Calls `on_text` for each byte
// that is text and `on_variable` for each name; false where ParseTemplate gives nothing.
bool ReadTemplate(std::string_view text, absl::FunctionRef<void(char)> on_text,
                  absl::FunctionRef<void(std::string_view)> on_variable);
std::optional<v1::TextTemplate::Part> FindVariable(std::string_view name, bool of_response);

}  // namespace headgate::translate
