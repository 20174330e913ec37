// headgate.dev/compression: "off" keeps the responses of an Ingress as they are, whatever the
// ConfigMap says of compression; "on" says nothing.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 1> kCompressionNames = {"headgate.dev/compression"};

// A bad value denies the Ingress: somebody wants to keep secrets from being guessed.
void ReadCompression(AnnotationReader& reader, IngressSettings& settings);

}  // namespace headgate::translate
