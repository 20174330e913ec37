#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/net/timer_wheel.h"

namespace headgate::proxy {

// What became of one request by a rewrite or a redirect. Views may hold any byte.
struct RewriteDecision {
  std::string_view what;     // a literal of ours: "rewritten"
  std::string_view ingress;  // that its route comes from: namespace and name
  std::string_view ns;
  std::string_view client;
  std::string_view host;  // here and below as the client sent it
  std::string_view method;
  std::string_view target;
  std::string_view request_id;
  std::string_view pattern;  // that the path was searched for; empty: a redirect needs none
  std::string_view path;     // in which it was searched for
  std::string_view result;   // what was made of it; empty: nothing
};

// Tells decisions in the log of the process, as NGINX's rewrite_log does: for routes that ask for
// it, while somebody looks for what is wrong with their rules. A line is a system call that may
// have to wait for its reader, and clients decide how many there are; so there are kLinesPerSecond
// at most, and the next one says how many were left out. Long texts are cut.
//
// One worker's; its thread.
class RewriteLog {
 public:
  static constexpr uint32_t kLinesPerSecond = 50;
  static constexpr size_t kMaxText = 512;

  void Write(const RewriteDecision& decision, net::TimePoint now);

 private:
  net::TimePoint second_{};  // that is counted
  uint32_t written_ = 0;     // in it
  uint64_t left_out_ = 0;    // since the last line
};

}  // namespace headgate::proxy
