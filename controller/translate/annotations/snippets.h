// configuration-snippet and its kin: text in NGINX's configuration language. It is never executed.
// Where the rules allow snippets, header fields and answers are translated (snippet_rules.h); else
// the diagnostic says which directives are there and what does the same here.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "controller/translate/annotations/reader.h"
#include "controller/translate/annotations/settings.h"

namespace headgate::translate {

inline constexpr std::string_view kLocationSnippet = "configuration-snippet";
inline constexpr std::string_view kServerSnippet = "server-snippet";
inline constexpr std::string_view kAuthSnippet = "auth-snippet";
inline constexpr std::array<std::string_view, 5> kSnippetNames = {
    "configuration-snippet", "server-snippet", "auth-snippet", "stream-snippet",
    "modsecurity-snippet"};

// What cannot be translated as a whole refuses the Ingress: a snippet may be what keeps people out.
void ReadSnippets(AnnotationReader& reader, IngressSettings& settings);

struct SnippetDirective {
  size_t line = 1;
  std::string_view name;
};
// The directives of a snippet in their order, of blocks those inside too. What is no directive is
// passed over. Views into `text`.
std::vector<SnippetDirective> FindDirectives(std::string_view text);

}  // namespace headgate::translate
