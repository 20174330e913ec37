// Snippets: whatever they hold is translated to policy that the data plane takes, or to a problem.
#include <cstdint>
#include <string>
#include <string_view>

#include "common/check.h"
#include "controller/translate/annotations/snippet_rules.h"
#include "controller/translate/annotations/snippets.h"
#include "controller/translate/header_names.h"

namespace {

using headgate::translate::SnippetPlace;

void CheckName(const std::string& name) {
  HEADGATE_CHECK(headgate::translate::MayBeEdited(name));
  HEADGATE_CHECK(name.find('*') == std::string::npos);
}

void CheckEdit(const headgate::v1::HeaderEdit& edit) {
  CheckName(edit.name());
  for (const auto& part : edit.value().parts()) {
    for (const char c : part.literal()) HEADGATE_CHECK(c >= ' ' && c < 0x7f);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  headgate::translate::FindDirectives(text);
  for (const SnippetPlace place :
       {SnippetPlace::kLocation, SnippetPlace::kServer, SnippetPlace::kAuth}) {
    const auto result = headgate::translate::TranslateSnippet(text, place);
    for (const auto& problem : result.problems) HEADGATE_CHECK(problem.starts_with("line "));
    const auto& policy = result.policy;
    for (const auto& edit : policy.request_headers().edits()) CheckEdit(edit);
    for (const auto& edit : policy.response_headers().edits()) CheckEdit(edit);
    for (const auto& name : policy.response_headers().hidden()) CheckName(name);
    for (const auto& reply : policy.replies()) {
      HEADGATE_CHECK(reply.status() >= 200 && reply.status() <= 599);
      HEADGATE_CHECK(!reply.has_location() || (reply.status() >= 300 && reply.status() <= 308));
    }
    if (place == SnippetPlace::kAuth) {
      HEADGATE_CHECK(!policy.has_response_headers() && policy.replies().empty() &&
                     !policy.request_headers().has_host());
    }
  }
  return 0;
}
