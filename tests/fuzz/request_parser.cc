// A request head: parsed strictly, written as the proxy would, and read back by a second reader
// that shares no code with the first. Whatever came in, the second reader finds one reading, the
// one the parser found.
#include "dataplane/http1/request_parser.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/check.h"
#include "dataplane/http1/head_scanner.h"
#include "dataplane/http1/serializer.h"
#include "tests/support/strict_reader.h"

using headgate::http::BodyLength;
namespace http1 = headgate::http1;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static headgate::base::BlockPool pool;
  headgate::base::Arena arena(pool);

  // The scanner finds the same end in one piece and in single bytes.
  http1::HeadScanner whole;
  const size_t end = whole.Scan(input);
  if (size < 4096) {
    http1::HeadScanner bytewise;
    size_t found = http1::HeadScanner::kIncomplete;
    for (size_t i = 1; i <= size && found == http1::HeadScanner::kIncomplete; ++i) {
      found = bytewise.Scan(input.substr(0, i));
    }
    HEADGATE_CHECK(found == end);
  }
  headgate::http::RequestHead head;
  if (end == http1::HeadScanner::kIncomplete) {
    HEADGATE_CHECK(!http1::ParseRequestHead(input, {}, arena, head).ok());
    return 0;
  }
  const auto result = http1::ParseRequestHead(input.substr(0, end), {}, arena, head);
  if (!result.ok()) {
    HEADGATE_CHECK(result.status >= 400 && result.status < 600 && !result.detail.empty());
    return 0;
  }

  http1::RequestWireOptions options;
  if (head.body.kind == BodyLength::Kind::kChunked) options.framing = http1::WireFraming::kChunked;
  if (head.body.kind == BodyLength::Kind::kFixed) {
    options.framing = http1::WireFraming::kContentLength;
    options.length = head.body.size;
  }
  std::vector<char> out(http1::RequestHeadBound(head));
  const auto written =
      static_cast<size_t>(http1::WriteRequestHead(head, options, out.data()) - out.data());
  HEADGATE_CHECK(written <= out.size());
  const auto read = headgate::testing::ReadStrictly(std::string(out.data(), written));
  HEADGATE_CHECK(read.has_value());
  const std::string start =
      std::string(head.method_text) + " " + std::string(head.target) + " HTTP/1.1";
  HEADGATE_CHECK(read->start_line == start);
  size_t hosts = 0, lengths = 0, codings = 0, upgrades = 0;
  for (const auto& [name, value] : read->fields) {
    if (name == "host") {
      ++hosts;
      HEADGATE_CHECK(value == head.authority);
    } else if (name == "content-length") {
      ++lengths;
      HEADGATE_CHECK(value == std::to_string(head.body.size));
    } else if (name == "transfer-encoding") {
      ++codings;
      HEADGATE_CHECK(value == "chunked");
    } else if (name == "upgrade") {
      ++upgrades;
      HEADGATE_CHECK(value == head.upgrade && value.find("h2c") == std::string::npos);
    }
    HEADGATE_CHECK(name != "keep-alive" && name != "proxy-connection");
    HEADGATE_CHECK(name.find('_') == std::string::npos);
  }
  HEADGATE_CHECK(hosts == 1);
  HEADGATE_CHECK(upgrades == (head.upgrade.empty() ? 0u : 1u));
  HEADGATE_CHECK(head.upgrade.empty() || head.body.kind == BodyLength::Kind::kNone);
  HEADGATE_CHECK(lengths == (head.body.kind == BodyLength::Kind::kFixed ? 1u : 0u));
  HEADGATE_CHECK(codings == (head.body.kind == BodyLength::Kind::kChunked ? 1u : 0u));
  return 0;
}
