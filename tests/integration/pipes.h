#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/dataplane/peer.h"
#include "tests/support/dataplane/test_proxy.h"

// What the tests of bodies that move within the kernel have in common.
namespace headgate::test {

constexpr size_t kSize = 5'000'000;
// More than all socket buffers on the way hold.
constexpr size_t kLarge = 40'000'000;

// No two stretches of it, nor of bodies with another `seed`, are alike.
inline std::string Body(size_t size, uint32_t seed = 1) {
  std::string body(size, '\0');
  uint32_t state = seed;
  for (char& c : body) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>(state >> 24);
  }
  return body;
}

inline std::string Ok(size_t length) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

class PipesTest : public testing::Test {
 protected:
  PipesTest() { Restart(net::PipePool::kMaxPipes); }

  void Restart(size_t max_pipes) {
    proxy.emplace(1, uint64_t{1} << 30, files::StaticRoots{}, max_pipes);
    proxy->Route("a.example", {upstream.address()});
  }

  std::optional<TestProxy> proxy;
  PeerListener upstream;
};

}  // namespace headgate::test
