#include "dataplane/http2/header_block.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "dataplane/http/chars.h"
#include "dataplane/http/upgrade.h"
#include "dataplane/http/uri.h"

namespace headgate::http2 {
namespace {

using base::Failure;
using http::Field;
using http::FieldId;
using http::Method;

HeadResult Malformed(std::string_view detail) {
  return {.status = 400, .kind = Failure::Kind::kProtocol, .detail = detail};
}

// A token without capitals (RFC 9113 section 8.2.1).
bool IsFieldName(std::string_view name) {
  return http::IsToken(name) &&
         std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool IsFieldValue(std::string_view value) {
  return http::IsFieldText(value) && http::TrimBlanks(value) == value;
}

// Digits only, at most 2^63 - 1.
bool ParseLength(std::string_view text, uint64_t& length) {
  if (text.empty() || !http::IsDigit(text.front())) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  return error == std::errc() && end == text.data() + text.size() && length <= INT64_MAX;
}

// Fields that HTTP/2 forbids (section 8.2.2).
bool IsConnectionSpecific(const Field& field) {
  switch (field.id) {
    case FieldId::kConnection:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade: return true;
    case FieldId::kTe: return !http::EqualsIgnoreCase(field.value, "trailers");
    default: return false;
  }
}

struct FieldFacts {
  std::string_view error;  // static text; empty: fine
  std::string_view host;
  size_t hosts = 0;
  size_t cookies = 0;
  bool has_length = false;
  uint64_t length = 0;
  bool expect_continue = false;
};

FieldFacts ReadFields(const http::HeaderMap& fields) {
  FieldFacts facts;
  for (const Field& field : fields) {
    if (field.id == FieldId::kOther) continue;
    if (IsConnectionSpecific(field)) {
      facts.error = "connection-specific field";
      return facts;
    }
    switch (field.id) {
      case FieldId::kHost:
        facts.host = field.value;
        ++facts.hosts;
        break;
      case FieldId::kCookie: ++facts.cookies; break;
      case FieldId::kContentLength:
        if (facts.has_length || !ParseLength(field.value, facts.length)) {
          facts.error = "malformed or repeated content-length";
          return facts;
        }
        facts.has_length = true;
        break;
      case FieldId::kExpect:
        facts.expect_continue |= http::EqualsIgnoreCase(field.value, "100-continue");
        break;
      default: break;
    }
  }
  return facts;
}

void JoinCookies(http::HeaderMap& fields, base::Arena& arena) {
  size_t size = 0;
  for (const Field& field : fields) {
    if (field.id == FieldId::kCookie) size += field.value.size() + 2;
  }
  char* const text = arena.Allocate(size);
  char* at = text;
  for (const Field& field : fields) {
    if (field.id != FieldId::kCookie || field.value.empty()) continue;  // no blank at the end
    if (at != text) at = std::copy_n("; ", 2, at);
    at = std::copy(field.value.begin(), field.value.end(), at);
  }
  fields.Remove(FieldId::kCookie);
  fields.Add(FieldId::kCookie, "cookie", {text, static_cast<size_t>(at - text)});
}

// :authority and Host (section 8.3.1): one of them at least, and they may not name different hosts.
HeadResult ReadAuthority(const HeaderBlock& block, const FieldFacts& facts, base::Arena& arena,
                         http::RequestHead& head) {
  if (facts.hosts > 1) return Malformed("several host fields");
  const bool has_authority = block.authority.data() != nullptr && !block.authority.empty();
  head.authority = has_authority ? block.authority : facts.host;
  http::Authority authority;
  if (head.authority.empty() || !http::ParseAuthority(head.authority, arena, authority)) {
    return Malformed("authority is missing or malformed");
  }
  if (facts.hosts == 0) {
    head.fields.Add(FieldId::kHost, "host", head.authority);
  } else if (has_authority) {
    http::Authority host;
    const uint16_t port = block.scheme == "https" ? 443 : 80;
    const auto effective = [port](const http::Authority& a) { return a.port == 0 ? port : a.port; };
    if (!http::ParseAuthority(facts.host, arena, host) || host.host != authority.host ||
        effective(host) != effective(authority)) {
      return Malformed("host and :authority disagree");
    }
  }
  return {};
}

HeadResult ReadTarget(const HeaderBlock& block, const HeadLimits& limits, http::RequestHead& head) {
  if (block.scheme != "http" && block.scheme != "https") return Malformed(":scheme is not http");
  head.target = block.path;
  if (head.target.empty()) return Malformed(":path is missing");
  if (head.target.size() > limits.max_line_bytes) {
    return {.status = 414, .kind = Failure::Kind::kTargetTooLong, .detail = ":path too long"};
  }
  const char* const end = head.target.data() + head.target.size();
  if (http::FindTargetEnd(head.target.data(), end) != end) return Malformed("malformed :path");
  if (head.target.front() != '/' && (head.target != "*" || head.method != Method::kOptions)) {
    return Malformed("malformed :path");
  }
  return {};
}

}  // namespace

void HeaderBlock::Start(base::Arena& arena, const HeadLimits& limits) {
  arena_ = &arena;
  limits_ = limits;
  fields.Clear();
  method = scheme = authority = path = protocol = status = {};
  has_pseudo = false;
  malformed_ = {};
  bytes_ = count_ = 0;
  too_large_ = false;
}

bool HeaderBlock::AddWireBytes(size_t size) {
  wire_bytes += static_cast<uint32_t>(size);
  return wire_bytes <= kHopelessFactor * limits_.max_head_bytes;
}

bool HeaderBlock::Add(std::string_view name, std::string_view value) {
  bytes_ += name.size() + value.size() + 4;
  ++count_;
  if (bytes_ > limits_.max_head_bytes || count_ > limits_.max_fields + size_t{5}) {
    too_large_ = true;
    return bytes_ <= kHopelessFactor * limits_.max_head_bytes &&
           count_ <= kHopelessFactor * (limits_.max_fields + size_t{5});
  }
  if (!malformed_.empty() || too_large_) return true;
  if (!IsFieldValue(value)) {
    malformed_ = "malformed field value";
  } else if (name.starts_with(':')) {
    AddPseudo(name, arena_->Copy(value));
  } else if (!IsFieldName(name)) {
    malformed_ = "malformed field name";
  } else if (name.find('_') == std::string_view::npos ||
             !http::IsDropped(name, limits_.underscores)) {
    if (fields.size() == limits_.max_fields) {
      too_large_ = true;
      return true;
    }
    fields.Add(arena_->Copy(name), arena_->Copy(value));
  }
  return true;
}

void HeaderBlock::AddPseudo(std::string_view name, std::string_view value) {
  const struct {
    std::string_view name;
    std::string_view& value;
  } known[] = {{":method", method},       {":path", path},         {":scheme", scheme},
               {":authority", authority}, {":protocol", protocol}, {":status", status}};
  has_pseudo = true;
  if (!fields.empty()) {
    malformed_ = "pseudo-header field behind other fields";
    return;
  }
  for (const auto& row : known) {
    if (row.name != name) continue;
    if (row.value.data() != nullptr) malformed_ = "repeated pseudo-header field";
    row.value = value.empty() ? std::string_view("", 0) : value;
    return;
  }
  malformed_ = "unknown pseudo-header field";
}

HeadResult MakeRequestHead(HeaderBlock& block, const HeadLimits& limits, bool end,
                           base::Arena& arena, http::RequestHead& head) {
  head.method = http::ParseMethod(block.method);
  head.method_text = block.method;
  head.target = block.path;
  head.authority = block.authority;
  head.version = http::Version::kHttp2;
  head.body = http::BodyLength::None();
  head.expect_continue = false;
  head.upgrade = {};
  head.websocket_key = {};
  head.head_bytes = block.wire_bytes;
  if (!block.malformed().empty()) return Malformed(block.malformed());
  if (block.too_large()) {
    return {
        .status = 431, .kind = Failure::Kind::kHeadTooLarge, .detail = "request head too large"};
  }
  std::swap(head.fields, block.fields);
  if (block.status.data() != nullptr) return Malformed(":status in a request");
  if (!http::IsToken(block.method)) return Malformed(":method is missing or malformed");

  const FieldFacts facts = ReadFields(head.fields);
  if (!facts.error.empty()) return Malformed(facts.error);
  if (head.method == Method::kConnect) {
    if (block.protocol.data() == nullptr) {
      return {.status = 405, .kind = Failure::Kind::kProtocol, .detail = "CONNECT is not served"};
    }
    // RFC 8441 section 4.
    if (!http::IsUpgradeProtocol(block.protocol)) return Malformed("malformed :protocol");
    if (!http::MayUpgradeTo(block.protocol)) {
      return {
          .status = 501, .kind = Failure::Kind::kProtocol, .detail = ":protocol is not passed on"};
    }
    if (facts.has_length) return Malformed("content-length in an extended CONNECT");
    head.upgrade = block.protocol;
    head.method = Method::kGet;
    head.method_text = "GET";
  } else if (block.protocol.data() != nullptr) {
    return Malformed(":protocol without CONNECT");
  }
  if (const HeadResult target = ReadTarget(block, limits, head); !target.ok()) return target;
  if (const HeadResult authority = ReadAuthority(block, facts, arena, head); !authority.ok()) {
    return authority;
  }
  if (facts.cookies > 1) JoinCookies(head.fields, arena);
  if (!head.upgrade.empty()) return {};

  if (facts.has_length) {
    if (end && facts.length != 0) return Malformed("content-length without a body");
    head.body = http::BodyLength::Fixed(facts.length);
  } else if (!end) {
    head.body = http::BodyLength::Chunked();
  }
  head.expect_continue = facts.expect_continue && !end;
  return {};
}

HeadResult MakeResponseHead(HeaderBlock& block, bool head_request, bool end,
                            http::ResponseHead& head) {
  if (!block.malformed().empty()) return Malformed(block.malformed());
  if (block.too_large()) return Malformed("response head too large");
  head.status = 0;
  head.reason = {};
  head.version = http::Version::kHttp2;
  head.body = http::BodyLength::None();
  head.head_bytes = block.wire_bytes;
  std::swap(head.fields, block.fields);
  if (block.status.size() != 3 || block.method.data() != nullptr || block.path.data() != nullptr ||
      block.scheme.data() != nullptr || block.authority.data() != nullptr ||
      block.protocol.data() != nullptr) {
    return Malformed("malformed pseudo-header fields");
  }
  for (char c : block.status) {
    if (!http::IsDigit(c)) return Malformed("malformed :status");
    head.status = static_cast<uint16_t>(head.status * 10 + (c - '0'));
  }
  // RFC 9110 section 15; RFC 9113 section 8.6: 101 does not exist here.
  if (head.status < 100 || head.status > 599 || head.status == 101)
    return Malformed("malformed :status");
  const FieldFacts facts = ReadFields(head.fields);
  if (!facts.error.empty()) return Malformed(facts.error);
  if (head.status < 200) {
    if (end) return Malformed("an informational response ends the stream");
    return {};
  }
  const bool bodiless = head_request || head.status == 204 || head.status == 304;
  if (bodiless) return {};
  if (facts.has_length) {
    if (end && facts.length != 0) return Malformed("content-length without a body");
    head.body = http::BodyLength::Fixed(facts.length);
  } else if (!end) {
    head.body = http::BodyLength::Chunked();
  }
  return {};
}

HeadResult CheckTrailers(HeaderBlock& block) {
  if (!block.malformed().empty()) return Malformed(block.malformed());
  if (block.too_large()) return Malformed("trailer section too large");
  if (block.has_pseudo) return Malformed("pseudo-header field in a trailer section");
  block.fields.RemoveIf([](const Field& field) { return http::IsForbiddenTrailer(field.id); });
  return {};
}

}  // namespace headgate::http2
