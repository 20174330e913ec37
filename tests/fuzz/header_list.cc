// Lists of fields as HPACK gives them, on their way to HTTP/1.1: whatever they hold, they are
// refused, or an upstream (or a client) reads exactly one message in what is written, with the same
// fields.
//
// First byte: bit 0 a response instead of a request, bit 1 the stream ends with this block, bit 2 a
// response to HEAD, bit 3 as a trailer section. Then lines NAME=VALUE, ended by \x1e.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "dataplane/http1/serializer.h"
#include "dataplane/http2/header_block.h"
#include "dataplane/proxy/forwarded.h"
#include "tests/support/strict_reader.h"

namespace headgate::fuzz {
namespace {

using http::BodyLength;
using http1::WireFraming;
using FieldList = std::vector<std::pair<std::string, std::string>>;

WireFraming FramingOf(const BodyLength& body) {
  if (body.kind == BodyLength::Kind::kFixed) return WireFraming::kContentLength;
  return body.kind == BodyLength::Kind::kChunked ? WireFraming::kChunked : WireFraming::kNone;
}

// The end-to-end fields that have to arrive: all but those that frame the message or go no further
// than the next hop.
FieldList Expected(const http::HeaderMap& fields) {
  FieldList expected;
  for (const http::Field& field : fields) {
    if (http::IsHopByHop(field.id)) continue;
    switch (field.id) {
      case http::FieldId::kHost:
      case http::FieldId::kContentLength:
      case http::FieldId::kExpect:
      case http::FieldId::kTrailer:
      case http::FieldId::kDate: break;
      default: expected.emplace_back(field.name, field.value);
    }
  }
  return expected;
}

bool IsLeftOut(const std::string& name) {
  return name == "host" || name == "content-length" || name == "transfer-encoding" ||
         name == "connection" || name == "te" || name == "trailer" || name == "upgrade" ||
         name == "date" || name == "expect";
}

testing::StrictMessage ReadOne(std::string wire, testing::StrictKind kind,
                               const FieldList& expected) {
  const testing::StrictMessage message = testing::TakeStrictly(wire, kind);
  HEADGATE_CHECK(message.complete() && wire.empty());
  FieldList seen = message.head.fields;
  std::erase_if(seen, [](const auto& field) { return IsLeftOut(field.first); });
  HEADGATE_CHECK(seen == expected);
  return message;
}

std::string Body(const BodyLength& body) {
  if (body.kind == BodyLength::Kind::kChunked) return "0\r\n\r\n";
  return std::string(std::min<uint64_t>(body.size, 100'000), 'b');
}

void TryRequest(http2::HeaderBlock& block, bool end, base::Arena& arena) {
  http::RequestHead head;
  const http2::HeadResult result = http2::MakeRequestHead(block, {}, end, arena, head);
  if (!result.ok()) {
    HEADGATE_CHECK(result.status >= 400 && result.status < 600 && !result.detail.empty());
    return;
  }
  if (head.body.size > 100'000) return;
  const auto write = [](const http::RequestHead& out) {
    std::string wire(http1::RequestHeadBound(out), '\0');
    const http1::RequestWireOptions options{.framing = FramingOf(out.body),
                                            .length = out.body.size};
    const auto size =
        static_cast<size_t>(http1::WriteRequestHead(out, options, wire.data()) - wire.data());
    HEADGATE_CHECK(size <= wire.size());
    return wire.substr(0, size) + Body(out.body);
  };
  const auto message = ReadOne(write(head), testing::StrictKind::kRequest, Expected(head.fields));
  HEADGATE_CHECK(message.head.start_line ==
                 std::string(head.method_text) + " " + std::string(head.target) + " HTTP/1.1");
  HEADGATE_CHECK(message.Values("host") == std::vector<std::string>{std::string(head.authority)});
  HEADGATE_CHECK(message.Values("expect").empty());
  HEADGATE_CHECK(message.Values("upgrade").size() == (head.upgrade.empty() ? 0u : 1u));

  // And as the proxy sends it on, with the fields that are ours: each once, whatever the client
  // said.
  http::ConnectionInfo connection;
  connection.peer_ip = "192.0.2.1";
  static const config::CompiledSettings settings;
  const proxy::ClientView client = proxy::ResolveClient(head, connection, settings, arena);
  http::RequestHead upstream;
  proxy::BuildUpstreamHead(head, client, "id", head.target, upstream);
  const auto sent = ReadOne(write(upstream), testing::StrictKind::kRequest, [&] {
    FieldList expected = Expected(upstream.fields);
    for (auto& [name, value] : expected) {
      std::transform(name.begin(), name.end(), name.begin(),
                     [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    }
    return expected;
  }());
  for (const char* name : {"x-real-ip", "x-forwarded-for"}) {
    HEADGATE_CHECK(sent.Values(name) == std::vector<std::string>{"192.0.2.1"});
  }
  for (const char* name :
       {"x-forwarded-proto", "x-forwarded-host", "x-forwarded-port", "x-scheme", "x-request-id"}) {
    HEADGATE_CHECK(sent.Values(name).size() == 1);
  }
  HEADGATE_CHECK(sent.Values("proxy").empty() && sent.Values("ssl-client-verify").empty());
}

void TryResponse(http2::HeaderBlock& block, bool head_request, bool end) {
  http::ResponseHead head;
  if (!http2::MakeResponseHead(block, head_request, end, head).ok() || head.body.size > 100'000)
    return;
  const bool bodiless =
      head_request || head.status < 200 || head.status == 204 || head.status == 304;
  http1::ResponseWireOptions options{.framing = FramingOf(head.body), .length = head.body.size};
  if (bodiless) {
    options.framing = head.status == 204 ? WireFraming::kNone : WireFraming::kAsReceived;
  } else if (options.framing == WireFraming::kNone) {
    options.framing = WireFraming::kContentLength;
  }
  std::string wire(http1::ResponseHeadBound(head), '\0');
  char* const begin = wire.data();
  char* const written = head.status < 200 ? http1::WriteInformationalHead(head, begin)
                                          : http1::WriteResponseHead(head, options, begin);
  HEADGATE_CHECK(static_cast<size_t>(written - begin) <= wire.size());
  wire.resize(static_cast<size_t>(written - begin));
  if (!bodiless) wire += Body(head.body);
  ReadOne(wire,
          head_request ? testing::StrictKind::kResponseToHead : testing::StrictKind::kResponse,
          Expected(head.fields));
}

void TryTrailers(http2::HeaderBlock& block) {
  if (!http2::CheckTrailers(block).ok()) return;
  std::string last(http1::TrailersBound(block.fields), '\0');
  last.resize(static_cast<size_t>(http1::WriteLastChunk(block.fields, last.data()) - last.data()));
  std::string wire =
      "POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n" + last;
  const auto message = testing::TakeStrictly(wire, testing::StrictKind::kRequest);
  HEADGATE_CHECK(message.complete() && wire.empty());
  for (const auto& [name, value] : message.trailers) {
    HEADGATE_CHECK(!IsLeftOut(name) && name != "authorization");
  }
}

void Try(std::string_view input) {
  if (input.empty()) return;
  const auto options = static_cast<uint8_t>(input[0]);
  input.remove_prefix(1);
  static base::BlockPool pool(0);
  base::Arena arena(pool);
  http2::HeaderBlock block;
  block.Start(arena, {});
  while (!input.empty()) {
    const std::string_view line = input.substr(0, input.find('\x1e'));
    input.remove_prefix(std::min(input.size(), line.size() + 1));
    const size_t equals = std::min(line.find('='), line.size());
    if (!block.Add(line.substr(0, equals), line.substr(std::min(line.size(), equals + 1)))) return;
  }
  const bool end = (options & 2) != 0;
  if ((options & 8) != 0) {
    TryTrailers(block);
  } else if ((options & 1) != 0) {
    TryResponse(block, (options & 4) != 0, end);
  } else {
    TryRequest(block, end, arena);
  }
}

}  // namespace
}  // namespace headgate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  headgate::fuzz::Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
