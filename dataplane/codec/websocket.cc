#include "dataplane/codec/websocket.h"

#include <openssl/evp.h>
#include <sys/random.h>

#include <string>

#include "absl/strings/escaping.h"
#include "common/check.h"

namespace headgate::codec {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

std::string_view Base64(const void* bytes, size_t size, base::Arena& arena) {
  return arena.Copy(absl::Base64Escape(absl::string_view(static_cast<const char*>(bytes), size)));
}

}  // namespace

std::string_view MakeWebSocketKey(base::Arena& arena) {
  char bytes[16] = {};
  // Too early for the system's generator: the key is no secret, it only has to be there.
  if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) < 0) bytes[0] = 1;
  return Base64(bytes, sizeof(bytes), arena);
}

std::string_view WebSocketAccept(std::string_view key, base::Arena& arena) {
  const std::string_view text = arena.Join(key, kGuid);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HEADGATE_CHECK(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) == 1,
                 "no SHA-1");
  return Base64(digest, size, arena);
}

}  // namespace headgate::codec
