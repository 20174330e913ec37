// All annotations that there are, for people and for rules about them. docs/annotations.md is made
// from it.
#pragma once

#include <span>
#include <string_view>

#include "controller/translate/annotations/rules.h"

namespace headgate::translate {

struct CatalogEntry {
  std::string_view name;  // as AnnotationReader takes it
  Risk risk = Risk::kLow;
  int tier = 0;  // of ingress-nginx's: 1 most installations use it, 2 many, 3 few; 0: snippets, and
                 // our own
  std::string_view meaning;  // one line, Markdown
};

// Sorted by name.
std::span<const CatalogEntry> Catalog();

// Null: there is no such annotation.
const CatalogEntry* FindInCatalog(std::string_view name);

}  // namespace headgate::translate
