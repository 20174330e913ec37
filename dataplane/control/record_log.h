// The format of the snapshot file: a sequence of framed records. Pure: bytes in, records out.
//
//   frame   = length:u32  crc:u32  type:u8  payload[length]      little endian; crc is CRC-32C of
//   type and payload header  = "headgate-snapshot" format:u8                      the first record
//   of every file upsert  = hash:u64 name_length:u16 name body                 body: v1.Resource in
//   protobuf's wire format remove  = name commit  = version makes all records since the previous
//   commit valid
//
// Whatever follows the last complete commit never happened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace headgate::control {

enum class RecordType : uint8_t { kHeader = 1, kUpsert = 2, kRemove = 3, kCommit = 4 };

inline constexpr size_t kFrameHeaderBytes = 9;
// A longer length field is taken for corruption. Above the largest message the stream accepts.
inline constexpr size_t kMaxPayloadBytes = size_t{128} << 20;
// Longest resource name that can be stored.
inline constexpr size_t kMaxNameBytes = 65535;

void AppendHeader(std::string& out);
// REQUIRES: name.size() <= kMaxNameBytes.
void AppendUpsert(std::string_view name, uint64_t hash, std::string_view body, std::string& out);
void AppendRemove(std::string_view name, std::string& out);
void AppendCommit(std::string_view version, std::string& out);

struct Upsert {
  std::string_view name;
  uint64_t hash = 0;
  std::string_view body;
};

// Views into the parsed bytes.
struct Record {
  RecordType type = RecordType::kHeader;
  std::string_view payload;
};

// Whether a header payload is of a file this program understands.
bool IsKnownHeader(std::string_view payload);
std::optional<Upsert> ParseUpsert(std::string_view payload);

enum class FrameState {
  kComplete,  // a record was taken
  kPartial,   // more bytes are needed: `needed` in all, counted from the frame's first byte
  kCorrupt,
};

struct Frame {
  FrameState state = FrameState::kCorrupt;
  Record record;      // when complete
  size_t needed = 0;  // size of the whole frame when complete or partial
};

// Looks at the frame that begins at the first byte.
Frame ParseFrame(std::string_view bytes);

}  // namespace headgate::control
