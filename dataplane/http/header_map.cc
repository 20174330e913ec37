#include "dataplane/http/header_map.h"

#include <algorithm>
#include <array>
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

// In lower case, by FieldId.
constexpr std::array<std::string_view, 34> kNames = {
    "",
    "host",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
    "content-type",
    "content-encoding",
    "expect",
    "date",
    "server",
    "user-agent",
    "referer",
    "authorization",
    "cookie",
    "location",
    "proxy",
    "proxy-authorization",
    "proxy-authenticate",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-real-ip",
    "x-request-id",
    "x-scheme",
    "x-original-forwarded-for",
    "x-original-forwarded-host",
    "http2-settings",
};
static_assert(kNames.size() == static_cast<size_t>(FieldId::kHttp2Settings) + 1);
constexpr size_t kLongestName =
    std::max_element(kNames.begin(), kNames.end(), [](std::string_view a, std::string_view b) {
      return a.size() < b.size();
    })->size();

// The factors were searched for: each known name has a slot to itself, and names that are common
// but not known have empty ones. REQUIRES: two letters at least.
constexpr size_t kSlots = 128;
constexpr size_t SlotOf(std::string_view name) {
  const auto first = static_cast<uint8_t>(name.front() | 0x20);
  const auto last_but_one = static_cast<uint8_t>(name[name.size() - 2] | 0x20);
  return (name.size() * 10 + first * size_t{27} + last_but_one * size_t{21}) % kSlots;
}

constexpr std::array<FieldId, kSlots> MakeSlots() {
  std::array<FieldId, kSlots> slots{};
  for (size_t id = 1; id < kNames.size(); ++id)
    slots[SlotOf(kNames[id])] = static_cast<FieldId>(id);
  return slots;
}
constexpr std::array<FieldId, kSlots> kFieldIds = MakeSlots();
static_assert(std::count(kFieldIds.begin(), kFieldIds.end(), FieldId::kOther) ==
              kSlots - kNames.size() + 1);

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

bool SameSizeLooksLike(std::string_view a, std::string_view b) {
  const auto fold = [](char c) { return c == '_' ? '-' : ToLower(c); };
  return std::equal(a.begin(), a.end(), b.begin(),
                    [&](char x, char y) { return fold(x) == fold(y); });
}

bool IsDropped(std::string_view name, Underscores rule) {
  if (rule != Underscores::kKeptUnlessKnown) return rule == Underscores::kDropped;
  std::array<char, kLongestName> twin;
  if (name.size() > twin.size()) return false;
  std::replace_copy(name.begin(), name.end(), twin.begin(), '_', '-');
  return ClassifyFieldName({twin.data(), name.size()}) != FieldId::kOther;
}

FieldId ClassifyFieldName(std::string_view name) {
  if (name.size() < 2) return FieldId::kOther;
  const FieldId id = kFieldIds[SlotOf(name)];
  if (id == FieldId::kOther) return id;
  return EqualsIgnoreCase(name, kNames[static_cast<size_t>(id)]) ? id : FieldId::kOther;
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
    case kProxy: return true;
    default: return IsHopByHop(id);
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
  if ((ids_ & BitOf(id)) == 0) return 0;
  return std::erase_if(fields_, [id](const Field& field) { return field.id == id; });
}

size_t HeaderMap::Remove(std::string_view name) {
  return std::erase_if(fields_,
                       [name](const Field& field) { return EqualsIgnoreCase(field.name, name); });
}

size_t HeaderMap::RemoveAlike(std::string_view name) {
  return std::erase_if(fields_, [name](const Field& field) { return LooksLike(field.name, name); });
}

void HeaderMap::MarkHopByHop(std::string_view name) {
  for (Field& field : fields_) {
    if (EqualsIgnoreCase(field.name, name)) field.hop_by_hop = true;
  }
}

}  // namespace headgate::http
