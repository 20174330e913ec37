// Options that are lists of texts and regular expressions.
#pragma once

#include <string_view>

#include "controller/translate/config_map/reader.h"
#include "google/protobuf/repeated_field.h"
#include "proto/headgate/v1/access.pb.h"

namespace headgate::translate {

// "text", "~regex" or "~*regex", separated by commas. What is none of them is left out, and a
// diagnostic.
void ReadPatterns(OptionReader& reader, std::string_view name,
                  google::protobuf::RepeatedPtrField<v1::TextPattern>& out);

}  // namespace headgate::translate
