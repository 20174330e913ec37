// TLS hellos: what is decided is decided whatever follows, what is undecided is bounded, and names
// are host names.
#include "dataplane/tls/client_hello.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"

using headgate::tls::ParseClientHello;
using Status = headgate::tls::ClientHelloResult::Status;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto result = ParseClientHello(bytes);
  if (result.status == Status::kIncomplete) {
    HEADGATE_CHECK(size < headgate::tls::kMaxClientHelloBytes);
    return 0;
  }
  const auto followed = ParseClientHello(std::string(bytes) + "x");
  HEADGATE_CHECK(followed.status == result.status && followed.server_name == result.server_name);
  if (result.status == Status::kMalformed) return 0;
  HEADGATE_CHECK(result.server_name.size() <= 255);
  for (const char c : result.server_name) {
    HEADGATE_CHECK((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                   c == '_');
  }
  return 0;
}
