#include "dataplane/control/record_log.h"

#include "dataplane/control/crc32c.h"

namespace headgate::control {
namespace {

constexpr std::string_view kMagic = "headgate-snapshot";
constexpr char kFormat = 1;

template <typename T>
void AppendInteger(T value, std::string& out) {
  for (size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

template <typename T>
T ReadInteger(std::string_view bytes) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(static_cast<uint8_t>(bytes[i])) << (8 * i));
  }
  return value;
}

// Leaves room for the frame header, and fills it in when the payload is there.
class FrameWriter {
 public:
  FrameWriter(RecordType type, std::string& out) : out_(out), start_(out.size()) {
    out_.append(8, '\0');
    out_.push_back(static_cast<char>(type));
  }
  ~FrameWriter() {
    const std::string_view checked = std::string_view(out_).substr(start_ + 8);
    std::string head;
    AppendInteger(static_cast<uint32_t>(checked.size() - 1), head);
    AppendInteger(Crc32c(checked), head);
    out_.replace(start_, head.size(), head);
  }
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;

 private:
  std::string& out_;
  const size_t start_;
};

bool IsKnownType(uint8_t type) {
  return type >= static_cast<uint8_t>(RecordType::kHeader) &&
         type <= static_cast<uint8_t>(RecordType::kCommit);
}

}  // namespace

void AppendHeader(std::string& out) {
  FrameWriter frame(RecordType::kHeader, out);
  out.append(kMagic);
  out.push_back(kFormat);
}

void AppendUpsert(std::string_view name, uint64_t hash, std::string_view body, std::string& out) {
  FrameWriter frame(RecordType::kUpsert, out);
  AppendInteger(hash, out);
  AppendInteger(static_cast<uint16_t>(name.size()), out);
  out.append(name);
  out.append(body);
}

void AppendRemove(std::string_view name, std::string& out) {
  FrameWriter frame(RecordType::kRemove, out);
  out.append(name);
}

void AppendCommit(std::string_view version, std::string& out) {
  FrameWriter frame(RecordType::kCommit, out);
  out.append(version);
}

bool IsKnownHeader(std::string_view payload) {
  return payload.size() == kMagic.size() + 1 && payload.substr(0, kMagic.size()) == kMagic &&
         payload.back() == kFormat;
}

std::optional<Upsert> ParseUpsert(std::string_view payload) {
  constexpr size_t kFixed = sizeof(uint64_t) + sizeof(uint16_t);
  if (payload.size() < kFixed) return std::nullopt;
  const size_t name_size = ReadInteger<uint16_t>(payload.substr(sizeof(uint64_t)));
  if (payload.size() - kFixed < name_size) return std::nullopt;
  return Upsert{.name = payload.substr(kFixed, name_size),
                .hash = ReadInteger<uint64_t>(payload),
                .body = payload.substr(kFixed + name_size)};
}

Frame ParseFrame(std::string_view bytes) {
  if (bytes.size() < kFrameHeaderBytes) {
    return {.state = FrameState::kPartial, .record = {}, .needed = kFrameHeaderBytes};
  }
  const size_t length = ReadInteger<uint32_t>(bytes);
  if (length > kMaxPayloadBytes || !IsKnownType(static_cast<uint8_t>(bytes[8]))) return {};
  const size_t needed = kFrameHeaderBytes + length;
  if (bytes.size() < needed) return {.state = FrameState::kPartial, .record = {}, .needed = needed};
  if (Crc32c(bytes.substr(8, 1 + length)) != ReadInteger<uint32_t>(bytes.substr(4))) return {};
  return {.state = FrameState::kComplete,
          .record = {.type = static_cast<RecordType>(bytes[8]),
                     .payload = bytes.substr(kFrameHeaderBytes, length)},
          .needed = needed};
}

}  // namespace headgate::control
