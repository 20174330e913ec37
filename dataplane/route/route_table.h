#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "common/regex.h"
#include "dataplane/http/message.h"
#include "dataplane/route/conditions.h"

namespace headgate::config {
struct CompiledRoute;  // only pointed at: this folder knows how to find a route, not what it does
}

namespace headgate::route {

enum class PathKind : uint8_t {
  kExact,   // the whole path
  kPrefix,  // by segment: "/foo" fits "/foo" and "/foo/bar", not "/foobar"; "/foo/" fits only below
            // it
  kRegex,   // case-insensitive, anchored at the start only
};

// What one route matches, and where it leads.
struct RouteSpec {
  PathKind kind = PathKind::kPrefix;
  std::string_view path;               // exact and prefix; starts with '/'
  std::shared_ptr<const Regex> regex;  // from CompilePathRegex
  Conditions conditions;
  const config::CompiledRoute* target = nullptr;
};

// The pattern of a path, or nullptr and the reason in `error`. Paths are matched as bytes, as nginx
// does.
std::shared_ptr<const Regex> CompilePathRegex(std::string_view pattern, std::string* error);
// The same, found anywhere in a path: what a rewrite is made of.
std::shared_ptr<const Regex> CompileRewriteRegex(std::string_view pattern, std::string* error);
// The pattern of a header or query value: case-sensitive, must fit the whole value.
std::shared_ptr<const Regex> CompileValueRegex(std::string_view pattern, std::string* error);

// The routes of one host. Immutable; read by every worker; holds no more memory than its routes
// need.
//
// Order of candidates (proto/headgate/v1/snapshot.proto, RouteMatch): exact path, then regexes in
// the order given, then prefixes from the longest to the shortest. Among routes of the same path
// those with a method come first, then those with more header conditions, then with more query
// conditions, then the order given. A candidate whose conditions do not hold gives way to the next.
// A pattern whose search is given up counts as fitting: what it protects stays protected.
//
// A lookup is one binary search over the paths and a walk up the chain of prefixes that contain
// each other; its cost does not depend on the length of the request's path beyond the comparison.
class RouteTable {
 public:
  RouteTable() = default;
  // Paths and conditions are taken from the specs; targets must live as long as the table.
  explicit RouteTable(std::vector<RouteSpec> specs);

  // The route for a request, or nullptr. `normal_path` is the path percent-decoded once, with "//"
  // merged and dot segments resolved. Allocates nothing unless a regex on a query value has to look
  // at an escaped one.
  const config::CompiledRoute* Match(const http::RequestHead& request,
                                     std::string_view normal_path) const;

  // Every route with what its path looks like, for people. Order: paths, then regexes.
  void ForEach(const std::function<void(PathKind kind, std::string_view path,
                                        const config::CompiledRoute& target)>& visit) const;

  size_t route_count() const {
    return candidates_.size() + (special_ == nullptr ? 0 : special_->regexes.size());
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};

  struct Candidate {
    const config::CompiledRoute* target;
    uint32_t conditions;  // index, kNone: none
  };
  // A distinct path. Its exact candidates are [first, prefix_first), its prefix candidates
  // [prefix_first, end).
  struct Node {
    uint32_t text_offset;
    uint32_t text_size;
    uint32_t
        parent;  // longest other path that contains this one as a prefix, kNone if there is none
    uint32_t first;
    uint32_t prefix_first;
    uint32_t end;
  };
  struct RegexRoute {
    std::shared_ptr<const Regex> regex;
    Candidate candidate;
  };
  // What few hosts have.
  struct Special {
    std::vector<RegexRoute> regexes;
    std::vector<Conditions> conditions;
  };

  std::string_view PathOf(const Node& node) const {
    return std::string_view(text_).substr(node.text_offset, node.text_size);
  }
  Special& MakeSpecial();
  uint32_t AddConditions(Conditions conditions);
  void AddPaths(std::vector<RouteSpec> specs);
  void LinkParents();
  const Candidate* FirstHolding(const Candidate* begin, const Candidate* end,
                                const http::RequestHead& request) const;

  std::string text_;
  // Most hosts have one path with one route. Sorted so that a path comes right before all the paths
  // below it.
  absl::InlinedVector<Node, 1> nodes_;
  absl::InlinedVector<Candidate, 1> candidates_;
  std::unique_ptr<Special> special_;  // null: no regexes, and no conditions
};

}  // namespace headgate::route
