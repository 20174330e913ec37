// Trace context of clients: what is taken is written again as it came, and what is passed on has
// the form of the standard.
#include "dataplane/observe/trace_context.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"

using headgate::observe::IsTracestate;
using headgate::observe::kTraceparentSize;
using headgate::observe::ParseTraceparent;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto context = ParseTraceparent(text)) {
    char written[kTraceparentSize];
    headgate::observe::WriteTraceparent(*context, written);
    const std::string_view again(written, kTraceparentSize);
    HEADGATE_CHECK(again.substr(2, 51) ==
                   text.substr(2, 51));  // but for the version and the other flags
    const auto reread = ParseTraceparent(again);
    HEADGATE_CHECK(reread && *reread == *context);
    HEADGATE_CHECK(context->trace_id != headgate::observe::TraceId());
    HEADGATE_CHECK(context->span_id != headgate::observe::SpanId());
  }
  if (IsTracestate(text)) {
    HEADGATE_CHECK(!text.empty() && size <= 512 && text.find('=') != text.npos);
    for (const char c : text) HEADGATE_CHECK(c == '\t' || (c >= 0x20 && c <= 0x7e));
    HEADGATE_CHECK(IsTracestate(std::string(text) + ",") || size == 512);
  }
  return 0;
}
