// Rewritten paths. The input is text: a pattern, a target, and a path on the third line. What is
// sent upstream has one reading whatever the pattern and the target do with the path.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/check.h"
#include "dataplane/http/uri.h"
#include "dataplane/route/path_rewrite.h"
#include "dataplane/route/route_table.h"

namespace {

std::string_view TakeLine(std::string_view& text) {
  const size_t at = text.find('\n');
  const std::string_view line = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using headgate::http::NormalPath;
  using headgate::route::PathRewrite;
  static headgate::base::BlockPool pool;
  headgate::base::Arena arena(pool);
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::string_view pattern = TakeLine(input);
  const std::string_view target = TakeLine(input);
  const std::string_view path = TakeLine(input);
  if (pattern.size() > 200) return 0;  // the time of one input

  std::string error;
  auto regex = headgate::route::CompileRewriteRegex(pattern, &error);
  if (regex == nullptr) return 0;
  const auto rewrite = PathRewrite::Make(std::move(regex), target, target, &error);
  if (rewrite == nullptr) return 0;
  NormalPath normal;
  if (!headgate::http::NormalizePath(path, arena, normal)) return 0;

  const PathRewrite::Result result = rewrite->Apply(normal.match, "https", arena);
  for (const std::string_view text : {result.target, result.forwarded_prefix}) {
    for (const char c : text) HEADGATE_CHECK(c > ' ' && c < 0x7f && c != '?' && c != '#');
  }
  if (result.outcome != PathRewrite::Outcome::kPath) return 0;
  // What is sent is a path in its normal form already, so that no reader finds a dot segment in it.
  NormalPath again;
  HEADGATE_CHECK(result.target.starts_with('/'));
  HEADGATE_CHECK(headgate::http::NormalizePath(result.target, arena, again));
  HEADGATE_CHECK(!again.rewritten && again.forward == result.target);
  return 0;
}
