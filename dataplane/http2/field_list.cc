#include "dataplane/http2/field_list.h"

#include <charconv>
#include <cstdint>

namespace headgate::http2 {
namespace {

using http::BodyLength;
using http::Field;
using http::FieldId;

bool IsEndToEnd(const Field& field) {
  return !field.hop_by_hop && (field.id == FieldId::kOther || !http::IsHopByHop(field.id));
}

// Of several codings in TE only "trailers" may be sent (RFC 9113 section 8.2.2).
bool AcceptsTrailers(std::string_view te) {
  while (!te.empty()) {
    const size_t comma = te.find(',');
    std::string_view element = te.substr(0, comma);
    while (!element.empty() && (element.front() == ' ' || element.front() == '\t'))
      element.remove_prefix(1);
    while (!element.empty() && (element.back() == ' ' || element.back() == '\t'))
      element.remove_suffix(1);
    if (http::EqualsIgnoreCase(element, "trailers")) return true;
    if (comma == std::string_view::npos) return false;
    te.remove_prefix(comma + 1);
  }
  return false;
}

}  // namespace

NumberText::NumberText(uint64_t number)
    : size_(static_cast<size_t>(std::to_chars(text_, text_ + sizeof(text_), number).ptr - text_)) {}

void AppendResponse(const http::ResponseHead& head, std::string_view status, std::string_view date,
                    const NumberText& length, bool no_body, FieldList& out) {
  out.Add(":status", status);
  const bool fixed = head.body.kind == BodyLength::Kind::kFixed && head.status != 204;
  bool has_date = false;
  bool has_length = fixed || head.status == 204;
  for (const Field& field : head.fields) {
    if (!IsEndToEnd(field)) continue;
    // RFC 8441 section 5.1: there is no key to answer.
    if (head.status == 101 && http::EqualsIgnoreCase(field.name, "sec-websocket-accept")) continue;
    if (field.id == FieldId::kContentLength) {
      if (!no_body || has_length) continue;
      has_length = true;
    } else if (field.id == FieldId::kTrailer && (fixed || no_body)) {
      continue;
    }
    has_date |= field.id == FieldId::kDate;
    out.Add(field.name, field.value);
  }
  if (fixed) out.Add("content-length", length.view());
  if (!has_date && !date.empty()) out.Add("date", date);
}

void AppendInformational(const http::ResponseHead& head, std::string_view status, FieldList& out) {
  out.Add(":status", status);
  for (const Field& field : head.fields) {
    // RFC 9110 section 8.6: no framing fields in 1xx.
    if (field.id == FieldId::kContentLength || field.id == FieldId::kTrailer) continue;
    if (IsEndToEnd(field)) out.Add(field.name, field.value);
  }
}

void AppendRequest(const http::RequestHead& head, std::string_view scheme, const NumberText& length,
                   FieldList& out) {
  const bool upgrade = !head.upgrade.empty();
  out.Add(":method", upgrade ? std::string_view("CONNECT") : head.method_text);
  out.Add(":scheme", scheme);
  out.Add(":authority", head.authority);
  out.Add(":path", head.target);
  if (upgrade) out.Add(":protocol", head.upgrade);
  bool te_trailers = false;
  for (const Field& field : head.fields) {
    switch (field.id) {
      case FieldId::kHost:
      case FieldId::kContentLength:
      case FieldId::kExpect: break;
      case FieldId::kTe: te_trailers |= AcceptsTrailers(field.value); break;
      default:
        // RFC 8441 section 5.1: without the key.
        if (upgrade && http::EqualsIgnoreCase(field.name, "sec-websocket-key")) break;
        if (IsEndToEnd(field)) out.Add(field.name, field.value);
        break;
    }
  }
  if (te_trailers) out.Add("te", "trailers");
  if (!upgrade && head.body.kind == BodyLength::Kind::kFixed) {
    out.Add("content-length", length.view());
  }
}

void AppendTrailers(const http::HeaderMap& trailers, FieldList& out) {
  for (const Field& field : trailers) {
    if (IsEndToEnd(field) && !http::IsForbiddenTrailer(field.id)) out.Add(field.name, field.value);
  }
}

}  // namespace headgate::http2
