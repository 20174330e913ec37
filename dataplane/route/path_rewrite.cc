#include "dataplane/route/path_rewrite.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "dataplane/http/uri.h"

namespace headgate::route {
namespace {

// A pattern and a target may multiply a path; no upstream takes a longer one.
constexpr size_t kMaxResult = 16 * 1024;

constexpr std::string_view kScheme = "$scheme";

}  // namespace

bool PathRewrite::Parse(std::string_view text, int groups, Template& out, std::string* error) {
  while (!text.empty()) {
    Piece& piece = out.emplace_back();
    const size_t dollar = std::min(text.find('$'), text.size());
    piece.literal = text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    if (text.starts_with(kScheme)) {
      piece.scheme = true;
      text.remove_prefix(kScheme.size());
      continue;
    }
    const char digit = text.size() < 2 ? '\0' : text[1];
    if (digit < '1' || digit > '9') {
      *error = "'$' stands before something else than a digit from 1 to 9";
      return false;
    }
    if (digit - '0' <= groups) piece.group = static_cast<uint8_t>(digit - '0');
    text.remove_prefix(2);
  }
  return true;
}

std::unique_ptr<const PathRewrite> PathRewrite::Make(std::shared_ptr<const Regex> regex,
                                                     std::string_view target,
                                                     std::string_view forwarded_prefix,
                                                     std::string* error) {
  auto out = std::make_unique<PathRewrite>();
  const int groups = regex->group_count();
  if (!Parse(target, groups, out->target_, error)) return nullptr;
  if (!Parse(forwarded_prefix, groups, out->forwarded_prefix_, error)) return nullptr;
  for (const Template* text : {&out->target_, &out->forwarded_prefix_}) {
    for (const Piece& piece : *text) out->groups_ = std::max(out->groups_, piece.group + 1);
  }
  out->regex_ = std::move(regex);
  out->redirect_ = target.starts_with("http://") || target.starts_with("https://") ||
                   target.starts_with("$scheme://");
  return out;
}

PathRewrite::Result PathRewrite::Apply(std::string_view normal_path, std::string_view scheme,
                                       base::Arena& arena) const {
  Result result;
  std::array<std::string_view, Regex::kMaxGroups> found;
  switch (regex_->Search(normal_path, std::span(found).first(static_cast<size_t>(groups_)))) {
    case Regex::Result::kNotFound: return result;
    case Regex::Result::kGaveUp: result.outcome = Outcome::kRefused; return result;
    case Regex::Result::kFound: break;
  }

  const auto variable = [&](const Piece& piece) -> std::string_view {
    if (piece.scheme) return scheme;
    return piece.group == 0 ? std::string_view() : found[piece.group];
  };
  const auto expand = [&](const Template& pieces) -> std::optional<std::string_view> {
    size_t size = 0;
    for (const Piece& piece : pieces) size += piece.literal.size() + variable(piece).size();
    if (size > kMaxResult) return std::nullopt;
    char* const out = arena.Allocate(size);
    char* to = out;
    for (const Piece& piece : pieces) {
      for (const std::string_view part : {std::string_view(piece.literal), variable(piece)}) {
        to = std::copy(part.begin(), part.end(), to);
      }
    }
    return std::string_view(out, size);
  };

  result.outcome = Outcome::kRefused;
  const auto expanded = expand(target_);
  const auto prefix = expand(forwarded_prefix_);
  if (!expanded || !prefix) return result;
  result.forwarded_prefix = http::EncodePath(*prefix, arena);
  if (redirect_) {
    result.outcome = Outcome::kRedirect;
    result.target = http::EncodePath(*expanded, arena);
    return result;
  }
  http::NormalPath normal;
  const std::string_view raw =
      http::EncodePath(expanded->starts_with('/') ? *expanded : arena.Join("/", *expanded), arena);
  if (!http::NormalizePath(raw, arena, normal)) return result;
  result.outcome = Outcome::kPath;
  result.target = normal.forward;
  return result;
}

}  // namespace headgate::route
