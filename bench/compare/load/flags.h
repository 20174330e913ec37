// --name=value flags for the two benchmark programs.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <map>
#include <string>

namespace headgate::bench {

class Flags {
 public:
  // Exits with the usage text on --help, with an error on anything that is not in `known` (name →
  // default).
  Flags(int argc, char** argv, const char* usage, std::map<std::string, std::string> known);

  const std::string& Text(const std::string& name) const;
  uint64_t Number(const std::string& name) const;
  bool Bool(const std::string& name) const { return Number(name) != 0; }

 private:
  std::map<std::string, std::string> values_;
};

// "127.0.0.1:8080" → IPv4 address. Fails loudly on anything else.
sockaddr_in ParseAddress(const std::string& text);

// Allows as many descriptors as the hard limit does.
void RaiseFileLimit();

}  // namespace headgate::bench
