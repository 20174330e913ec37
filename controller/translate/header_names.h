// Which fields of a head may be set and removed by annotations and options.
#pragma once

#include <string_view>

namespace headgate::translate {

inline constexpr std::string_view kEditableHeaders =
    "a header name that does not concern the connection or the length of the message";

// An HTTP token that does not say where a message ends or concern one connection; Host, which has
// settings of its own, is none either.
bool MayBeEdited(std::string_view name);

// A field by which we tell the endpoint about the client (X-Forwarded-For and the like).
bool IsForwardingHeader(std::string_view name);

}  // namespace headgate::translate
