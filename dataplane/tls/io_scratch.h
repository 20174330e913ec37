#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace headgate::tls {

// Memory that the transports of one worker share during their calls.
struct IoScratch {
  static constexpr size_t kReadSize = 128 * 1024;
  // Ciphertext from the socket that OpenSSL has not taken yet.
  std::unique_ptr<char[]> read = std::make_unique<char[]>(kReadSize);
  // Ciphertext from OpenSSL on its way to the socket.
  std::string write;
  // Small pieces put together for one record.
  std::string record;
};

}  // namespace headgate::tls
