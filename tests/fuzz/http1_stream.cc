// A whole stream of messages as a connection would take it apart, written anew as the proxy would,
// and read back by a second reader that shares no code with the first: the same messages, in the
// same order, and nothing between them. First byte: bit 0 responses instead of requests, bit 1
// bodies in single bytes, bit 2 responses to HEAD.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/check.h"
#include "dataplane/http1/body_reader.h"
#include "dataplane/http1/head_scanner.h"
#include "dataplane/http1/request_parser.h"
#include "dataplane/http1/response_parser.h"
#include "dataplane/http1/serializer.h"
#include "tests/support/strict_reader.h"

using headgate::http::BodyLength;
using headgate::testing::StrictKind;
namespace http = headgate::http;
namespace http1 = headgate::http1;

namespace {

struct Sent {
  std::string body;
  size_t trailers = 0;
};

http1::WireFraming FramingOf(const BodyLength& length) {
  if (length.kind == BodyLength::Kind::kChunked) return http1::WireFraming::kChunked;
  return length.kind == BodyLength::Kind::kFixed ? http1::WireFraming::kContentLength
                                                 : http1::WireFraming::kNone;
}

// Takes a body off `input` and appends it to `out` as we would frame it. False: malformed or not
// complete.
bool CopyBody(const BodyLength& length, bool bytewise, std::string_view& input, std::string& out,
              Sent& sent) {
  http1::BodyReader reader;
  reader.Start(length, 1024);
  const bool chunked = length.kind == BodyLength::Kind::kChunked;
  while (true) {
    std::string_view window = bytewise ? input.substr(0, 1) : input;
    const size_t offered = window.size();
    std::string_view piece;
    const auto step = reader.Next(window, piece);
    input.remove_prefix(offered - window.size());
    if (step == http1::BodyReader::Step::kError) return false;
    if (step == http1::BodyReader::Step::kMore && input.empty()) return false;
    if (step == http1::BodyReader::Step::kEnd) break;
    if (step != http1::BodyReader::Step::kData) continue;
    sent.body += piece;
    if (chunked) {
      char head[http1::kMaxChunkHead];
      out.append(head, http1::WriteChunkHead(piece.size(), head));
    }
    out += piece;
    if (chunked) out += http1::kChunkEnd;
  }
  if (!chunked) return true;
  http::HeaderMap trailers;
  const std::string section(reader.chunks().trailer_section());
  if (reader.chunks().has_trailers() && !http1::ParseTrailers(section, 100, trailers)) return false;
  std::vector<char> last(http1::TrailersBound(trailers));
  out.append(last.data(),
             static_cast<size_t>(http1::WriteLastChunk(trailers, last.data()) - last.data()));
  sent.trailers = trailers.size();
  return true;
}

// The next head of `input` in wire form, and the length of its body. False: malformed or not
// complete.
bool CopyHead(bool responses, bool head_request, headgate::base::Arena& arena,
              std::string_view& input, std::string& out, BodyLength& length) {
  http1::HeadScanner scanner;
  const size_t end = scanner.Scan(input);
  if (end == http1::HeadScanner::kIncomplete) return false;
  const std::string_view text = arena.Copy(input.substr(0, end));
  input.remove_prefix(end);
  if (responses) {
    http::ResponseHead head;
    if (!http1::ParseResponseHead(text, {}, head_request, head).ok()) return false;
    if (head.body.kind == BodyLength::Kind::kUntilClose) return false;  // the last one
    http1::ResponseWireOptions wire;
    wire.framing = head.body.kind == BodyLength::Kind::kNone ? http1::WireFraming::kAsReceived
                                                             : FramingOf(head.body);
    wire.length = head.body.size;
    length = head.body;
    std::vector<char> written(http1::ResponseHeadBound(head));
    char* const begin = written.data();
    char* const stop = head.status < 200 ? http1::WriteInformationalHead(head, begin)
                                         : http1::WriteResponseHead(head, wire, begin);
    out.append(begin, static_cast<size_t>(stop - begin));
    return true;
  }
  http::RequestHead head;
  if (!http1::ParseRequestHead(text, {}, arena, head).ok()) return false;
  length = head.body;
  std::vector<char> written(http1::RequestHeadBound(head));
  const http1::RequestWireOptions wire{.framing = FramingOf(head.body), .length = head.body.size};
  out.append(
      written.data(),
      static_cast<size_t>(http1::WriteRequestHead(head, wire, written.data()) - written.data()));
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool responses = (data[0] & 1) != 0, bytewise = (data[0] & 2) != 0;
  const bool head_request = responses && (data[0] & 4) != 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  static headgate::base::BlockPool pool;

  std::string wire;
  std::vector<Sent> sent;
  while (!input.empty()) {
    headgate::base::Arena arena(pool);
    std::string message;
    BodyLength length;
    Sent next;
    if (!CopyHead(responses, head_request, arena, input, message, length)) break;
    if (!CopyBody(length, bytewise, input, message, next)) break;
    wire += message;
    sent.push_back(next);
  }
  const StrictKind kind = !responses     ? StrictKind::kRequest
                          : head_request ? StrictKind::kResponseToHead
                                         : StrictKind::kResponse;
  for (const Sent& expected : sent) {
    const auto read = headgate::testing::TakeStrictly(wire, kind);
    HEADGATE_CHECK(read.complete());
    HEADGATE_CHECK(read.body == expected.body && read.trailers.size() == expected.trailers);
  }
  HEADGATE_CHECK(wire.empty());
  return 0;
}
