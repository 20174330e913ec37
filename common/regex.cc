#define PCRE2_CODE_UNIT_WIDTH 8

#include "common/regex.h"

#include <pcre2.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "re2/re2.h"
#include "re2/stringpiece.h"

namespace headgate {
namespace {

// Of one pattern's automata; the program of a pattern beyond it does not compile.
constexpr int64_t kRe2Memory = 1 << 20;
// Steps of one search; a machine does some hundred in a microsecond.
constexpr uint32_t kMostSteps = 50'000;
constexpr uint32_t kMostHeapKib = 1024;
constexpr size_t kFirstStack = 32 * 1024;
constexpr size_t kMostStack = 256 * 1024;
constexpr uint32_t kMostNesting = 50;

std::atomic<uint64_t> searches_given_up{0};

// What a thread needs to search; made with its first search.
struct PcreThread {
  PcreThread()
      : context(pcre2_match_context_create(nullptr)),
        stack(pcre2_jit_stack_create(kFirstStack, kMostStack, nullptr)),
        data(pcre2_match_data_create(Regex::kMaxGroups, nullptr)) {
    if (context == nullptr) return;
    pcre2_set_match_limit(context, kMostSteps);
    pcre2_set_depth_limit(context, kMostSteps);
    pcre2_set_heap_limit(context, kMostHeapKib);
    if (stack != nullptr) pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~PcreThread() {
    pcre2_match_data_free(data);
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
  }
  PcreThread(const PcreThread&) = delete;
  PcreThread& operator=(const PcreThread&) = delete;

  pcre2_match_context* const context;
  pcre2_jit_stack* const stack;
  pcre2_match_data* const data;
};

std::string PcreMessage(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

pcre2_code* CompilePcre(std::string_view pattern, Regex::Anchor anchor, Regex::Case letters,
                        std::string* error) {
  uint32_t options =
      PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
  if (letters == Regex::Case::kIgnored) options |= PCRE2_CASELESS;
  if (anchor != Regex::Anchor::kNone) options |= PCRE2_ANCHORED;
  if (anchor == Regex::Anchor::kBoth) options |= PCRE2_ENDANCHORED;
  pcre2_compile_context* const context = pcre2_compile_context_create(nullptr);
  if (context != nullptr) pcre2_set_parens_nest_limit(context, kMostNesting);
  int code = 0;
  PCRE2_SIZE at = 0;
  pcre2_code* const compiled = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()),
                                             pattern.size(), options, &code, &at, context);
  pcre2_compile_context_free(context);
  if (compiled == nullptr) {
    *error = PcreMessage(code);
    return nullptr;
  }
  // Where the system allows no code to be made, it is interpreted.
  pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
  return compiled;
}

}  // namespace

std::shared_ptr<const Regex> Regex::Compile(std::string_view pattern, Anchor anchor, Case letters,
                                            std::string* error) {
  re2::RE2::Options options;
  options.set_case_sensitive(letters == Case::kSensitive);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  options.set_max_mem(kRe2Memory);
  std::shared_ptr<Regex> out(new Regex(anchor));
  auto re2 = std::make_unique<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (re2->ok()) {
    out->re2_ = std::move(re2);
    return out;
  }
  *error = re2->error();
  if (re2->error_code() == re2::RE2::ErrorPatternTooLarge) return nullptr;
  out->pcre_ = CompilePcre(pattern, anchor, letters, error);
  out->pcre_pattern_ = pattern;
  return out->pcre_ == nullptr ? nullptr : out;
}

Regex::Regex(Anchor anchor) : anchor_(anchor) {}
Regex::~Regex() { pcre2_code_free(pcre_); }

Regex::Result Regex::Search(std::string_view text, std::span<std::string_view> groups) const {
  if (re2_ == nullptr) return SearchWithPcre(*pcre_, text, groups);
  constexpr re2::RE2::Anchor kAnchors[] = {re2::RE2::UNANCHORED, re2::RE2::ANCHOR_START,
                                           re2::RE2::ANCHOR_BOTH};
  const re2::RE2::Anchor anchor = kAnchors[static_cast<size_t>(anchor_)];
  const re2::StringPiece subject(text.data(), text.size());
  if (groups.empty()) {
    return re2_->Match(subject, 0, text.size(), anchor, nullptr, 0) ? Result::kFound
                                                                    : Result::kNotFound;
  }
  std::array<re2::StringPiece, kMaxGroups> found;
  if (!re2_->Match(subject, 0, text.size(), anchor, found.data(),
                   static_cast<int>(groups.size()))) {
    return Result::kNotFound;
  }
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = {found[i].data(), found[i].size()};
  return Result::kFound;
}

Regex::Result Regex::SearchWithPcre(const pcre2_code& code, std::string_view text,
                                    std::span<std::string_view> groups) {
  thread_local const PcreThread thread;
  if (thread.data == nullptr || thread.context == nullptr) return Result::kGaveUp;
  const std::string_view subject = text.data() == nullptr ? std::string_view("") : text;
  const int found = pcre2_match(&code, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(),
                                0, 0, thread.data, thread.context);
  if (found == PCRE2_ERROR_NOMATCH) return Result::kNotFound;
  if (found < 0) {
    searches_given_up.fetch_add(1, std::memory_order_relaxed);
    return Result::kGaveUp;
  }
  const PCRE2_SIZE* const ends = pcre2_get_ovector_pointer(thread.data);
  const size_t known = found == 0 ? kMaxGroups : static_cast<size_t>(found);
  for (size_t i = 0; i < groups.size(); ++i) {
    const bool matched = i < known && ends[2 * i] != PCRE2_UNSET && ends[2 * i] <= ends[2 * i + 1];
    groups[i] =
        matched ? subject.substr(ends[2 * i], ends[2 * i + 1] - ends[2 * i]) : std::string_view();
  }
  return Result::kFound;
}

std::string_view Regex::pattern() const {
  return re2_ != nullptr ? std::string_view(re2_->pattern()) : pcre_pattern_;
}

int Regex::group_count() const {
  if (re2_ != nullptr) return re2_->NumberOfCapturingGroups();
  uint32_t count = 0;
  pcre2_pattern_info(pcre_, PCRE2_INFO_CAPTURECOUNT, &count);
  return static_cast<int>(count);
}

uint64_t Regex::given_up() { return searches_given_up.load(std::memory_order_relaxed); }

}  // namespace headgate
