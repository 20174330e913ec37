#include "dataplane/http1/serializer.h"

#include <charconv>
#include <cstring>

#include "dataplane/http1/chunked.h"
#include "dataplane/http1/field_parser.h"

namespace headgate::http1 {
namespace {

using http::BitOf;
using http::Field;
using http::FieldId;
using http::HeaderMap;

// More than the fixed parts of any head: status or request line without the texts, Host, framing,
// Connection, Date, TE.
constexpr size_t kFixedParts = 320;

char* Put(std::string_view text, char* out) {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());  // an empty view may be null
  return out + text.size();
}

char* PutNumber(uint64_t number, char* out) { return std::to_chars(out, out + 20, number).ptr; }

bool IsPair(const char* at, const char (&two)[3]) { return std::memcmp(at, two, 2) == 0; }

// Writes fields. Those that lie one behind the other in memory as lines, for so they were received,
// are copied together.
class FieldLines {
 public:
  explicit FieldLines(char* out) : out_(out) {}

  void Put(const Field& field) {
    const char* const name = field.name.data();
    if (end_ + 2 == name && IsPair(end_, "\r\n") && IsLine(field)) {
      end_ = field.value.data() + field.value.size();
    } else {
      PutElsewhere(field);
    }
  }
  // Where the next byte goes.
  char* End() {
    if (begin_ != nullptr) {
      out_ = http1::Put({begin_, static_cast<size_t>(end_ - begin_)}, out_);
      out_ = http1::Put("\r\n", out_);
      begin_ = nullptr;
      end_ = kNowhere;
    }
    return out_;
  }

 private:
  static constexpr char kNowhere[2] = {};

  // Whether value follows name as it is to be sent.
  static bool IsLine(const Field& field) {
    const char* const name_end = field.name.data() + field.name.size();
    return name_end + 2 == field.value.data() && IsPair(name_end, ": ");
  }

  void PutElsewhere(const Field& field) {
    End();
    if (IsLine(field)) {
      begin_ = field.name.data();
      end_ = field.value.data() + field.value.size();
      return;
    }
    out_ = http1::Put(field.name, out_);
    out_ = http1::Put(": ", out_);
    out_ = http1::Put(field.value, out_);
    out_ = http1::Put("\r\n", out_);
  }

  char* out_;
  const char* begin_ = nullptr;  // of the lines to be copied, if there are any
  const char* end_ = kNowhere;   // of them, without the last line's end
};

size_t FieldsBound(const HeaderMap& fields) {
  size_t size = 0;
  for (const Field& field : fields) size += field.name.size() + field.value.size() + 4;
  return size;
}

char* PutFraming(WireFraming framing, uint64_t length, char* out) {
  if (framing == WireFraming::kContentLength) {
    out = Put("Content-Length: ", out);
    out = PutNumber(length, out);
    out = Put("\r\n", out);
  } else if (framing == WireFraming::kChunked) {
    out = Put("Transfer-Encoding: chunked\r\n", out);
  }
  return out;
}

bool HasTrailersCoding(std::string_view te) {
  bool found = false;
  ForEachListElement(
      te, [&](std::string_view coding) { found |= http::EqualsIgnoreCase(coding, "trailers"); });
  return found;
}

char* PutUpgrade(std::string_view protocol, char* out) {
  out = Put("Connection: Upgrade\r\nUpgrade: ", out);
  out = Put(protocol, out);
  return Put("\r\n", out);
}

char* PutStatusLine(const http::ResponseHead& head, char* out) {
  out = Put("HTTP/1.1 ", out);
  *out++ = static_cast<char>('0' + head.status / 100 % 10);
  *out++ = static_cast<char>('0' + head.status / 10 % 10);
  *out++ = static_cast<char>('0' + head.status % 10);
  *out++ = ' ';
  out = Put(head.reason.empty() ? http::ReasonPhrase(head.status) : head.reason, out);
  return Put("\r\n", out);
}

}  // namespace

size_t RequestHeadBound(const http::RequestHead& head) {
  return kFixedParts + head.method_text.size() + head.target.size() + head.authority.size() +
         head.upgrade.size() + head.connection_option.size() + FieldsBound(head.fields);
}

size_t ResponseHeadBound(const http::ResponseHead& head, std::string_view upgrade) {
  return kFixedParts + head.reason.size() + upgrade.size() + FieldsBound(head.fields);
}

size_t TrailersBound(const HeaderMap& trailers) {
  return kLastChunk.size() + FieldsBound(trailers);
}

char* WriteRequestHead(const http::RequestHead& head, const RequestWireOptions& options,
                       char* out) {
  out = Put(head.method_text, out);
  *out++ = ' ';
  out = Put(head.target, out);
  out = Put(options.http_1_0 ? " HTTP/1.0\r\nHost: " : " HTTP/1.1\r\nHost: ", out);
  out = Put(head.authority, out);
  out = Put("\r\n", out);
  bool te_trailers = false;
  constexpr uint64_t kNotAsTheyAre = http::kOfOneConnection | BitOf(FieldId::kHost) |
                                     BitOf(FieldId::kContentLength) | BitOf(FieldId::kExpect) |
                                     BitOf(FieldId::kTrailer);
  FieldLines lines(out);
  for (const Field& field : head.fields) {
    if ((kNotAsTheyAre & BitOf(field.id)) == 0) {
      if (!field.hop_by_hop) lines.Put(field);
      continue;
    }
    switch (field.id) {
      case FieldId::kHost:
      case FieldId::kContentLength:
      case FieldId::kExpect: break;
      case FieldId::kTe: te_trailers |= HasTrailersCoding(field.value); break;
      case FieldId::kTrailer:
        if (options.framing == WireFraming::kChunked) lines.Put(field);
        break;
      default: break;
    }
  }
  out = lines.End();
  out = PutFraming(options.framing, options.length, out);
  if (options.http_1_0) return Put("Connection: close\r\n\r\n", out);
  if (!head.upgrade.empty()) {
    out = PutUpgrade(head.upgrade, out);  // neither trailers nor another request follow
    return Put("\r\n", out);
  }
  if (te_trailers) out = Put("TE: trailers\r\n", out);
  if (!head.connection_option.empty()) {
    out = Put(te_trailers ? "Connection: TE, " : "Connection: ", out);
    out = Put(head.connection_option, out);
    return Put("\r\n\r\n", out);
  }
  if (te_trailers && options.close) {
    out = Put("Connection: TE, close\r\n", out);
  } else if (te_trailers) {
    out = Put("Connection: TE\r\n", out);
  } else if (options.close) {
    out = Put("Connection: close\r\n", out);
  }
  return Put("\r\n", out);
}

char* WriteResponseHead(const http::ResponseHead& head, const ResponseWireOptions& options,
                        char* out) {
  using Connection = ResponseWireOptions::Connection;
  out = PutStatusLine(head, out);
  bool has_date = false;
  bool length_copied = false;
  constexpr uint64_t kNotAsTheyAre = http::kOfOneConnection | BitOf(FieldId::kContentLength) |
                                     BitOf(FieldId::kDate) | BitOf(FieldId::kTrailer);
  FieldLines lines(out);
  for (const Field& field : head.fields) {
    if ((kNotAsTheyAre & BitOf(field.id)) == 0) {
      if (!field.hop_by_hop) lines.Put(field);
      continue;
    }
    switch (field.id) {
      case FieldId::kContentLength: {
        uint64_t length = 0;
        if (options.framing == WireFraming::kAsReceived && !length_copied &&
            ParseContentLength(field.value, length)) {
          length_copied = true;
          lines.Put(field);
        }
        break;
      }
      case FieldId::kDate:
        has_date = true;
        lines.Put(field);
        break;
      case FieldId::kTrailer:
        if (options.framing == WireFraming::kChunked) lines.Put(field);
        break;
      default: break;
    }
  }
  out = lines.End();
  out = PutFraming(options.framing, options.length, out);
  if (!has_date && !options.date.empty()) {
    out = Put("Date: ", out);
    out = Put(options.date, out);
    out = Put("\r\n", out);
  }
  if (options.connection == Connection::kClose) {
    out = Put("Connection: close\r\n", out);
  } else if (options.connection == Connection::kKeepAlive) {
    out = Put("Connection: keep-alive\r\n", out);
  } else if (options.connection == Connection::kUpgrade) {
    out = PutUpgrade(options.upgrade, out);
  }
  return Put("\r\n", out);
}

char* WriteInformationalHead(const http::ResponseHead& head, char* out) {
  FieldLines lines(PutStatusLine(head, out));
  for (const Field& field : head.fields) {
    // RFC 9110 section 8.6: no framing fields in 1xx.
    if (field.id == FieldId::kContentLength || field.id == FieldId::kTrailer) continue;
    if (!field.hop_by_hop && !http::IsHopByHop(field.id)) lines.Put(field);
  }
  return Put("\r\n", lines.End());
}

char* WriteLastChunk(const HeaderMap& trailers, char* out) {
  FieldLines lines(Put("0\r\n", out));
  for (const Field& field : trailers) {
    if (!field.hop_by_hop && !http::IsForbiddenTrailer(field.id)) lines.Put(field);
  }
  return Put("\r\n", lines.End());
}

}  // namespace headgate::http1
