#include "bench/compare/load/flags.h"

#include <arpa/inet.h>
#include <sys/resource.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "bench/compare/load/fail.h"

namespace headgate::bench {

Flags::Flags(int argc, char** argv, const char* usage, std::map<std::string, std::string> known)
    : values_(std::move(known)) {
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument == "--help") {
      std::fputs(usage, stdout);
      std::exit(0);
    }
    const size_t equals = argument.find('=');
    if (!argument.starts_with("--") || equals == std::string_view::npos) {
      Fail("expected --name=value, got '" + std::string(argument) + "' (see --help)");
    }
    const auto found = values_.find(std::string(argument.substr(2, equals - 2)));
    if (found == values_.end()) Fail("unknown flag '" + std::string(argument) + "' (see --help)");
    found->second = std::string(argument.substr(equals + 1));
  }
}

const std::string& Flags::Text(const std::string& name) const { return values_.at(name); }

uint64_t Flags::Number(const std::string& name) const {
  const std::string& text = values_.at(name);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    Fail("--" + name + "=" + text + " is not a number");
  }
  return value;
}

sockaddr_in ParseAddress(const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  if (colon != std::string::npos) {
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  }
  if (port == 0 || inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1) {
    Fail("'" + text + "' is not IPV4:PORT");
  }
  address.sin_port = htons(port);
  return address;
}

void RaiseFileLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace headgate::bench
