#include "dataplane/tls/certificate_scan.h"

#include <openssl/evp.h>
#include <time.h>

#include <algorithm>
#include <array>

namespace headgate::tls {
namespace {

using std::string_view_literals::operator""sv;

constexpr uint8_t kInteger = 0x02;
constexpr uint8_t kBitString = 0x03;
constexpr uint8_t kOctetString = 0x04;
constexpr uint8_t kOid = 0x06;
constexpr uint8_t kUtcTime = 0x17;
constexpr uint8_t kGeneralizedTime = 0x18;
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kTag0 = 0xa0;
constexpr uint8_t kTag1 = 0xa1;

constexpr size_t kMinModulusBytes = 256;

constexpr std::string_view kRsaKey = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"sv;
constexpr std::string_view kEcKey = "\x2a\x86\x48\xce\x3d\x02\x01"sv;
// With SHA-256, -384 and -512.
constexpr std::array<std::string_view, 6> kSignatures = {
    "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"sv, "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"sv,
    "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"sv, "\x2a\x86\x48\xce\x3d\x04\x03\x02"sv,
    "\x2a\x86\x48\xce\x3d\x04\x03\x03"sv,     "\x2a\x86\x48\xce\x3d\x04\x03\x04"sv};

struct Curve {
  std::string_view oid;
  size_t point_bytes;
};
constexpr std::array<Curve, 3> kCurves = {{{"\x2a\x86\x48\xce\x3d\x03\x01\x07"sv, 64},
                                           {"\x2b\x81\x04\x00\x22"sv, 96},
                                           {"\x2b\x81\x04\x00\x23"sv, 132}}};

// The elements of a DER value, one after the other. After a failure everything else fails too.
class DerReader {
 public:
  explicit DerReader(std::string_view bytes) : rest_(bytes) {}

  // The content of the next element, which must have this tag.
  std::string_view Take(uint8_t tag) {
    if (!Peek(tag)) return Fail();
    size_t header = 2;
    size_t size = Byte(1);
    if (size >= 0x80) {
      const size_t digits = size & 0x7f;
      if (digits == 0 || digits > 3 || rest_.size() < 2 + digits) return Fail();
      size = 0;
      for (size_t i = 0; i < digits; ++i) size = size << 8 | Byte(2 + i);
      if (size < 0x80 || size >> (8 * (digits - 1)) == 0) return Fail();
      header += digits;
    }
    if (size > rest_.size() - header) return Fail();
    const std::string_view content = rest_.substr(header, size);
    rest_.remove_prefix(header + size);
    return content;
  }
  DerReader Enter(uint8_t tag) {
    DerReader inner(Take(tag));
    inner.good_ = good_;
    return inner;
  }
  bool Peek(uint8_t tag) const { return good_ && rest_.size() >= 2 && Byte(0) == tag; }
  // Without its first byte, which says that no bits are unused.
  std::string_view TakeBits() {
    const std::string_view bits = Take(kBitString);
    if (bits.empty() || bits.front() != 0) return Fail();
    return bits.substr(1);
  }
  bool good() const { return good_; }
  bool done() const { return good_ && rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  uint8_t Byte(size_t at) const { return static_cast<uint8_t>(rest_[at]); }
  std::string_view Fail() {
    good_ = false;
    rest_ = {};
    return {};
  }

  std::string_view rest_;
  bool good_ = true;
};

// Whether the elements, and those inside of them, fill their places exactly.
bool IsWellFormed(std::string_view bytes, int depth = 0) {
  constexpr int kMaxDepth = 16;
  constexpr uint8_t kConstructed = 0x20;
  DerReader reader(bytes);
  while (reader.good() && !reader.rest().empty()) {
    const auto tag = static_cast<uint8_t>(reader.rest().front());
    const std::string_view content = reader.Take(tag);
    if (!reader.good()) return false;
    const bool inner = (tag & kConstructed) != 0;
    if (inner && (depth == kMaxDepth || !IsWellFormed(content, depth + 1))) return false;
  }
  return reader.good();
}

// "YYMMDDhhmmssZ" or "YYYYMMDDhhmmssZ" (RFC 5280 section 4.1.2.5).
std::optional<int64_t> TakeTime(DerReader& reader) {
  const bool utc = reader.Peek(kUtcTime);
  const std::string_view text = reader.Take(utc ? kUtcTime : kGeneralizedTime);
  const size_t year_digits = utc ? 2 : 4;
  if (text.size() != year_digits + 11 || text.back() != 'Z') return std::nullopt;
  const std::string_view digits = text.substr(0, text.size() - 1);
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return std::nullopt;
  }
  const auto number = [&](size_t at, size_t count) {
    int value = 0;
    for (const char c : digits.substr(at, count)) value = 10 * value + (c - '0');
    return value;
  };
  int year = number(0, year_digits);
  if (utc) year += year < 50 ? 2000 : 1900;
  tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = number(year_digits, 2) - 1;
  parts.tm_mday = number(year_digits + 2, 2);
  parts.tm_hour = number(year_digits + 4, 2);
  parts.tm_min = number(year_digits + 6, 2);
  parts.tm_sec = number(year_digits + 8, 2);
  return timegm(&parts);
}

bool IsGoodSignature(DerReader algorithm) {
  const std::string_view oid = algorithm.Take(kOid);
  return std::find(kSignatures.begin(), kSignatures.end(), oid) != kSignatures.end();
}

// A positive INTEGER without its sign byte.
std::string_view Magnitude(std::string_view integer) {
  if (!integer.empty() && integer.front() == 0) integer.remove_prefix(1);
  return integer;
}

bool TakePublicKey(DerReader info, CertificateFacts& out) {
  DerReader algorithm = info.Enter(kSequence);
  const std::string_view kind = algorithm.Take(kOid);
  const std::string_view bits = info.TakeBits();
  if (!info.done()) return false;
  if (kind == kRsaKey) {
    out.key_type = EVP_PKEY_RSA;
    DerReader whole(bits);
    DerReader numbers = whole.Enter(kSequence);
    out.public_key = numbers.rest();
    const std::string_view modulus = numbers.Take(kInteger);
    numbers.Take(kInteger);
    return whole.done() && numbers.done() && Magnitude(modulus).size() >= kMinModulusBytes;
  }
  if (kind != kEcKey) return false;
  out.key_type = EVP_PKEY_EC;
  out.curve = algorithm.Take(kOid);
  const auto curve = std::find_if(kCurves.begin(), kCurves.end(),
                                  [&](const Curve& known) { return known.oid == out.curve; });
  if (curve == kCurves.end() || bits.size() != 1 + curve->point_bytes || bits.front() != 4) {
    return false;
  }
  out.public_key = bits.substr(1);
  return algorithm.done();
}

// "0, modulus, exponent, ..." of PKCS#1.
bool RsaKeyMatches(const CertificateFacts& certificate, DerReader key) {
  if (key.Take(kInteger) != "\0"sv) return false;
  const std::string_view numbers = key.rest();
  key.Take(kInteger);
  key.Take(kInteger);
  return key.good() &&
         numbers.substr(0, numbers.size() - key.rest().size()) == certificate.public_key;
}

// "1, scalar, [0] curve, [1] point" of SEC1; the curve may stand outside.
bool EcKeyMatches(const CertificateFacts& certificate, DerReader key, std::string_view curve) {
  if (key.Take(kInteger) != "\1"sv) return false;
  key.Take(kOctetString);
  if (key.Peek(kTag0)) curve = key.Enter(kTag0).Take(kOid);
  std::string_view point = key.Enter(kTag1).TakeBits();
  if (!key.good() || curve != certificate.curve || point.empty() || point.front() != 4)
    return false;
  return point.substr(1) == certificate.public_key;
}

}  // namespace

std::optional<CertificateFacts> ScanCertificate(std::string_view der) {
  CertificateFacts facts;
  DerReader file(der);
  DerReader certificate = file.Enter(kSequence);
  DerReader body = certificate.Enter(kSequence);
  DerReader signature = certificate.Enter(kSequence);
  certificate.TakeBits();
  if (!file.done() || !certificate.done() || !IsGoodSignature(signature) || !IsWellFormed(der)) {
    return std::nullopt;
  }

  if (body.Peek(kTag0)) body.Take(kTag0);  // version
  body.Take(kInteger);                     // serial number
  body.Take(kSequence);                    // signature algorithm, again
  body.Take(kSequence);                    // issuer
  DerReader validity = body.Enter(kSequence);
  const std::optional<int64_t> not_before = TakeTime(validity);
  const std::optional<int64_t> not_after = TakeTime(validity);
  body.Take(kSequence);  // subject
  const DerReader key = body.Enter(kSequence);
  if (!body.good() || !not_before || !not_after || !TakePublicKey(key, facts)) return std::nullopt;
  facts.not_before = *not_before;
  facts.not_after = *not_after;
  return facts;
}

bool ScanKeyMatches(const CertificateFacts& certificate, std::string_view key_der) {
  DerReader file(key_der);
  const DerReader key = file.Enter(kSequence);
  if (!file.done()) return false;
  // PKCS#8 has an algorithm after the version, the older forms have the key itself.
  DerReader pkcs8 = key;
  pkcs8.Take(kInteger);
  std::string_view curve;
  DerReader inner = key;
  if (pkcs8.Peek(kSequence)) {
    DerReader algorithm = pkcs8.Enter(kSequence);
    const std::string_view kind = algorithm.Take(kOid);
    if (kind != (certificate.key_type == EVP_PKEY_RSA ? kRsaKey : kEcKey)) return false;
    if (algorithm.Peek(kOid)) curve = algorithm.Take(kOid);
    DerReader wrapped(pkcs8.Take(kOctetString));
    inner = wrapped.Enter(kSequence);
    if (!wrapped.done()) return false;
  }
  return certificate.key_type == EVP_PKEY_RSA ? RsaKeyMatches(certificate, inner)
                                              : EcKeyMatches(certificate, inner, curve);
}

}  // namespace headgate::tls
