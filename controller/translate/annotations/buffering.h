// proxy-request-buffering, client-body-buffer-size, proxy-buffering, proxy-buffer-size,
// proxy-buffers-number, proxy-max-temp-file-size: whether and where bodies are held.
// proxy-busy-buffers-size is checked and has no effect: whatever is held may be sent.
#pragma once

#include <array>
#include <string_view>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

inline constexpr std::array<std::string_view, 7> kBufferingNames = {
    "proxy-request-buffering", "client-body-buffer-size", "proxy-buffering",
    "proxy-buffer-size",       "proxy-buffers-number",    "proxy-busy-buffers-size",
    "proxy-max-temp-file-size"};

// A bad client-body-buffer-size refuses the Ingress, as in ingress-nginx; other bad values are
// ignored.
void ReadBuffering(AnnotationReader& reader, IngressSettings& settings);

// Writes what is given.
void SetBuffering(const BufferingSettings& settings, v1::Buffering& out);

}  // namespace headgate::translate
