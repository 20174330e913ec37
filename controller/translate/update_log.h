// Collects what one update does to resources and diagnostics, and reports the net difference: what
// changes back and forth within the update is no change.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "controller/translate/translation.h"

namespace headgate::translate {

class UpdateLog {
 public:
  // Puts `value` (null: no such resource) into `slot`, which holds the resource of that name. When
  // the content is the same the old object stays, so that it remains shared.
  void Set(const std::string& name, ResourcePtr& slot, ResourcePtr value);

  // Puts `value` into `slot`, which holds what one unit has to say. Several units may say the same.
  void Set(std::vector<Diagnostic>& slot, std::vector<Diagnostic> value);

  // The difference since the last Take.
  TranslationUpdate Take();

 private:
  struct TouchedResource {
    ResourcePtr before;
    ResourcePtr after;
  };
  void Count(const Diagnostic& diagnostic, int by);

  std::map<std::string, TouchedResource> touched_resources_;
  std::map<Diagnostic, int> diagnostics_;           // how many units say it; never 0
  std::map<Diagnostic, bool> touched_diagnostics_;  // whether it held before
  size_t resource_count_ = 0;
};

}  // namespace headgate::translate
