// What a request may say to static files: paths, ranges, conditions, encodings. Whatever the bytes,
// a path stays below its root, and the parts of an answer lie within the representation and add up
// to its length.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/check.h"
#include "dataplane/files/answer.h"
#include "dataplane/files/encodings.h"
#include "dataplane/files/file_path.h"
#include "dataplane/files/mime.h"
#include "dataplane/http/uri.h"

namespace headgate {
namespace {

void Try(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static base::BlockPool pool;
  base::Arena arena(pool);

  // The input as a path, as it is and as a request brings it.
  http::NormalPath normal;
  const bool accepted = http::NormalizePath(input, arena, normal);
  for (const std::string_view path : {input, accepted ? normal.match : std::string_view("/")}) {
    for (const std::string_view strip : {"", "/docs"}) {
      const files::FilePath mapped = files::MapPath(path, strip, "site", arena);
      if (mapped.kind == files::FilePath::Kind::kHidden ||
          mapped.kind == files::FilePath::Kind::kBareRoot)
        continue;
      HEADGATE_CHECK(mapped.path.starts_with("site"));
      HEADGATE_CHECK(files::IsSafePath(mapped.path));
      HEADGATE_CHECK(mapped.path.find('\0') == std::string_view::npos);
      HEADGATE_CHECK(("/" + std::string(mapped.path) + "/").find("/../") == std::string::npos);
      HEADGATE_CHECK(!files::MimeTypeOf(mapped.path).text.empty());
    }
  }

  // The input as the values of fields, one a line; the first byte chooses the size.
  http::RequestHead request;
  files::Representation found;
  found.size = size == 0 ? 0 : data[0];
  found.validators = {"\"v1\"", 784111777};
  found.content_type = "text/plain";
  constexpr std::string_view kNames[] = {
      "Range",          "If-Range",          "If-Match",
      "If-None-Match",  "If-Modified-Since", "If-Unmodified-Since",
      "Accept-Encoding"};
  std::string_view rest = input.substr(size == 0 ? 0 : 1);
  for (const std::string_view name : kNames) {
    const size_t end = rest.find('\n');
    if (!rest.substr(0, end).empty()) request.fields.Add(name, rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  }
  files::AcceptedEncodings(request.fields);
  http::ResponseHead head;
  std::vector<files::BodyPart> parts;
  files::MakeAnswer(request, found, config::StaticAction(), 784111777, "B", arena, head, parts);
  uint64_t sum = 0;
  for (const files::BodyPart& part : parts) {
    HEADGATE_CHECK(part.offset <= found.size && part.size <= found.size - part.offset);
    sum += part.text.size() + part.size;
  }
  HEADGATE_CHECK(head.status == 200 || head.status == 206 || head.status == 304 ||
                 head.status == 412 || head.status == 416);
  if (head.body.kind == http::BodyLength::Kind::kFixed) HEADGATE_CHECK(head.body.size == sum);
  if (head.body.kind == http::BodyLength::Kind::kNone) HEADGATE_CHECK(parts.empty());
}

}  // namespace
}  // namespace headgate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  headgate::Try(data, size);
  return 0;
}
