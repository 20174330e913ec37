#include "dataplane/config/compile_bodies.h"

#include <algorithm>

namespace headgate::config {
namespace {

// Of one body. Smaller pieces than the least would go to the file one by one; more than the most would let a tenant
// take the memory of all.
constexpr uint64_t kLeastMemory = 4 * 1024;
constexpr uint64_t kMostMemory = 1024 * 1024;

size_t Memory(uint64_t bytes) {
  return static_cast<size_t>(std::clamp(bytes, kLeastMemory, kMostMemory));
}

}  // namespace

BufferingOverride CompileBuffering(const v1::Buffering& in) {
  BufferingOverride out;
  if (in.has_request()) out.request = in.request();
  if (in.has_request_memory_bytes()) out.request_memory = Memory(in.request_memory_bytes());
  if (in.has_response()) out.response = in.response();
  if (in.has_response_memory_bytes()) out.response_memory = Memory(in.response_memory_bytes());
  if (in.has_response_file_bytes()) out.response_file = in.response_file_bytes();
  return out;
}

}  // namespace headgate::config
