// The chunked coding: the same result however the input is split, and what was decoded and encoded
// again decodes to the same body. The first byte is the size of the pieces.
#include "dataplane/http1/chunked.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"

namespace {

using headgate::http1::ChunkedDecoder;
using Step = ChunkedDecoder::Step;

struct Result {
  Step step = Step::kMore;
  std::string body;
  size_t used = 0;
  std::string trailers;
};

Result Decode(std::string_view input, size_t piece_size) {
  ChunkedDecoder decoder;
  decoder.Start(8192);
  Result result;
  while (result.used < input.size() && result.step == Step::kMore) {
    std::string_view part = input.substr(result.used, piece_size);
    const size_t given = part.size();
    std::string_view piece;
    while ((result.step = decoder.Next(part, piece)) == Step::kData) result.body += piece;
    result.used += given - part.size();
  }
  if (result.step == Step::kEnd) result.trailers = decoder.trailer_section();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Result whole = Decode(input, input.size());
  const Result split = Decode(input, size_t{1} + data[0] % 32);
  HEADGATE_CHECK(whole.step == split.step && whole.body == split.body);
  if (whole.step != Step::kEnd) return 0;
  HEADGATE_CHECK(whole.used == split.used && whole.trailers == split.trailers);
  headgate::http::HeaderMap trailers;
  const bool sound = headgate::http1::ParseTrailers(whole.trailers, 100, trailers);
  HEADGATE_CHECK(sound || trailers.empty());

  std::string encoded;
  if (!whole.body.empty()) {
    char head[headgate::http1::kMaxChunkHead];
    encoded.assign(head, headgate::http1::WriteChunkHead(whole.body.size(), head));
    encoded += whole.body;
    encoded += headgate::http1::kChunkEnd;
  }
  encoded += headgate::http1::kLastChunk;
  const Result again = Decode(encoded, 17);
  HEADGATE_CHECK(again.step == Step::kEnd && again.body == whole.body &&
                 again.used == encoded.size());
  return 0;
}
