// The command line, declared once: parsing, checking and a --help that teaches come from the same
// table.
//
//   FlagSet flags("headgate-x", "Does X.");
//   flags.Group("Listening", "Where clients connect.");
//   flags.AddHostPort("http-listen", &options.http_listen, "Plain HTTP.");
//   if (std::optional<int> code = flags.ParseOrReport(argc, argv)) return *code;
//
// Accepted: --name=value, --name value; for booleans --name, --name=true, --name=false. "--help"
// and "--version" are always there. A flag that is not a list given twice: the last one wins.
// Everything else on the command line is an error, unless AddArguments was called.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/host_port.h"

namespace headgate {

// The targets must outlive Parse; what they hold when added is shown as the default. Thread: one
// owner.
class FlagSet {
 public:
  FlagSet(std::string program, std::string summary);

  // Starts a group of flags in --help. Flags before the first group stand under "Options".
  void Group(std::string title, std::string explanation = {});

  // `help` says what the flag is for in one or more sentences; the default is added by us.
  // `value_name` is shown as
  // --name=VALUE_NAME.
  void AddString(std::string name, std::string* target, std::string value_name, std::string help);
  // The text must be one of `choices`.
  void AddChoice(std::string name, std::string* target, std::vector<std::string> choices,
                 std::string help);
  void AddBool(std::string name, bool* target, std::string help);
  void AddInt(std::string name, int64_t* target, int64_t min, int64_t max, std::string help);
  // A duration with units, such as "1.5s", "200ms", "1h30m"; not negative, not infinite.
  void AddDuration(std::string name, absl::Duration* target, std::string help);
  // Stays empty when the flag is not given.
  void AddHostPort(std::string name, std::optional<HostPort>* target, std::string help);
  // Comma-separated, and the flag may be repeated; the first use replaces the default.
  void AddList(std::string name, std::vector<std::string>* target, std::string value_name,
               std::string help);
  // For any other type: `set` gets the text of each use and says what is wrong with it.
  // `shown_default` may be empty.
  void AddCustom(std::string name, std::string value_name, std::string help,
                 std::string shown_default, std::function<absl::Status(std::string_view)> set);

  // A flag that other programs have: taken with any value (without one, if `value_name` is empty),
  // and not listed by
  // --help. WasGiven tells.
  void AddIgnored(std::string name, std::string value_name);

  // Takes what is no flag, "-" too, into `target`. `help` says what it is for.
  void AddArguments(std::string value_name, std::vector<std::string>* target, std::string help);

  enum class Outcome { kRun, kHelp, kVersion };
  // Sets the targets. On an error (one line, naming the flag) some may have been set already.
  absl::StatusOr<Outcome> Parse(const std::vector<std::string>& arguments);
  // Parse for main: prints help or version to stdout, an error as one line to stderr. Returns the
  // exit code (0 or 2) when the program is to end now.
  std::optional<int> ParseOrReport(int argc, const char* const* argv);
  // One line to stderr in the same form, for what is found wrong after parsing (an unreadable file,
  // flags that exclude each other). Returns the exit code 2.
  int ReportError(std::string_view problem) const;

  // Whether the flag stood on the command line.
  bool WasGiven(std::string_view name) const;

  std::string HelpText() const;
  std::string VersionText() const;

 private:
  struct Flag {
    std::string name;
    std::string value_name;  // empty: boolean
    std::string help;
    std::string shown_default;
    std::function<absl::Status(std::string_view)> set;
    bool given = false;
    bool listed = true;
  };
  struct FlagGroup {
    std::string title;
    std::string explanation;
    std::vector<Flag> flags;
  };

  Flag* Find(std::string_view name);
  absl::Status UnknownFlag(std::string_view name) const;

  const std::string program_;
  const std::string summary_;
  std::vector<FlagGroup> groups_;
  std::string arguments_name_;
  std::string arguments_help_;
  std::vector<std::string>* arguments_ = nullptr;  // null: there are none
};

// The version of this build, for example "0.1.0".
std::string_view BuildVersion();

}  // namespace headgate
