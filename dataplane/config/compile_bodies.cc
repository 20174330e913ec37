#include "dataplane/config/compile_bodies.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "dataplane/config/compile_values.h"
#include "dataplane/encoding/encoder.h"

namespace headgate::config {
namespace {

using encoding::Coding;

struct CoderDefaults {
  Coding coding;
  uint32_t level;
  uint64_t min_length;
};

absl::Status CompileCoder(const std::string& field, const v1::Compression::Coding& in,
                          const CoderDefaults& defaults, Compression::Coder& out) {
  const uint32_t level = in.has_level() ? in.level() : defaults.level;
  out.level = static_cast<int>(std::clamp<uint32_t>(level, 1, encoding::MaxLevel(defaults.coding)));
  out.min_length = in.has_min_length() ? in.min_length() : defaults.min_length;
  out.types = {"text/html"};
  for (int i = 0; i < in.types_size(); ++i) {
    const std::string name = StrCat(field, ".types[", i, "]");
    std::string type = in.types(i);
    if (type == "*") {
      out.all_types = true;
      continue;
    }
    const size_t slash = type.find('/');
    if (slash == std::string::npos) return FieldError(name, "is not a media type");
    HEADGATE_RETURN_IF_ERROR(CheckToken(name, std::string_view(type).substr(0, slash)));
    HEADGATE_RETURN_IF_ERROR(CheckToken(name, std::string_view(type).substr(slash + 1)));
    for (char& c : type) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    out.types.push_back(std::move(type));
  }
  return absl::OkStatus();
}

}  // namespace

bool Compression::Coder::Takes(std::string_view content_type) const {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ') || content_type.ends_with('\t')) content_type.remove_suffix(1);
  if (content_type.empty()) return false;
  return all_types || std::any_of(types.begin(), types.end(), [&](const std::string& type) {
           return http::EqualsIgnoreCase(type, content_type);
         });
}

absl::StatusOr<Compression> CompileCompression(const v1::Compression& in) {
  Compression out;
  if (in.has_gzip()) {
    HEADGATE_RETURN_IF_ERROR(
        CompileCoder("compression.gzip", in.gzip(), {Coding::kGzip, 1, 256}, out.gzip));
  }
  if (in.has_brotli()) {
    HEADGATE_RETURN_IF_ERROR(
        CompileCoder("compression.brotli", in.brotli(), {Coding::kBrotli, 4, 20}, out.brotli));
  }
  if (in.has_zstd()) {
    HEADGATE_RETURN_IF_ERROR(
        CompileCoder("compression.zstd", in.zstd(), {Coding::kZstd, 3, 20}, out.zstd));
  }
  return out;
}

BufferingOverride CompileBuffering(const v1::Buffering& in) {
  BufferingOverride out;
  if (in.has_request()) out.request = in.request();
  if (in.has_request_memory_bytes()) {
    out.request_memory = static_cast<size_t>(
        std::clamp(in.request_memory_bytes(), Buffering::kLeastMemory, Buffering::kMostMemory));
  }
  if (in.has_response()) out.response = in.response();
  if (in.has_response_buffer_bytes()) out.response_buffer = in.response_buffer_bytes();
  if (in.has_response_buffers()) out.response_buffers = in.response_buffers();
  if (in.has_response_file_bytes()) out.response_file = in.response_file_bytes();
  if (in.has_response_busy_bytes()) {
    out.response_busy = static_cast<size_t>(
        std::clamp(in.response_busy_bytes(), Buffering::kLeastBusy, Buffering::kMostBusy));
  }
  return out;
}

}  // namespace headgate::config
