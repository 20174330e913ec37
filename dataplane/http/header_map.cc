#include "dataplane/http/header_map.h"

#include <algorithm>
#include <cstring>

#include "dataplane/http/chars.h"

namespace headgate::http {
namespace {

constexpr uint64_t kOnes = 0x0101010101010101;

// Eight ASCII letters to lower case at once.
uint64_t Lower(uint64_t word) {
  const uint64_t low_bits = word & (0x7f * kOnes);
  const uint64_t above_z = low_bits + (0x7f - 'Z') * kOnes;
  const uint64_t from_a = low_bits + (0x80 - 'A') * kOnes;
  const uint64_t upper = (from_a ^ above_z) & ~word & (0x80 * kOnes);
  return word | (upper >> 2);
}

uint64_t Load(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// Four to eight bytes as one word; those in the middle may be in it twice.
uint64_t LoadShort(const char* at, size_t size) {
  uint32_t first;
  uint32_t last;
  std::memcpy(&first, at, sizeof(first));
  std::memcpy(&last, at + size - sizeof(last), sizeof(last));
  return first | uint64_t{last} << 32;
}

// Whether `text` is `known`, which is in lower case and, as the caller has seen, of the same size. A few words, because
// that size is known to the compiler.
template <size_t kArray>
bool Is(std::string_view text, const char (&known)[kArray]) {
  constexpr size_t kSize = kArray - 1;
  const char* const at = text.data();
  if constexpr (kSize < 4) {
    for (size_t i = 0; i < kSize; ++i) {
      if (ToLower(at[i]) != known[i]) return false;
    }
    return true;
  } else if constexpr (kSize < 8) {
    return Lower(LoadShort(at, kSize)) == LoadShort(known, kSize);
  } else {
    for (size_t i = 0; i + 8 < kSize; i += 8) {
      if (Lower(Load(at + i)) != Load(known + i)) return false;
    }
    return Lower(Load(at + kSize - 8)) == Load(known + kSize - 8);
  }
}

}  // namespace

bool SameSizeEqualsIgnoreCase(std::string_view a, std::string_view b) {
  const size_t size = a.size();
  if (size >= 4 && size < 8) {
    return Lower(LoadShort(a.data(), size)) == Lower(LoadShort(b.data(), size));
  }
  if (size < 4) {
    for (size_t i = 0; i < size; ++i) {
      if (ToLower(a[i]) != ToLower(b[i])) return false;
    }
    return true;
  }
  for (size_t i = 0; i + 8 < size; i += 8) {
    if (Lower(Load(a.data() + i)) != Lower(Load(b.data() + i))) return false;
  }
  // The last eight bytes overlap those already compared.
  return Lower(Load(a.data() + size - 8)) == Lower(Load(b.data() + size - 8));
}

FieldId ClassifyFieldName(std::string_view name) {
  using enum FieldId;
  const auto is = [name](const auto& known, FieldId id) { return Is(name, known) ? id : kOther; };
  if (name.empty()) return kOther;
  const char first = ToLower(name.front());
  switch (name.size()) {
    case 2:
      return is("te", kTe);
    case 4:
      return first == 'h' ? is("host", kHost) : is("date", kDate);
    case 5:
      return is("proxy", kProxy);
    case 6:
      switch (first) {
        case 'e': return is("expect", kExpect);
        case 's': return is("server", kServer);
        case 'c': return is("cookie", kCookie);
        default: return kOther;
      }
    case 7:
      switch (first) {
        case 'u': return is("upgrade", kUpgrade);
        case 't': return is("trailer", kTrailer);
        case 'r': return is("referer", kReferer);
        default: return kOther;
      }
    case 8:
      return first == 'l' ? is("location", kLocation) : is("x-scheme", kXScheme);
    case 9:
      return is("x-real-ip", kXRealIp);
    case 10:
      switch (first) {
        case 'c': return is("connection", kConnection);
        case 'k': return is("keep-alive", kKeepAlive);
        case 'u': return is("user-agent", kUserAgent);
        default: return kOther;
      }
    case 12:
      return first == 'c' ? is("content-type", kContentType) : is("x-request-id", kXRequestId);
    case 13:
      return is("authorization", kAuthorization);
    case 14:
      return first == 'c' ? is("content-length", kContentLength)
                          : is("http2-settings", kHttp2Settings);
    case 15:
      return is("x-forwarded-for", kXForwardedFor);
    case 16:
      switch (first) {
        case 'c': return is("content-encoding", kContentEncoding);
        case 'p': return is("proxy-connection", kProxyConnection);
        case 'x':
          return ToLower(name[12]) == 'h' ? is("x-forwarded-host", kXForwardedHost)
                                          : is("x-forwarded-port", kXForwardedPort);
        default: return kOther;
      }
    case 17:
      return first == 't' ? is("transfer-encoding", kTransferEncoding)
                          : is("x-forwarded-proto", kXForwardedProto);
    case 18:
      return first == 'x' ? is("x-forwarded-scheme", kXForwardedScheme)
                          : is("proxy-authenticate", kProxyAuthenticate);
    case 19:
      return is("proxy-authorization", kProxyAuthorization);
    case 24:
      return is("x-original-forwarded-for", kXOriginalForwardedFor);
    case 25:
      return is("x-original-forwarded-host", kXOriginalForwardedHost);
    default:
      return kOther;
  }
}

bool IsHopByHop(FieldId id) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTe:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
    case FieldId::kHttp2Settings:
      return true;
    default:
      return false;
  }
}

bool IsForbiddenTrailer(FieldId id) {
  using enum FieldId;
  switch (id) {
    case kHost:
    case kContentLength:
    case kTrailer:
    case kExpect:
    case kAuthorization:
    case kProxyAuthorization:
    case kProxyAuthenticate:
    case kCookie:
    case kContentType:
    case kContentEncoding:
    case kXForwardedFor:
    case kXForwardedHost:
    case kXForwardedPort:
    case kXForwardedProto:
    case kXForwardedScheme:
    case kXRealIp:
    case kXRequestId:
    case kXScheme:
    case kXOriginalForwardedFor:
    case kXOriginalForwardedHost:
    case kLocation:
    case kDate:
    case kProxy:
      return true;
    default:
      return IsHopByHop(id);
  }
}

static_assert(static_cast<int>(FieldId::kHttp2Settings) < 64);

const Field* HeaderMap::FindPresent(FieldId id) const {
  for (const Field& field : fields_) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

const Field* HeaderMap::Find(std::string_view name) const {
  for (const Field& field : fields_) {
    if (EqualsIgnoreCase(field.name, name)) return &field;
  }
  return nullptr;
}

std::string_view HeaderMap::Get(FieldId id) const {
  const Field* field = Find(id);
  return field == nullptr ? std::string_view() : field->value;
}

std::string_view HeaderMap::Get(std::string_view name) const {
  const Field* field = Find(name);
  return field == nullptr ? std::string_view() : field->value;
}

size_t HeaderMap::Count(FieldId id) const {
  return static_cast<size_t>(std::count_if(fields_.begin(), fields_.end(),
                                           [id](const Field& field) { return field.id == id; }));
}

size_t HeaderMap::Remove(FieldId id) {
  if ((ids_ & Bit(id)) == 0) return 0;
  return std::erase_if(fields_, [id](const Field& field) { return field.id == id; });
}

size_t HeaderMap::Remove(std::string_view name) {
  return std::erase_if(fields_,
                       [name](const Field& field) { return EqualsIgnoreCase(field.name, name); });
}

void HeaderMap::MarkHopByHop(std::string_view name) {
  for (Field& field : fields_) {
    if (EqualsIgnoreCase(field.name, name)) field.hop_by_hop = true;
  }
}

}  // namespace headgate::http
