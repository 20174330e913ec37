#include "dataplane/route/route_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace headgate::route {
namespace {

// The order of paths: byte by byte, with '/' before all other bytes. In it, everything that a
// prefix fits (by segment) comes right after the prefix without a gap, whether the prefix ends with
// a slash or not.
int CompareBySegment(std::string_view a, std::string_view b) {
  const size_t common = std::min(a.size(), b.size());
  const auto [at_a, at_b] =
      std::mismatch(a.begin(), a.begin() + static_cast<ptrdiff_t>(common), b.begin());
  if (at_a == a.begin() + static_cast<ptrdiff_t>(common)) {
    return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
  }
  if (*at_a == '/') return -1;
  if (*at_b == '/') return 1;
  return static_cast<uint8_t>(*at_a) < static_cast<uint8_t>(*at_b) ? -1 : 1;
}

bool PrefixFits(std::string_view prefix, std::string_view path) {
  if (path.substr(0, prefix.size()) != prefix) return false;
  return path.size() == prefix.size() || prefix.back() == '/' || path[prefix.size()] == '/';
}

// More demanding conditions are tried first.
auto Rank(const Conditions& conditions) {
  return std::tuple(conditions.methods.empty() ? 0 : 1, conditions.headers.size(),
                    conditions.query.size());
}

}  // namespace

std::shared_ptr<const Regex> CompilePathRegex(std::string_view pattern, std::string* error) {
  return Regex::Compile(pattern, Regex::Anchor::kStart, Regex::Case::kIgnored, error);
}

std::shared_ptr<const Regex> CompileRewriteRegex(std::string_view pattern, std::string* error) {
  return Regex::Compile(pattern, Regex::Anchor::kNone, Regex::Case::kIgnored, error);
}

std::shared_ptr<const Regex> CompileValueRegex(std::string_view pattern, std::string* error) {
  return Regex::Compile(pattern, Regex::Anchor::kBoth, Regex::Case::kSensitive, error);
}

RouteTable::RouteTable(std::vector<RouteSpec> specs) {
  const auto first_path = std::stable_partition(
      specs.begin(), specs.end(), [](const RouteSpec& s) { return s.kind == PathKind::kRegex; });
  if (first_path != specs.begin())
    MakeSpecial().regexes.reserve(static_cast<size_t>(first_path - specs.begin()));
  for (auto spec = specs.begin(); spec != first_path; ++spec) {
    const uint32_t conditions = AddConditions(std::move(spec->conditions));
    special_->regexes.push_back({std::move(spec->regex), {spec->target, conditions}});
  }
  specs.erase(specs.begin(), first_path);
  AddPaths(std::move(specs));
  LinkParents();
  if (special_ != nullptr) special_->conditions.shrink_to_fit();
}

RouteTable::Special& RouteTable::MakeSpecial() {
  if (special_ == nullptr) special_ = std::make_unique<Special>();
  return *special_;
}

uint32_t RouteTable::AddConditions(Conditions conditions) {
  if (conditions.empty()) return kNone;
  std::vector<Conditions>& all = MakeSpecial().conditions;
  all.push_back(std::move(conditions));
  return static_cast<uint32_t>(all.size() - 1);
}

void RouteTable::AddPaths(std::vector<RouteSpec> specs) {
  std::stable_sort(specs.begin(), specs.end(), [](const RouteSpec& a, const RouteSpec& b) {
    if (const int order = CompareBySegment(a.path, b.path); order != 0) return order < 0;
    if (a.kind != b.kind) return a.kind == PathKind::kExact;
    return Rank(a.conditions) > Rank(b.conditions);
  });
  size_t text_size = 0;
  size_t distinct = 0;
  for (size_t i = 0; i < specs.size(); ++i) {
    if (i > 0 && specs[i].path == specs[i - 1].path) continue;
    text_size += specs[i].path.size();
    ++distinct;
  }
  text_.reserve(text_size);
  nodes_.reserve(distinct);
  candidates_.reserve(specs.size());
  for (RouteSpec& spec : specs) {
    const auto end = static_cast<uint32_t>(candidates_.size());
    if (nodes_.empty() || PathOf(nodes_.back()) != spec.path) {
      nodes_.push_back({.text_offset = static_cast<uint32_t>(text_.size()),
                        .text_size = static_cast<uint32_t>(spec.path.size()),
                        .parent = kNone,
                        .first = end,
                        .prefix_first = end,
                        .end = end});
      text_.append(spec.path);
    }
    Node& node = nodes_.back();
    candidates_.push_back({spec.target, AddConditions(std::move(spec.conditions))});
    ++node.end;
    if (spec.kind == PathKind::kExact) node.prefix_first = node.end;
  }
}

void RouteTable::LinkParents() {
  std::vector<uint32_t> above;  // prefixes that contain the current path, shortest first
  for (uint32_t i = 0; i < nodes_.size(); ++i) {
    const std::string_view path = PathOf(nodes_[i]);
    while (!above.empty() && !PrefixFits(PathOf(nodes_[above.back()]), path)) above.pop_back();
    if (!above.empty()) nodes_[i].parent = above.back();
    if (nodes_[i].prefix_first < nodes_[i].end) above.push_back(i);
  }
}

const RouteTable::Candidate* RouteTable::FirstHolding(const Candidate* begin, const Candidate* end,
                                                      const http::RequestHead& request) const {
  return std::find_if(begin, end, [&](const Candidate& candidate) {
    return candidate.conditions == kNone ||
           Holds(special_->conditions[candidate.conditions], request);
  });
}

const config::CompiledRoute* RouteTable::Match(const http::RequestHead& request,
                                               std::string_view normal_path) const {
  // The last path that is not after the request's. Each prefix that fits the request is this one or
  // contains it.
  const auto after = std::upper_bound(nodes_.begin(), nodes_.end(), normal_path,
                                      [this](std::string_view path, const Node& node) {
                                        return CompareBySegment(path, PathOf(node)) < 0;
                                      });
  uint32_t at = after == nodes_.begin() ? kNone : static_cast<uint32_t>(after - nodes_.begin() - 1);

  const Candidate* const all = candidates_.data();
  if (at != kNone && PathOf(nodes_[at]) == normal_path) {
    const Candidate* const end = all + nodes_[at].prefix_first;
    const Candidate* const hit = FirstHolding(all + nodes_[at].first, end, request);
    if (hit != end) return hit->target;
  }
  if (special_ != nullptr) {
    for (const RegexRoute& route : special_->regexes) {
      if (!route.regex->Finds(normal_path, /*when_in_doubt=*/true)) continue;
      const Candidate* const candidate = &route.candidate;
      if (FirstHolding(candidate, candidate + 1, request) == candidate) return candidate->target;
    }
  }
  for (; at != kNone; at = nodes_[at].parent) {
    const Node& node = nodes_[at];
    if (!PrefixFits(PathOf(node), normal_path)) continue;
    const Candidate* const end = all + node.end;
    const Candidate* const hit = FirstHolding(all + node.prefix_first, end, request);
    if (hit != end) return hit->target;
  }
  return nullptr;
}

void RouteTable::ForEach(const std::function<void(PathKind, std::string_view,
                                                  const config::CompiledRoute&)>& visit) const {
  for (const Node& node : nodes_) {
    for (uint32_t i = node.first; i < node.end; ++i) {
      const PathKind kind = i < node.prefix_first ? PathKind::kExact : PathKind::kPrefix;
      visit(kind, PathOf(node), *candidates_[i].target);
    }
  }
  if (special_ == nullptr) return;
  for (const RegexRoute& route : special_->regexes) {
    visit(PathKind::kRegex, route.regex->pattern(), *route.candidate.target);
  }
}

}  // namespace headgate::route
