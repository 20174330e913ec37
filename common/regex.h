// Regular expressions over bytes, matched in time linear in the text by RE2. A pattern that RE2 has
// no words for (look-around, back-references, possessive quantifiers) is PCRE2's, which tries one
// way after the other: it is compiled to machine code where the system allows it, and gives up
// after a fixed number of steps.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}
struct pcre2_real_code_8;

namespace headgate {

// Immutable; any thread may search with it.
class Regex {
 public:
  enum class Anchor : uint8_t {
    kNone,   // found anywhere in a text
    kStart,  // at its beginning only
    kBoth,   // it must fit all of the text
  };
  enum class Case : uint8_t { kSensitive, kIgnored };

  enum class Result : uint8_t {
    kNotFound,
    kFound,
    kGaveUp,  // it may or may not be there; what follows must be safe in either case
  };

  // Null, and the reason in `error`, for what neither library takes.
  static std::shared_ptr<const Regex> Compile(std::string_view pattern, Anchor anchor, Case letters,
                                              std::string* error);

  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;
  ~Regex();

  // `groups`: the whole of what is found, then what the pattern's groups have matched, empty for
  // those that have not and for those that the pattern does not have; at most kMaxGroups.
  static constexpr size_t kMaxGroups = 10;
  Result Search(std::string_view text, std::span<std::string_view> groups = {}) const;

  bool Finds(std::string_view text, bool when_in_doubt) const {
    const Result result = Search(text);
    return result == Result::kGaveUp ? when_in_doubt : result == Result::kFound;
  }

  std::string_view pattern() const;
  int group_count() const;
  // PCRE2 has it.
  bool backtracks() const { return pcre_ != nullptr; }

  // Searches of this process that were given up.
  static uint64_t given_up();

 private:
  explicit Regex(Anchor anchor);
  static Result SearchWithPcre(const pcre2_real_code_8& code, std::string_view text,
                               std::span<std::string_view> groups);

  const Anchor anchor_;
  std::unique_ptr<const re2::RE2> re2_;  // null: the other has it
  pcre2_real_code_8* pcre_ = nullptr;    // owned
  std::string pcre_pattern_;
};

}  // namespace headgate
