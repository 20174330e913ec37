#include "dataplane/http1/field_parser.h"

#include "dataplane/http/chars.h"

namespace headgate::http1 {
namespace {

using http::Field;
using http::FieldId;

// More connection options than any honest sender has; bounds the work that marking them costs.
constexpr int kMaxConnectionOptions = 32;

// Room for these is made at once: it fits a pooled block of a kilobyte.
constexpr size_t kUsualFields = 25;
static_assert(kUsualFields * sizeof(Field) <= 1024);

// Fields that a Connection field may take away from the next recipient: unknown ones and those that
// are hop-by-hop anyway.
bool MayBeNominated(FieldId id) { return id == FieldId::kOther || http::IsHopByHop(id); }

FieldLinesResult Malformed(std::string_view detail) {
  return {FieldLinesError::kMalformed, detail};
}

// What is wrong with a line that begins at `name`, and in whose name `at` may not stand.
FieldLinesResult BadName(const char* name, const char* at) {
  if (at == name && http::IsBlank(*at)) return Malformed("folded or indented header line");
  if (at == name && *at == ':') return Malformed("empty field name");
  if (http::IsBlank(*at)) return Malformed("white space before the colon");
  if (*at == '\n') return Malformed("bare LF");
  return Malformed("invalid character in a field name");
}

// The same for what ends its value, which is not CRLF.
FieldLinesResult BadValueEnd(const char* at) {
  if (*at == '\r') return Malformed("bare CR");
  if (*at == '\n') return Malformed("bare LF");
  return Malformed("control character in a field value");
}

}  // namespace

FieldLinesResult ParseFieldLines(const char* at, const char* end, const FieldLinesOptions& options,
                                 http::HeaderMap& fields) {
  uint32_t left = options.max_fields;
  fields.Reserve(kUsualFields);
  // Nothing below goes past a line feed: with one at the end no scan needs to look for the end, and
  // what follows any other byte is still there.
  if (at == end || end[-1] != '\n') return Malformed("header section ends in mid-line");
  while (at != end) {
    const char* const name = at;
    at = http::SkipUsualNameChars(at, end);
    bool underscore = false;
    if (*at != ':' || at == name) {
      if (*name == '\r') {
        if (name[1] != '\n') return Malformed("bare CR");
        if (end - name != 2) return Malformed("empty line inside the header section");
        return {};
      }
      for (; http::IsTokenChar(*at); ++at) underscore |= *at == '_';
      if (*at != ':' || at == name) return BadName(name, at);
    }
    const std::string_view name_text(name, static_cast<size_t>(at - name));
    ++at;
    while (http::IsBlank(*at)) ++at;
    const char* const value = at;
    at = http::FindValueEnd(at, end);
    if (at[0] != '\r' || at[1] != '\n') return BadValueEnd(at);
    const char* last = at;
    while (last != value && http::IsBlank(last[-1])) --last;
    at += 2;
    // A line that starts with a blank would continue this one (obs-fold); the next round refuses
    // it.
    if (left-- == 0) return {FieldLinesError::kTooMany, "too many header fields"};
    if (underscore && http::IsDropped(name_text, options.underscores)) continue;
    fields.Add(name_text, std::string_view(value, static_cast<size_t>(last - value)));
  }
  return Malformed("header section ends in mid-line");
}

ConnectionOptions ReadConnectionOptions(http::HeaderMap& fields) {
  ConnectionOptions options;
  int count = 0;
  const size_t size = fields.size();
  for (size_t i = 0; i < size; ++i) {
    if (fields[i].id != FieldId::kConnection) continue;
    ForEachListElement(fields[i].value, [&](std::string_view option) {
      if (++count > kMaxConnectionOptions || !http::IsToken(option)) {
        options.valid = false;
        return;
      }
      if (http::EqualsIgnoreCase(option, "keep-alive")) {
        options.keep_alive = true;
      } else if (http::EqualsIgnoreCase(option, "close")) {
        options.close = true;
      } else if (http::EqualsIgnoreCase(option, "upgrade")) {
        options.upgrade = true;
      } else if (MayBeNominated(http::ClassifyFieldName(option))) {
        fields.MarkHopByHop(option);
      }
    });
  }
  return options;
}

bool ParseContentLength(std::string_view text, uint64_t& length) {
  if (text.empty() || text.size() > 19) return false;
  uint64_t value = 0;
  for (char c : text) {
    if (!http::IsDigit(c)) return false;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  // Nineteen digits fit 64 bits; a reader with signed numbers must not see a negative one.
  if (value > static_cast<uint64_t>(INT64_MAX)) return false;
  length = value;
  return true;
}

Framing ReadFraming(const http::HeaderMap& fields) {
  using Error = Framing::Error;
  Framing framing;
  bool has_coding = false;
  bool after_chunked = false;
  bool unknown = false;
  for (const Field& field : fields) {
    if (field.id == FieldId::kContentLength) {
      if (framing.has_length) {
        framing.error = Error::kSeveralLengths;
        return framing;
      }
      framing.has_length = true;
      if (!ParseContentLength(field.value, framing.length)) {
        framing.error = Error::kBadLength;
        return framing;
      }
    } else if (field.id == FieldId::kTransferEncoding) {
      has_coding = true;
      ForEachListElement(field.value, [&](std::string_view coding) {
        if (framing.chunked) after_chunked = true;
        if (http::EqualsIgnoreCase(coding, "chunked")) {
          framing.chunked = true;
        } else {
          unknown = true;
        }
      });
    }
  }
  if (has_coding) {
    if (framing.has_length) {
      framing.error = Error::kBothLengths;
    } else if (!framing.chunked || after_chunked) {
      framing.error = Error::kBadCoding;
    } else if (unknown) {
      framing.error = Error::kUnknownCoding;
    }
  }
  return framing;
}

std::string_view FramingErrorText(Framing::Error error) {
  switch (error) {
    case Framing::Error::kNone: return "";
    case Framing::Error::kBothLengths: return "Transfer-Encoding with Content-Length";
    case Framing::Error::kBadLength: return "malformed Content-Length";
    case Framing::Error::kSeveralLengths: return "several Content-Length fields";
    case Framing::Error::kBadCoding: return "Transfer-Encoding does not end with one chunked";
    case Framing::Error::kUnknownCoding: return "unknown transfer coding";
  }
  return "";
}

}  // namespace headgate::http1
