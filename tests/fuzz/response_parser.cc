// A response head: parsed strictly, written as the proxy would with each framing, and read back by
// a second reader.
#include "dataplane/http1/response_parser.h"

#include <cstdint>
#include <string>
#include <vector>

#include "common/check.h"
#include "dataplane/http1/serializer.h"
#include "tests/support/strict_reader.h"

namespace http1 = headgate::http1;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool head_request = (data[0] & 1) != 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  headgate::http::ResponseHead head;
  if (!http1::ParseResponseHead(input, {}, head_request, head).ok()) return 0;
  HEADGATE_CHECK(head.status >= 100 && head.status <= 599);

  using http1::WireFraming;
  for (const WireFraming framing : {WireFraming::kNone, WireFraming::kContentLength,
                                    WireFraming::kChunked, WireFraming::kAsReceived}) {
    http1::ResponseWireOptions options;
    options.framing = framing;
    options.length = 7;
    options.connection = http1::ResponseWireOptions::Connection::kClose;
    options.date = "Sun, 06 Nov 1994 08:49:37 GMT";
    std::vector<char> out(http1::ResponseHeadBound(head));
    const auto written =
        static_cast<size_t>(http1::WriteResponseHead(head, options, out.data()) - out.data());
    HEADGATE_CHECK(written <= out.size());
    const auto read = headgate::testing::ReadStrictly(std::string(out.data(), written));
    HEADGATE_CHECK(read.has_value());
    size_t lengths = 0, codings = 0, connections = 0, dates = 0;
    for (const auto& [name, value] : read->fields) {
      lengths += name == "content-length";
      codings += name == "transfer-encoding";
      dates += name == "date";
      if (name == "connection") {
        ++connections;
        HEADGATE_CHECK(value == "close");
      }
    }
    HEADGATE_CHECK(lengths <= 1 && connections == 1 && dates >= 1);
    HEADGATE_CHECK((lengths == 1) >= (framing == WireFraming::kContentLength));
    HEADGATE_CHECK((codings == 1) == (framing == WireFraming::kChunked));
  }
  return 0;
}
