// YAML as Kubernetes uses it → JSON. yaml-cpp and its exceptions stay in yaml.cc.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "controller/kube/json.h"

namespace headgate::kube {

// All documents of `text`; an empty document is null. Plain scalars follow the YAML 1.2 core schema
// (so `yes` and `on` are text), quoted ones are text, "<<" merges. Refused: duplicate keys, text
// that is not UTF-8, unknown tags, nesting deeper than 100, and more than a million values (an
// alias counts each time it is used). The error is "line N: ..." where `first_line` is the number
// of the first line of `text` in its file.
absl::StatusOr<std::vector<Json>> ParseYaml(std::string_view text, size_t first_line = 1);

// A part of a file that can be parsed by itself.
struct YamlChunk {
  std::string_view text;
  size_t first_line = 1;
};

// Cuts at document markers ("---" at the start of a line), so that a small change in a large file
// costs little.
std::vector<YamlChunk> SplitYaml(std::string_view text);

}  // namespace headgate::kube
