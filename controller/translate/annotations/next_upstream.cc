#include "controller/translate/annotations/next_upstream.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <string>

#include "absl/strings/str_split.h"
#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

constexpr struct {
  std::string_view word;
  v1::NextUpstream::Condition condition;
} kConditions[] = {
    {"error", v1::NextUpstream::ERROR},
    {"timeout", v1::NextUpstream::TIMEOUT},
    {"invalid_header", v1::NextUpstream::INVALID_HEADER},
    {"http_500", v1::NextUpstream::HTTP_500},
    {"http_502", v1::NextUpstream::HTTP_502},
    {"http_503", v1::NextUpstream::HTTP_503},
    {"http_504", v1::NextUpstream::HTTP_504},
    {"http_403", v1::NextUpstream::HTTP_403},
    {"http_404", v1::NextUpstream::HTTP_404},
    {"http_429", v1::NextUpstream::HTTP_429},
    {"non_idempotent", v1::NextUpstream::NON_IDEMPOTENT},
};

void ReadCount(AnnotationReader& reader, std::string_view name, std::optional<uint32_t>& out) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return;
  const auto count = ParseInt(*value);
  if (!count || *count < 0 || *count > std::numeric_limits<int32_t>::max()) {
    return reader.Ignore(name, "a whole number, 0 or more");
  }
  out = static_cast<uint32_t>(*count);
}

}  // namespace

std::optional<uint32_t> ParseNextUpstream(std::string_view text) {
  uint32_t bits = 0;
  bool off = false;
  for (const absl::string_view part :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ' ', absl::SkipEmpty())) {
    const std::string_view word(part.data(), part.size());
    const auto* known = std::find_if(std::begin(kConditions), std::end(kConditions),
                                     [&](const auto& entry) { return entry.word == word; });
    if (known != std::end(kConditions)) {
      bits |= 1U << known->condition;
    } else if (word == "off") {
      off = true;
    } else {
      return std::nullopt;
    }
  }
  if (!off && bits == 0) return std::nullopt;
  return off ? 0 : bits;
}

void ReadNextUpstream(AnnotationReader& reader, IngressSettings& settings) {
  if (const std::string* value = reader.Find(kNextUpstreamNames[0])) {
    settings.next_upstream.conditions = ParseNextUpstream(*value);
    if (!settings.next_upstream.conditions)
      reader.Ignore(kNextUpstreamNames[0], kNextUpstreamValues);
  }
  ReadCount(reader, kNextUpstreamNames[1], settings.next_upstream.tries);
  ReadCount(reader, kNextUpstreamNames[2], settings.next_upstream.timeout);
}

void SetNextUpstream(const NextUpstreamSettings& settings, v1::NextUpstream& out) {
  if (settings.conditions) {
    v1::NextUpstream::Conditions& conditions = *out.mutable_conditions();
    for (const auto& known : kConditions) {
      if ((*settings.conditions >> known.condition & 1) != 0)
        conditions.add_any_of(known.condition);
    }
  }
  if (settings.tries) out.set_tries(*settings.tries);
  if (settings.timeout) out.mutable_timeout()->set_seconds(*settings.timeout);
}

}  // namespace headgate::translate
