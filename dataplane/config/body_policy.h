#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace headgate::config {

// Whether and where bodies are held. proto/headgate/v1/snapshot.proto, Buffering.
struct Buffering {
  bool request = false;
  size_t request_memory = 8 * 1024;
  bool response = false;
  size_t response_memory = 16 * 1024;
  uint64_t response_file = uint64_t{1} << 30;

  bool operator==(const Buffering&) const = default;
};

// What a route says of it; absent: as the settings say.
struct BufferingOverride {
  std::optional<bool> request;
  std::optional<size_t> request_memory;
  std::optional<bool> response;
  std::optional<size_t> response_memory;
  std::optional<uint64_t> response_file;

  Buffering Over(Buffering general) const {
    general.request = request.value_or(general.request);
    general.request_memory = request_memory.value_or(general.request_memory);
    general.response = response.value_or(general.response);
    general.response_memory = response_memory.value_or(general.response_memory);
    general.response_file = response_file.value_or(general.response_file);
    return general;
  }
};

}  // namespace headgate::config
