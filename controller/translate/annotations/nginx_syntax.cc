#include "controller/translate/annotations/nginx_syntax.h"

#include <utility>

#include "common/strings.h"

namespace headgate::translate {
namespace {

constexpr size_t kMaxBytes = 64 * 1024;
constexpr size_t kMaxDepth = 8;
constexpr size_t kMaxDirectives = 1000;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  NginxText Parse() {
    NginxText out;
    if (text_.size() > kMaxBytes) {
      Fail("it is longer than 64 KiB");
    } else if (ParseBlock(out.directives, 0) && !AtEnd()) {
      Fail("'}' closes nothing");
    }
    if (!problem_.empty()) out.directives.clear();
    out.problem = std::move(problem_);
    return out;
  }

 private:
  // Up to the end of the text or a '}', which stays.
  bool ParseBlock(std::vector<NginxDirective>& out, size_t depth) {
    for (;;) {
      SkipBlanks();
      if (AtEnd() || Peek() == '}') return true;
      if (++count_ > kMaxDirectives) return Fail("it has more than 1000 directives");
      if (!ParseDirective(out.emplace_back(), depth)) return false;
    }
  }

  bool ParseDirective(NginxDirective& out, size_t depth) {
    out.line = line_;
    for (;;) {
      SkipBlanks();
      if (AtEnd()) return Fail("the last directive has no ';'");
      const char c = Peek();
      if (c == ';' || c == '{') {
        if (out.words.empty()) return Fail(StrCat("unexpected '", std::string_view(&c, 1), "'"));
        ++at_;
        return c == ';' || ParseInner(out, depth);
      }
      if (c == '}') return Fail("a directive has no ';' before '}'");
      if (!ParseWord(out.words.emplace_back())) return false;
    }
  }

  bool ParseInner(NginxDirective& out, size_t depth) {
    if (depth + 1 >= kMaxDepth) return Fail("blocks are nested too deeply");
    out.has_block = true;
    if (!ParseBlock(out.block, depth + 1)) return false;
    if (AtEnd()) return Fail("a block is not closed");
    ++at_;
    return true;
  }

  bool ParseWord(std::string& out) {
    const char quote = Peek();
    if (quote == '"' || quote == '\'') return ParseQuoted(quote, out);
    while (!AtEnd() && !IsBlank(Peek()) && Peek() != ';' &&
           !(Peek() == '{' && !out.ends_with('$'))) {
      // "${name}" is part of a word.
      if (Peek() == '{') {
        const size_t end = text_.find('}', at_);
        if (end == std::string_view::npos) return Fail("'${' is not closed");
        out.append(text_.substr(at_, end + 1 - at_));
        if (out.find('\n') != std::string::npos) return Fail("'${' is not closed");
        at_ = end + 1;
      } else {
        TakeByte(out);
      }
    }
    return true;
  }

  bool ParseQuoted(char quote, std::string& out) {
    const size_t first_line = line_;
    ++at_;
    while (!AtEnd() && Peek() != quote) TakeByte(out);
    if (AtEnd()) {
      line_ = first_line;
      return Fail("a quotation is not closed");
    }
    ++at_;
    const bool ends = AtEnd() || IsBlank(Peek()) || Peek() == ';' || Peek() == '{' || Peek() == ')';
    return ends || Fail("something follows a quotation without a blank");
  }

  // One byte, or what a backslash makes of the next; the backslash stays where it means nothing.
  void TakeByte(std::string& out) {
    const char c = Next();
    if (c != '\\' || AtEnd()) {
      out.push_back(c);
      return;
    }
    const char escaped = Next();
    switch (escaped) {
      case '"':
      case '\'':
      case '\\': out.push_back(escaped); break;
      case 't': out.push_back('\t'); break;
      case 'r': out.push_back('\r'); break;
      case 'n': out.push_back('\n'); break;
      default: out.push_back('\\'); out.push_back(escaped);
    }
  }

  void SkipBlanks() {
    while (!AtEnd()) {
      if (IsBlank(Peek())) {
        Next();
      } else if (Peek() == '#') {
        while (!AtEnd() && Peek() != '\n') ++at_;
      } else {
        return;
      }
    }
  }

  bool AtEnd() const { return at_ == text_.size(); }
  char Peek() const { return text_[at_]; }
  char Next() {
    const char c = text_[at_++];
    if (c == '\n') ++line_;
    return c;
  }

  bool Fail(std::string_view what) {
    problem_ = StrCat("line ", line_, ": ", what);
    return false;
  }

  const std::string_view text_;
  size_t at_ = 0;
  size_t line_ = 1;
  size_t count_ = 0;
  std::string problem_;
};

}  // namespace

NginxText ParseNginx(std::string_view text) { return Parser(text).Parse(); }

}  // namespace headgate::translate
