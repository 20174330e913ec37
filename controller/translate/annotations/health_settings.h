// How the endpoints of an upstream are watched, and what becomes of those that fail.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/kube/objects.h"
#include "proto/headgate/v1/snapshot.pb.h"

namespace headgate::translate {

enum class HealthCheckKind : uint8_t { kOff = 0, kHttp, kTcp, kGrpc };

// Absent: whatever the weaker source says. Times in milliseconds.
struct HealthSettings {
  std::optional<HealthCheckKind> check;
  std::optional<std::string> path;
  std::optional<std::string> host;
  std::optional<uint32_t> port;
  std::optional<uint32_t> interval;
  std::optional<uint32_t> timeout;
  std::optional<uint32_t> rise;
  std::optional<uint32_t> fall;
  std::optional<std::vector<std::pair<uint32_t, uint32_t>>> expected_statuses;  // first and last

  std::optional<uint32_t> max_fails;
  std::optional<uint32_t> fail_timeout;
  std::optional<uint32_t> consecutive_5xx;
  std::optional<uint32_t> ejection_time;
  std::optional<uint32_t> max_ejected_percent;

  std::optional<uint32_t> slow_start;
  // A Service of the same namespace. Without a port, by the upstream's own.
  struct Backup {
    std::string service;
    std::optional<kube::PortRef> port;
    friend auto operator<=>(const Backup&, const Backup&) = default;
  };
  std::optional<Backup> backup;

  friend auto operator<=>(const HealthSettings&, const HealthSettings&) = default;

  // Takes from `weaker` what is absent here.
  void FillFrom(const HealthSettings& weaker);
};

// Everything but the backup, whose name depends on the upstream's.
void SetHealth(const HealthSettings& settings, v1::Cluster& out);

// Settings that differ have texts that differ.
std::string Describe(const HealthSettings& settings);

}  // namespace headgate::translate
