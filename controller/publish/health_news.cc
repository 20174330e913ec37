#include "controller/publish/health_news.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "absl/strings/ascii.h"
#include "common/strings.h"

namespace headgate::publish {
namespace {

constexpr uint32_t kMaxNamed = 5;  // endpoints in a message

// What data planes say goes into requests to the API server and before people's eyes: it is let
// through only where it looks like what an honest one says.
bool IsName(std::string_view text) {
  constexpr size_t kMost = 63;
  return !text.empty() && text.size() <= kMost && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_islower(static_cast<unsigned char>(c)) ||
           absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-';
  });
}

bool IsAddress(std::string_view text) {
  constexpr size_t kMost = 60;
  return !text.empty() && text.size() <= kMost && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isxdigit(static_cast<unsigned char>(c)) ||
           std::string_view(".:[]").find(c) != std::string_view::npos;
  });
}

// Of "endpoints/ns/service/port".
struct Port {
  std::string_view ns;
  std::string_view service;
  std::string_view port;
};

std::optional<Port> PortOf(std::string_view name) {
  constexpr std::string_view kPrefix = "endpoints/";
  if (!name.starts_with(kPrefix)) return std::nullopt;  // a DNS name or an address
  name.remove_prefix(kPrefix.size());
  std::array<std::string_view, 2> parts;
  for (std::string_view& part : parts) {
    const size_t slash = name.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    part = name.substr(0, slash);
    name.remove_prefix(slash + 1);
  }
  if (!IsName(parts[0]) || !IsName(parts[1]) || !IsName(name)) return std::nullopt;
  return Port{parts[0], parts[1], name};
}

std::string Describe(const Port& port, const v1::UpstreamHealth& health) {
  std::string text = StrCat(health.unhealthy(), " of ", health.healthy() + health.unhealthy(),
                            " endpoints of port ", port.port, " fail their health check: ");
  uint32_t named = 0;
  for (const std::string& endpoint : health.unhealthy_endpoints()) {
    if (named == kMaxNamed || !IsAddress(endpoint)) break;
    StrAppend(&text, named++ == 0 ? "" : ", ", endpoint);
  }
  if (health.unhealthy() > named) StrAppend(&text, named == 0 ? "..." : ", ...");
  return text;
}

}  // namespace

bool HealthDigest::MayTell(absl::Duration now) {
  if (now - window_start_ >= kQuiet) {
    window_start_ = now;
    in_window_ = 0;
  }
  if (in_window_ < kMost) {
    ++in_window_;
    return true;
  }
  next_ = std::min(next_, window_start_ + kQuiet);
  return false;
}

std::vector<HealthNews> HealthDigest::Update(const std::vector<SubscriberStatus>& data_planes,
                                             absl::Duration now) {
  next_ = absl::InfiniteDuration();
  std::vector<HealthNews> news;
  if (data_planes.empty()) return news;
  std::map<std::string_view, const v1::UpstreamHealth*> worst;
  for (const SubscriberStatus& data_plane : data_planes) {
    for (const v1::UpstreamHealth& upstream : data_plane.health.upstreams()) {
      const v1::UpstreamHealth*& known = worst[upstream.name()];
      if (known == nullptr || known->unhealthy() < upstream.unhealthy()) known = &upstream;
      if (told_.size() >= kMostKnown) continue;
      told_.try_emplace(upstream.name(), Told{.unhealthy = 0, .at = -absl::InfiniteDuration()});
    }
  }
  for (auto at = told_.begin(); at != told_.end();) {
    auto& [name, told] = *at;
    const auto found = worst.find(name);
    const uint32_t unhealthy = found == worst.end() ? 0 : found->second->unhealthy();
    const std::optional<Port> port = PortOf(name);
    const bool quiet = now - told.at < kQuiet;
    if (unhealthy == told.unhealthy || !port) {
      const bool forget = unhealthy == 0 && !quiet;
      at = forget ? told_.erase(at) : std::next(at);
      continue;
    }
    if (quiet) {
      next_ = std::min(next_, told.at + kQuiet);
    } else if (MayTell(now)) {
      told = {.unhealthy = unhealthy, .at = now};
      news.push_back({.ns = std::string(port->ns),
                      .service = std::string(port->service),
                      .unhealthy = unhealthy > 0,
                      .message = unhealthy > 0 ? Describe(*port, *found->second)
                                               : StrCat("no endpoint of port ", port->port,
                                                        " fails its health check any more")});
    }
    ++at;
  }
  return news;
}

}  // namespace headgate::publish
