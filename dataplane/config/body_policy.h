#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/encoding/coding.h"

namespace headgate::config {

// Whether and where bodies are held. proto/headgate/v1/settings.proto, Buffering.
struct Buffering {
  bool request = false;
  size_t request_memory = 8 * 1024;
  bool response = false;
  uint64_t response_buffer = 4 * 1024;
  uint64_t response_buffers = 4;
  uint64_t response_file = uint64_t{1} << 30;
  size_t response_busy = kMostBusy;

  // Of one body. Smaller pieces than the least would go to the file one by one; more than the most
  // would let a tenant take the memory of all.
  static constexpr uint64_t kLeastMemory = 4 * 1024;
  static constexpr uint64_t kMostMemory = 1024 * 1024;
  // Of one response in the client's connection.
  static constexpr uint64_t kLeastBusy = 4 * 1024;
  static constexpr uint64_t kMostBusy = 64 * 1024;

  size_t response_memory() const {
    const uint64_t buffers = std::clamp<uint64_t>(response_buffers, 1, kMostMemory);
    const uint64_t each = std::clamp<uint64_t>(response_buffer, 1, kMostMemory);
    return static_cast<size_t>(std::clamp(buffers * each, kLeastMemory, kMostMemory));
  }

  bool operator==(const Buffering&) const = default;
};

// What a route says of it; absent: as the settings say.
struct BufferingOverride {
  std::optional<bool> request;
  std::optional<size_t> request_memory;
  std::optional<bool> response;
  std::optional<uint64_t> response_buffer;
  std::optional<uint64_t> response_buffers;
  std::optional<uint64_t> response_file;
  std::optional<size_t> response_busy;

  Buffering Over(Buffering general) const {
    general.request = request.value_or(general.request);
    general.request_memory = request_memory.value_or(general.request_memory);
    general.response = response.value_or(general.response);
    general.response_buffer = response_buffer.value_or(general.response_buffer);
    general.response_buffers = response_buffers.value_or(general.response_buffers);
    general.response_file = response_file.value_or(general.response_file);
    general.response_busy = response_busy.value_or(general.response_busy);
    return general;
  }
};

// Which responses are compressed, and how. proto/headgate/v1/settings.proto, Compression.
struct Compression {
  struct Coder {
    int level = 0;  // 0: this coding is not used
    uint64_t min_length = 0;
    bool all_types = false;
    std::vector<std::string> types;  // in lower case, text/html among them

    // `content_type` with its parameters.
    bool Takes(std::string_view content_type) const;
    bool operator==(const Coder&) const = default;
  };
  Coder gzip;
  Coder brotli;
  Coder zstd;

  bool any() const { return gzip.level != 0 || brotli.level != 0 || zstd.level != 0; }
  const Coder& of(encoding::Coding coding) const {
    return coding == encoding::Coding::kGzip     ? gzip
           : coding == encoding::Coding::kBrotli ? brotli
                                                 : zstd;
  }
  bool operator==(const Compression&) const = default;
};

}  // namespace headgate::config
