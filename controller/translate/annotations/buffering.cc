#include "controller/translate/annotations/buffering.h"

#include <cstdint>

#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

void ReadSwitch(AnnotationReader& reader, std::string_view name, std::optional<bool>& out) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return;
  out = ParseOnOff(*value);
  if (!out) reader.Ignore(name, "on or off");
}

void ReadBytes(AnnotationReader& reader, std::string_view name, std::optional<uint64_t>& out) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return;
  out = ParseSize(*value);
  if (!out) reader.Ignore(name, "digits with an optional unit k, m or g, for example 8k");
}

void ReadRequestMemory(AnnotationReader& reader, BufferingSettings& out) {
  constexpr std::string_view kName = "client-body-buffer-size";
  constexpr std::string_view kAccepted = "digits with an optional unit k or m, for example 16k";
  const std::string* value = reader.Find(kName);
  if (value == nullptr) return;
  const bool dropped = value->find_first_of("bBgG") == value->size() - 1;
  if (dropped && value->size() > 1 && ParseSize(value->substr(0, value->size() - 1))) {
    return reader.Ignore(kName, kAccepted);
  }
  out.request_memory = ParseSize(*value);
  if (!out.request_memory) reader.RefuseValue(kName, kAccepted);
}

void ReadCount(AnnotationReader& reader, std::string_view name, std::optional<uint64_t>& out) {
  const std::string* value = reader.Find(name);
  if (value == nullptr) return;
  const std::optional<int64_t> count = ParseInt(*value);
  if (!count || *count < 1) return reader.Ignore(name, "a whole number, 1 or more");
  out = static_cast<uint64_t>(*count);
}

}  // namespace

void ReadBuffering(AnnotationReader& reader, IngressSettings& settings) {
  BufferingSettings& out = settings.buffering;
  ReadSwitch(reader, "proxy-request-buffering", out.request);
  ReadRequestMemory(reader, out);
  ReadSwitch(reader, "proxy-buffering", out.response);
  ReadBytes(reader, "proxy-buffer-size", out.response_buffer);
  ReadCount(reader, "proxy-buffers-number", out.response_buffers);
  ReadBytes(reader, "proxy-max-temp-file-size", out.response_file);
  ReadBytes(reader, "proxy-busy-buffers-size", out.response_busy);
}

void SetBuffering(const BufferingSettings& settings, v1::Buffering& out) {
  if (settings.request) out.set_request(*settings.request);
  if (settings.request_memory) out.set_request_memory_bytes(*settings.request_memory);
  if (settings.response) out.set_response(*settings.response);
  if (settings.response_buffer) out.set_response_buffer_bytes(*settings.response_buffer);
  if (settings.response_buffers) out.set_response_buffers(*settings.response_buffers);
  if (settings.response_file) out.set_response_file_bytes(*settings.response_file);
  if (settings.response_busy) out.set_response_busy_bytes(*settings.response_busy);
}

}  // namespace headgate::translate
