#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "dataplane/base/pooled_memory.h"

namespace headgate::http {

// Field names the proxy itself looks at; everything else is kOther and is told apart by name.
enum class FieldId : uint8_t {
  kOther,
  kHost,
  kConnection,
  kKeepAlive,
  kProxyConnection,
  kTe,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kContentLength,
  kContentType,
  kContentEncoding,
  kExpect,
  kDate,
  kServer,
  kUserAgent,
  kReferer,
  kAuthorization,
  kCookie,
  kLocation,
  kProxy,
  kProxyAuthorization,
  kProxyAuthenticate,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedPort,
  kXForwardedProto,
  kXForwardedScheme,
  kXRealIp,
  kXRequestId,
  kXScheme,
  kXOriginalForwardedFor,
  kXOriginalForwardedHost,
  kHttp2Settings,  // the last; there is a bit for each
};

// For sets of them.
constexpr uint64_t BitOf(FieldId id) { return uint64_t{1} << static_cast<int>(id); }

// The id of a field name in any case; kOther if unknown.
FieldId ClassifyFieldName(std::string_view name);

// The same for texts of one size.
bool SameSizeEqualsIgnoreCase(std::string_view a, std::string_view b);
// True for equal ASCII text, ignoring case.
inline bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && SameSizeEqualsIgnoreCase(a, b);
}

// True for names that CGI and its like cannot tell apart: equal but for case, and for '_' where the
// other has '-'.
bool SameSizeLooksLike(std::string_view a, std::string_view b);
inline bool LooksLike(std::string_view a, std::string_view b) {
  return a.size() == b.size() && SameSizeLooksLike(a, b);
}

// What becomes of fields with '_' in their name. Many applications see them and their twin with '-'
// as one variable, so a client could overwrite what we set.
enum class Underscores : uint8_t {
  kKept,
  kKeptUnlessKnown,  // unless the proxy knows the twin
  kDropped,
};
// REQUIRES: `name` has a '_'.
bool IsDropped(std::string_view name, Underscores rule);

// Fields that concern one connection whatever Connection says.
inline constexpr uint64_t kOfOneConnection =
    BitOf(FieldId::kConnection) | BitOf(FieldId::kKeepAlive) | BitOf(FieldId::kProxyConnection) |
    BitOf(FieldId::kTe) | BitOf(FieldId::kTransferEncoding) | BitOf(FieldId::kUpgrade) |
    BitOf(FieldId::kHttp2Settings);
constexpr bool IsHopByHop(FieldId id) { return (kOfOneConnection & BitOf(id)) != 0; }

// Fields that may not stand in a trailer section: what frames, routes or authorises a message, or
// controls a connection (RFC 9110 section 6.5.1).
bool IsForbiddenTrailer(FieldId id);

// One field. The views point into memory that the owner of the HeaderMap keeps alive (an exchange's
// arena).
struct Field {
  std::string_view name;   // as received; HTTP/2 sends it in lower case
  std::string_view value;  // without surrounding white space (RFC 9110 section 5.5)
  FieldId id = FieldId::kOther;
  // Meant for the next hop only: the sender's Connection field names it (RFC 9110 section 7.6.1).
  // Set by the codec that received it and skipped by the codec that sends, so that a sender cannot
  // make us drop fields that we add.
  bool hop_by_hop = false;
};

// Fields of a message in the order received. Repeated names stay separate fields. A value type that
// copies views, not bytes.
class HeaderMap {
 public:
  void Add(std::string_view name, std::string_view value) {
    Add(ClassifyFieldName(name), name, value);
  }
  void Add(const Field& field) {
    ids_ |= BitOf(field.id);
    fields_.push_back(field);
  }
  void Add(FieldId id, std::string_view name, std::string_view value) { Add({name, value, id}); }

  // The first field of that name, or nullptr. Pointers are valid until the next Add, Remove or
  // Clear.
  const Field* Find(FieldId id) const {
    return (ids_ & BitOf(id)) == 0 ? nullptr : FindPresent(id);
  }
  const Field* Find(std::string_view name) const;
  // The first value, or an empty view.
  std::string_view Get(FieldId id) const;
  std::string_view Get(std::string_view name) const;
  size_t Count(FieldId id) const;
  const Field& operator[](size_t index) const { return fields_[index]; }

  // Removes every field of that name; returns how many there were.
  size_t Remove(FieldId id);
  size_t Remove(std::string_view name);
  // And all whose name looks like it: what an upstream is not to hear in a client's words.
  size_t RemoveAlike(std::string_view name);

  // Removes every field for which `condition(field)` holds.
  template <typename Condition>
  void RemoveIf(Condition condition) {
    std::erase_if(fields_, condition);
  }

  // Gives every field the value that `change(field)` says.
  template <typename Change>
  void ChangeValues(Change change) {
    for (Field& field : fields_) field.value = change(static_cast<const Field&>(field));
  }

  // Marks every field of that name as hop_by_hop.
  void MarkHopByHop(std::string_view name);

  void Reserve(size_t count) { fields_.reserve(count); }
  void Clear() {
    fields_.clear();
    ids_ = 0;
  }
  bool empty() const { return fields_.empty(); }
  size_t size() const { return fields_.size(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  const Field* FindPresent(FieldId id) const;

  std::vector<Field, base::PooledAllocator<Field>> fields_;
  uint64_t ids_ = 0;  // of the fields here, and perhaps of some that were removed
};

}  // namespace headgate::http
