#include "dataplane/files/answer.h"

#include <algorithm>
#include <charconv>

#include "dataplane/files/byte_ranges.h"
#include "dataplane/http/date.h"

namespace headgate::files {
namespace {

using http::BodyLength;
using http::FieldId;
using http::Method;

class Maker {
 public:
  Maker(const http::RequestHead& request, const Representation& found, base::Arena& arena,
        http::ResponseHead& head, std::vector<BodyPart>& parts)
      : request_(request), found_(found), arena_(arena), head_(head), parts_(parts) {}

  void Make(const config::StaticAction& action, time_t now, std::string_view boundary) {
    head_.reason = {};
    head_.version = http::Version::kHttp11;
    head_.fields.Clear();
    parts_.clear();
    if (request_.method != Method::kGet && request_.method != Method::kHead) {
      head_.fields.Add("Allow", "GET, HEAD");
      return Empty(405);
    }
    switch (EvaluatePreconditions(request_, found_.validators)) {
      case Precondition::kFailed: return Empty(412);
      case Precondition::kNotModified:
        AddValidators(now);
        AddFreshness(action, now);
        head_.status = 304;
        head_.body = BodyLength::None();
        return;
      case Precondition::kProceed: break;
    }
    const ByteRanges ranges = RangesWanted();
    head_.fields.Add("Accept-Ranges", "bytes");
    if (ranges.kind == ByteRanges::Kind::kUnsatisfiable) {
      head_.fields.Add("Content-Range", arena_.Join("bytes */", Number(found_.size)));
      return Empty(416);
    }
    AddValidators(now);
    AddFreshness(action, now);
    if (!found_.encoding.empty()) {
      head_.fields.Add(FieldId::kContentEncoding, "Content-Encoding", found_.encoding);
    }
    if (ranges.kind == ByteRanges::Kind::kIgnore) {
      Whole();
    } else if (ranges.count == 1) {
      One(ranges.ranges[0]);
    } else {
      Several(ranges, boundary);
    }
  }

 private:
  std::string_view Number(uint64_t value) {
    constexpr size_t kMost = 20;
    char* const text = arena_.Allocate(kMost);
    return {text, static_cast<size_t>(std::to_chars(text, text + kMost, value).ptr - text)};
  }

  std::string_view Date(time_t time) {
    char* const text = arena_.Allocate(http::kDateSize);
    http::WriteDate(time, text);
    return {text, http::kDateSize};
  }

  std::string_view ContentRange(const ByteRange& range) {
    return arena_.Join("bytes ", Number(range.first), "-", Number(range.first + range.size - 1),
                       "/", Number(found_.size));
  }

  // Range is defined for GET only (section 14.2).
  ByteRanges RangesWanted() const {
    const http::Field* range = request_.fields.Find("Range");
    if (range == nullptr || request_.method != Method::kGet) return {};
    if (!IfRangeHolds(request_, found_.validators)) return {};
    return ParseByteRanges(range->value, found_.size);
  }

  void AddValidators(time_t now) {
    head_.fields.Add("ETag", found_.validators.etag);
    if (found_.validators.last_modified) {
      // Never later than Date (section 8.8.2.1).
      head_.fields.Add("Last-Modified", Date(std::min(*found_.validators.last_modified, now)));
    }
    if (found_.varies) head_.fields.Add("Vary", "Accept-Encoding");
  }

  void AddFreshness(const config::StaticAction& action, time_t now) {
    std::string_view cache_control = action.cache_control;
    if (action.expires) {
      const auto seconds = static_cast<uint64_t>(action.expires->count());
      // What is to be expired already gets a date that no clock disputes.
      head_.fields.Add("Expires", Date(seconds == 0 ? 1 : now + static_cast<time_t>(seconds)));
      if (cache_control.empty()) {
        cache_control = seconds == 0 ? "no-cache" : arena_.Join("max-age=", Number(seconds));
      }
    }
    if (!cache_control.empty()) head_.fields.Add("Cache-Control", cache_control);
  }

  void Empty(uint16_t status) {
    head_.status = status;
    head_.body = BodyLength::Fixed(0);
  }

  void Body(uint16_t status, uint64_t size) {
    head_.status = status;
    head_.body = BodyLength::Fixed(size);
    if (request_.method == Method::kHead || size == 0) parts_.clear();
  }

  void Whole() {
    head_.fields.Add(FieldId::kContentType, "Content-Type", found_.content_type);
    parts_.push_back({{}, 0, found_.size});
    Body(200, found_.size);
  }

  void One(const ByteRange& range) {
    head_.fields.Add(FieldId::kContentType, "Content-Type", found_.content_type);
    head_.fields.Add("Content-Range", ContentRange(range));
    parts_.push_back({{}, range.first, range.size});
    Body(206, range.size);
  }

  void Several(const ByteRanges& ranges, std::string_view boundary) {
    head_.fields.Add(FieldId::kContentType, "Content-Type",
                     arena_.Join("multipart/byteranges; boundary=", boundary));
    uint64_t size = 0;
    for (size_t i = 0; i < ranges.count; ++i) {
      const ByteRange& range = ranges.ranges[i];
      const std::string_view text =
          arena_.Join(i == 0 ? "--" : "\r\n--", boundary, "\r\nContent-Type: ", found_.content_type,
                      "\r\nContent-Range: ", ContentRange(range), "\r\n\r\n");
      parts_.push_back({text, range.first, range.size});
      size += text.size() + range.size;
    }
    const std::string_view end = arena_.Join("\r\n--", boundary, "--\r\n");
    parts_.push_back({end, 0, 0});
    Body(206, size + end.size());
  }

  const http::RequestHead& request_;
  const Representation& found_;
  base::Arena& arena_;
  http::ResponseHead& head_;
  std::vector<BodyPart>& parts_;
};

}  // namespace

void MakeAnswer(const http::RequestHead& request, const Representation& found,
                const config::StaticAction& action, time_t now, std::string_view boundary,
                base::Arena& arena, http::ResponseHead& head, std::vector<BodyPart>& parts) {
  Maker(request, found, arena, head, parts).Make(action, now, boundary);
}

}  // namespace headgate::files
