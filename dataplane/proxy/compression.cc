#include "dataplane/proxy/compression.h"

#include <algorithm>
#include <array>

namespace headgate::proxy {
namespace {

using encoding::Coding;
using http::BodyLength;
using http::FieldId;

// Whether a comma-separated field of that name holds `token`, in any case; what follows '=' or ';'
// is not looked at.
bool HasToken(const http::HeaderMap& fields, std::string_view name, std::string_view token) {
  for (const http::Field& field : fields) {
    if (!http::EqualsIgnoreCase(field.name, name)) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find(','), rest.size());
      std::string_view item = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (item.starts_with(' ') || item.starts_with('\t')) item.remove_prefix(1);
      item = item.substr(0, item.find_first_of(" \t;="));
      if (http::EqualsIgnoreCase(item, token)) return true;
    }
  }
  return false;
}

bool HasEncodableBody(const http::RequestHead& request, const http::ResponseHead& response) {
  if (request.method == http::Method::kHead || request.method == http::Method::kConnect)
    return false;
  switch (response.status) {
    case 101:
    case 204:
    case 205:
    case 206:
    case 304: return false;
    default: return response.body.kind != BodyLength::Kind::kNone;
  }
}

bool MayBeTransformed(const http::RequestHead& request, const http::ResponseHead& response) {
  const http::HeaderMap& fields = response.fields;
  const std::string_view encoded = fields.Get(FieldId::kContentEncoding);
  if (!encoded.empty() && !http::EqualsIgnoreCase(encoded, "identity")) return false;
  if (fields.Find("Content-Range") != nullptr) return false;
  return !HasToken(fields, "Cache-Control", "no-transform") &&
         !HasToken(request.fields, "Cache-Control", "no-transform");
}

}  // namespace

Coding ChooseCoding(const config::Compression& policy, const http::RequestHead& request,
                    http::ResponseHead& response) {
  if (!policy.any() || !HasEncodableBody(request, response)) return Coding::kIdentity;
  const std::string_view type = response.fields.Get(FieldId::kContentType);
  if (http::IsGrpc(type)) return Coding::kIdentity;

  constexpr std::array kPreference = {Coding::kZstd, Coding::kBrotli, Coding::kGzip};
  std::array<Coding, kPreference.size()> offered;
  size_t count = 0;
  for (Coding coding : kPreference) {
    const config::Compression::Coder& coder = policy.of(coding);
    if (coder.level == 0 || !coder.Takes(type)) continue;
    if (response.body.kind == BodyLength::Kind::kFixed && response.body.size < coder.min_length)
      continue;
    offered[count++] = coding;
  }
  if (count == 0 || !MayBeTransformed(request, response)) return Coding::kIdentity;

  if (!HasToken(response.fields, "Vary", "Accept-Encoding") &&
      !HasToken(response.fields, "Vary", "*")) {
    response.fields.Add("Vary", "Accept-Encoding");
  }
  if (request.version == http::Version::kHttp10) return Coding::kIdentity;
  return encoding::AcceptedCodings::Parse(request.fields).Choose({offered.data(), count});
}

void MarkEncoded(Coding coding, http::ResponseHead& response, base::Arena& arena) {
  http::HeaderMap& fields = response.fields;
  fields.Remove(FieldId::kContentEncoding);
  for (const char* name :
       {"Accept-Ranges", "Content-MD5", "Digest", "Content-Digest", "Repr-Digest"}) {
    fields.Remove(name);
  }
  if (const std::string_view tag = fields.Get("ETag"); tag.starts_with('"')) {
    const std::string_view weak = arena.Join("W/", tag);
    fields.Remove("ETag");
    fields.Add("ETag", weak);
  }
  fields.Remove(FieldId::kContentLength);
  fields.Add(FieldId::kContentEncoding, "Content-Encoding", encoding::CodingName(coding));
  response.body = BodyLength::Chunked();
}

}  // namespace headgate::proxy
