#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/regex.h"
#include "dataplane/base/arena.h"

namespace headgate::route {

// Makes another path of a request's (proto/headgate/v1/snapshot.proto, PathRewrite). Immutable;
// read by every worker.
class PathRewrite {
 public:
  // `regex` from CompileRewriteRegex. Texts as the message's: "$1" to "$9" and "$scheme"; a group
  // that the pattern does not have is empty. Nullptr, and the reason in `error`, when a '$' stands
  // before anything else.
  static std::unique_ptr<const PathRewrite> Make(std::shared_ptr<const Regex> regex,
                                                 std::string_view target,
                                                 std::string_view forwarded_prefix,
                                                 std::string* error);

  enum class Outcome : uint8_t {
    kUnchanged,  // the pattern is not in the path
    kPath,       // `target` is what to ask the upstream for
    kRedirect,   // `target` is an absolute URL for the client
    // The new path leads above the root, can be read in more than one way, or is too long; or the
    // search was given up.
    kRefused,
  };
  struct Result {
    Outcome outcome = Outcome::kUnchanged;
    std::string_view target;            // percent-encoded, without query
    std::string_view forwarded_prefix;  // empty: none
  };

  // `normal_path` as routes match it, `scheme` of the request. Results live in `arena`, or as long
  // as this.
  Result Apply(std::string_view normal_path, std::string_view scheme, base::Arena& arena) const;

  std::string_view pattern() const { return regex_->pattern(); }

 private:
  // A text in pieces: each literal is followed by what the variable stands for.
  struct Piece {
    std::string literal;
    uint8_t group = 0;  // 0: none
    bool scheme = false;
  };
  using Template = std::vector<Piece>;

  static bool Parse(std::string_view text, int groups, Template& out, std::string* error);

  std::shared_ptr<const Regex> regex_;
  Template target_;
  Template forwarded_prefix_;
  int groups_ = 1;  // that the templates need, the whole match included
  bool redirect_ = false;
};

}  // namespace headgate::route
