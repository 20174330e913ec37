#include "controller/translate/annotations/rate_limit.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "controller/translate/annotations/source_range.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

constexpr int64_t kMost = 1'000'000;  // more is no limit in practice

uint32_t ReadLimit(AnnotationReader& reader, std::string_view name) {
  const std::string* value = reader.Find(name);
  if (value == nullptr || Trim(*value).empty()) return 0;
  const std::optional<int64_t> limit = ParseInt(Trim(*value));
  if (!limit) reader.RefuseValue(name, "a whole number");
  return static_cast<uint32_t>(std::clamp<int64_t>(limit.value_or(0), 0, kMost));
}

uint32_t ReadMultiplier(AnnotationReader& reader) {
  constexpr std::string_view kName = "limit-burst-multiplier";
  constexpr int64_t kDefault = 5;
  const std::string* value = reader.Find(kName);
  if (value == nullptr || Trim(*value).empty()) return kDefault;
  const std::optional<int64_t> multiplier = ParseInt(Trim(*value));
  if (!multiplier) reader.Ignore(kName, "a whole number");
  return static_cast<uint32_t>(std::clamp<int64_t>(multiplier.value_or(kDefault), 0, 1000));
}

// Whether the limits are for all data planes together.
bool ReadScope(AnnotationReader& reader) {
  constexpr std::string_view kName = "headgate.dev/rate-limit-scope";
  const std::string* value = reader.Find(kName);
  if (value == nullptr || *value == "data-plane") return false;
  if (*value == "cluster") return true;
  reader.Ignore(kName, "data-plane or cluster");
  return false;
}

// KiB.
std::optional<uint32_t> ReadRate(AnnotationReader& reader, std::string_view name) {
  const std::string* value = reader.Find(name);
  if (value == nullptr || Trim(*value).empty()) return std::nullopt;
  const std::optional<int64_t> rate = ParseInt(Trim(*value));
  if (!rate) {
    reader.Ignore(name, "a whole number");
    return std::nullopt;
  }
  return static_cast<uint32_t>(std::clamp<int64_t>(*rate, 0, kMost));
}

}  // namespace

void ReadRateLimit(AnnotationReader& reader, IngressSettings& settings) {
  RateLimitSettings& limits = settings.access.limits;
  limits.per_second = ReadLimit(reader, "limit-rps");
  limits.per_minute = ReadLimit(reader, "limit-rpm");
  limits.connections = ReadLimit(reader, "limit-connections");
  limits.burst_multiplier = ReadMultiplier(reader);
  limits.shared = ReadScope(reader);
  limits.rate = ReadRate(reader, "limit-rate");
  limits.rate_after = ReadRate(reader, "limit-rate-after");
  const bool canonical = reader.Find("limit-allowlist") != nullptr;
  const std::string_view name = canonical ? "limit-allowlist" : "limit-whitelist";
  const std::string* list = reader.Find(name);
  if (list == nullptr || Trim(*list).empty()) return;
  std::optional<CidrList> exempt = ParseCidrList(*list);
  if (!exempt) return reader.RefuseValue(name, "addresses and CIDRs, separated by commas");
  limits.exempt = *std::move(exempt);
}

}  // namespace headgate::translate
