#include "controller/translate/annotations/load_balance.h"

#include <string>

namespace headgate::translate {
namespace {

bool IsInternalName(std::string_view text) {
  return text == "chash" || text == "chashsubset" || text == "sticky_balanced" ||
         text == "sticky_persistent";
}

}  // namespace

std::optional<LoadBalance> ParseLoadBalance(std::string_view text) {
  if (text == "round_robin") return LoadBalance::kRoundRobin;
  if (text == "least_request" || text == "least_conn") return LoadBalance::kLeastRequest;
  if (text == "ewma") return LoadBalance::kEwma;
  if (text == "random") return LoadBalance::kRandom;
  if (text == "ip_hash") return LoadBalance::kIpHash;
  return std::nullopt;
}

void ReadLoadBalance(AnnotationReader& reader, UpstreamSettings& settings) {
  const auto [own, theirs] = kLoadBalanceNames;
  if (const std::string* value = reader.Find(theirs)) {
    settings.balancing.policy = ParseLoadBalance(*value);
    if (IsInternalName(*value)) settings.balancing.policy = LoadBalance::kRoundRobin;
    if (!settings.balancing.policy) reader.RefuseValue(theirs, kLoadBalanceValues);
  }
  if (const std::string* value = reader.Find(own)) {
    if (const auto policy = ParseLoadBalance(*value)) {
      settings.balancing.policy = policy;
    } else {
      reader.Ignore(own, kLoadBalanceValues);
    }
  }
}

}  // namespace headgate::translate
