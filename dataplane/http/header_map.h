#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

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
  kHttp2Settings,
};

// The id of a field name in any case, by length and first byte; kOther if unknown.
FieldId ClassifyFieldName(std::string_view name);

// True for equal ASCII text, ignoring case.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// One field. The views point into memory that the owner of the HeaderMap keeps alive (an exchange's arena).
struct Field {
  std::string_view name;   // as received; HTTP/2 sends it in lower case
  std::string_view value;  // without surrounding white space (RFC 9110 section 5.5)
  FieldId id = FieldId::kOther;
};

// Fields of a message in the order received. Repeated names stay separate fields. A value type that copies
// views, not bytes.
class HeaderMap {
 public:
  void Add(std::string_view name, std::string_view value) {
    fields_.push_back({name, value, ClassifyFieldName(name)});
  }
  void Add(const Field& field) { fields_.push_back(field); }
  void Add(FieldId id, std::string_view name, std::string_view value) {
    fields_.push_back({name, value, id});
  }

  // The first field of that name, or nullptr. Pointers are valid until the next Add, Remove or Clear.
  const Field* Find(FieldId id) const;
  const Field* Find(std::string_view name) const;
  // The first value, or an empty view.
  std::string_view Get(FieldId id) const;
  std::string_view Get(std::string_view name) const;
  size_t Count(FieldId id) const;

  // Removes every field of that name; returns how many there were.
  size_t Remove(FieldId id);
  size_t Remove(std::string_view name);

  void Clear() { fields_.clear(); }
  bool empty() const { return fields_.empty(); }
  size_t size() const { return fields_.size(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

}  // namespace headgate::http
