#include "common/flags.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/check.h"
#include "common/strings.h"

namespace headgate {
namespace {

constexpr size_t kHelpWidth = 96;
constexpr size_t kHelpIndent = 6;

absl::Status Bad(const std::string& why) { return absl::InvalidArgumentError(why); }

// Appends `text` in lines of at most kHelpWidth, each indented.
void AppendWrapped(std::string& out, std::string_view text, size_t indent) {
  size_t column = 0;
  for (const std::string& word :
       std::vector<std::string>(absl::StrSplit(ToAbsl(text), ' ', absl::SkipEmpty()))) {
    if (column > 0 && column + 1 + word.size() > kHelpWidth) {
      out.push_back('\n');
      column = 0;
    }
    if (column == 0) {
      out.append(indent, ' ');
      column = indent;
    } else {
      out.push_back(' ');
      ++column;
    }
    out.append(word);
    column += word.size();
  }
  out.push_back('\n');
}

// Number of single-character edits between two short words.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

FlagSet::FlagSet(std::string program, std::string summary)
    : program_(std::move(program)), summary_(std::move(summary)) {}

void FlagSet::Group(std::string title, std::string explanation) {
  groups_.push_back({std::move(title), std::move(explanation), {}});
}

void FlagSet::AddCustom(std::string name, std::string value_name, std::string help,
                        std::string shown_default,
                        std::function<absl::Status(std::string_view)> set) {
  HEADGATE_CHECK(Find(name) == nullptr && name != "help" && name != "version", name);
  if (groups_.empty()) Group("Options");
  groups_.back().flags.push_back({std::move(name), std::move(value_name), std::move(help),
                                  std::move(shown_default), std::move(set)});
}

void FlagSet::AddIgnored(std::string name, std::string value_name) {
  AddCustom(std::move(name), std::move(value_name), "", "",
            [](std::string_view /*value*/) { return absl::OkStatus(); });
  groups_.back().flags.back().listed = false;
}

void FlagSet::AddString(std::string name, std::string* target, std::string value_name,
                        std::string help) {
  AddCustom(std::move(name), std::move(value_name), std::move(help), *target,
            [target](std::string_view text) {
              *target = std::string(text);
              return absl::OkStatus();
            });
}

void FlagSet::AddChoice(std::string name, std::string* target, std::vector<std::string> choices,
                        std::string help) {
  std::string value_name = absl::StrJoin(choices, "|");
  AddCustom(std::move(name), value_name, std::move(help), *target,
            [target, choices = std::move(choices)](std::string_view text) {
              if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
                return Bad(StrCat("must be one of ", absl::StrJoin(choices, ", ")));
              }
              *target = std::string(text);
              return absl::OkStatus();
            });
}

void FlagSet::AddBool(std::string name, bool* target, std::string help) {
  AddCustom(std::move(name), "", std::move(help), *target ? "true" : "false",
            [target](std::string_view text) {
              if (text != "true" && text != "false") return Bad("must be true or false");
              *target = text == "true";
              return absl::OkStatus();
            });
}

void FlagSet::AddInt(std::string name, int64_t* target, int64_t min, int64_t max,
                     std::string help) {
  AddCustom(std::move(name), "N", std::move(help), StrCat(*target),
            [target, min, max](std::string_view text) {
              int64_t value = 0;
              if (!absl::SimpleAtoi(ToAbsl(text), &value) || value < min || value > max) {
                return Bad(StrCat("must be a whole number from ", min, " to ", max));
              }
              *target = value;
              return absl::OkStatus();
            });
}

void FlagSet::AddDuration(std::string name, absl::Duration* target, std::string help) {
  AddCustom(std::move(name), "DURATION", std::move(help), absl::FormatDuration(*target),
            [target](std::string_view text) {
              absl::Duration value;
              if (!absl::ParseDuration(ToAbsl(text), &value) || value < absl::ZeroDuration() ||
                  value == absl::InfiniteDuration()) {
                return Bad("must be a duration such as 1.5s, 200ms or 1h30m");
              }
              *target = value;
              return absl::OkStatus();
            });
}

void FlagSet::AddHostPort(std::string name, std::optional<HostPort>* target, std::string help) {
  AddCustom(std::move(name), "ADDR:PORT", std::move(help), *target ? (*target)->ToString() : "",
            [target](std::string_view text) {
              absl::StatusOr<HostPort> value = ParseHostPort(text);
              if (!value.ok()) return value.status();
              *target = *std::move(value);
              return absl::OkStatus();
            });
}

void FlagSet::AddList(std::string name, std::vector<std::string>* target, std::string value_name,
                      std::string help) {
  AddCustom(
      name, StrCat(value_name, "[,", value_name, "...]"), std::move(help),
      absl::StrJoin(*target, ","), [this, target, name](std::string_view text) {
        if (!Find(name)->given) target->clear();
        for (const absl::string_view item : absl::StrSplit(ToAbsl(text), ',', absl::SkipEmpty())) {
          target->emplace_back(item);
        }
        return absl::OkStatus();
      });
}

void FlagSet::AddArguments(std::string value_name, std::vector<std::string>* target,
                           std::string help) {
  arguments_name_ = std::move(value_name);
  arguments_help_ = std::move(help);
  arguments_ = target;
}

FlagSet::Flag* FlagSet::Find(std::string_view name) {
  for (FlagGroup& group : groups_) {
    for (Flag& flag : group.flags) {
      if (flag.name == name) return &flag;
    }
  }
  return nullptr;
}

bool FlagSet::WasGiven(std::string_view name) const {
  for (const FlagGroup& group : groups_) {
    for (const Flag& flag : group.flags) {
      if (flag.name == name) return flag.given;
    }
  }
  return false;
}

absl::Status FlagSet::UnknownFlag(std::string_view name) const {
  std::string_view nearest;
  size_t best = 4;
  for (const FlagGroup& group : groups_) {
    for (const Flag& flag : group.flags) {
      const size_t distance = EditDistance(name.substr(0, 80), flag.name);
      if (distance < best) {
        best = distance;
        nearest = flag.name;
      }
    }
  }
  std::string text = StrCat("unknown flag --", name);
  if (!nearest.empty()) StrAppend(&text, " (did you mean --", nearest, "?)");
  return Bad(text);
}

absl::StatusOr<FlagSet::Outcome> FlagSet::Parse(const std::vector<std::string>& arguments) {
  // Asking for help is answered even if other flags are wrong.
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") return Outcome::kHelp;
    if (argument == "--version") return Outcome::kVersion;
  }
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    if (arguments_ != nullptr && (name == "-" || name.empty() || name.front() != '-')) {
      arguments_->emplace_back(name);
      continue;
    }
    if (name.substr(0, 2) != "--" || name.size() == 2) {
      return Bad(StrCat("unexpected argument \"", name, "\""));
    }
    name.remove_prefix(2);
    std::optional<std::string_view> value;
    if (const size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    Flag* flag = Find(name);
    if (flag == nullptr) return UnknownFlag(name);
    if (!value && flag->value_name.empty()) value = "true";
    if (!value) {
      if (i + 1 == arguments.size()) {
        return Bad(StrCat("--", name, " needs a value: --", name, "=", flag->value_name));
      }
      value = arguments[++i];
    }
    if (const absl::Status status = flag->set(*value); !status.ok()) {
      return Bad(StrCat("--", name, "=", *value, ": ", status.message()));
    }
    flag->given = true;
  }
  return Outcome::kRun;
}

std::optional<int> FlagSet::ParseOrReport(int argc, const char* const* argv) {
  const absl::StatusOr<Outcome> outcome =
      Parse(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  if (!outcome.ok()) return ReportError(ToStd(outcome.status().message()));
  if (*outcome == Outcome::kRun) return std::nullopt;
  const std::string text = *outcome == Outcome::kHelp ? HelpText() : VersionText();
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

int FlagSet::ReportError(std::string_view problem) const {
  std::string line = StrCat(program_, ": ", problem);
  std::replace(line.begin(), line.end(), '\n', ' ');
  StrAppend(&line, " (see --help)\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
  return 2;
}

std::string FlagSet::HelpText() const {
  std::string out = StrCat(program_, ": ");
  out.append(summary_).append("\n");
  if (arguments_ != nullptr) {
    StrAppend(&out, "\n  ", program_, " [flags] ", arguments_name_, "...\n");
    AppendWrapped(out, arguments_help_, kHelpIndent);
  }
  for (const FlagGroup& group : groups_) {
    StrAppend(&out, "\n", group.title, "\n");
    if (!group.explanation.empty()) AppendWrapped(out, group.explanation, 2);
    for (const Flag& flag : group.flags) {
      if (!flag.listed) continue;
      StrAppend(&out, "  --", flag.name);
      if (!flag.value_name.empty()) StrAppend(&out, "=", flag.value_name);
      out.push_back('\n');
      std::string help = flag.help;
      if (!flag.shown_default.empty()) StrAppend(&help, " Default: ", flag.shown_default, ".");
      AppendWrapped(out, help, kHelpIndent);
    }
  }
  StrAppend(&out, "\nAlways\n  --help\n      Prints this text.\n",
            "  --version\n      Prints the version.\n");
  return out;
}

std::string FlagSet::VersionText() const { return StrCat(program_, " ", BuildVersion(), "\n"); }

std::string_view BuildVersion() { return HEADGATE_VERSION; }

}  // namespace headgate
