#include "controller/kube/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cstdint>
#include <sstream>
#include <string>

#include "common/strings.h"
#include "common/text.h"

namespace headgate::kube {
namespace {

constexpr size_t kMaxDepth = 100;
constexpr size_t kMaxValues = 1'000'000;

bool IsOneOf(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) {
    if (text == word) return true;
  }
  return false;
}

template <typename Number>
bool ParseWhole(std::string_view text, int base, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number, base);
  return error == std::errc() && end == text.data() + text.size();
}

// A number of the YAML 1.2 core schema; null if the text is none.
Json ResolveNumber(std::string_view text) {
  std::string_view digits = text;
  if (digits.front() == '+') digits.remove_prefix(1);
  // from_chars would also take "inf" and "nan"; a number of ours begins with a digit, after a sign
  // and a point at most.
  std::string_view magnitude = digits;
  if (digits.size() == text.size() && magnitude.front() == '-') magnitude.remove_prefix(1);
  if (!magnitude.empty() && magnitude.front() == '.') magnitude.remove_prefix(1);
  if (magnitude.empty() || magnitude.front() < '0' || magnitude.front() > '9') return nullptr;
  int64_t whole = 0;
  uint64_t large = 0;
  if (digits.substr(0, 2) == "0x" && ParseWhole(digits.substr(2), 16, &whole)) return whole;
  if (digits.substr(0, 2) == "0o" && ParseWhole(digits.substr(2), 8, &whole)) return whole;
  if (ParseWhole(digits, 10, &whole)) return whole;
  if (ParseWhole(digits, 10, &large)) return large;
  double real = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), real);
  if (error == std::errc() && end == digits.data() + digits.size()) return real;
  return nullptr;
}

Json ResolvePlain(const std::string& text) {
  if (IsOneOf(text, {"", "~", "null", "Null", "NULL"})) return nullptr;
  if (IsOneOf(text, {"true", "True", "TRUE"})) return true;
  if (IsOneOf(text, {"false", "False", "FALSE"})) return false;
  Json number = ResolveNumber(text);
  return number.is_null() ? Json(text) : number;
}

// Converts one document; the first problem ends it.
class Converter {
 public:
  explicit Converter(size_t first_line) : first_line_(first_line) {}

  Json Convert(const YAML::Node& node, size_t depth) {
    if (!status_.ok()) return nullptr;
    if (depth > kMaxDepth) return Fail(node, "nested too deeply");
    if (++values_ > kMaxValues) return Fail(node, "too many values");
    switch (node.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null: return nullptr;
      case YAML::NodeType::Scalar: return ConvertScalar(node);
      case YAML::NodeType::Sequence: return ConvertSequence(node, depth);
      case YAML::NodeType::Map: return ConvertMap(node, depth);
    }
    return nullptr;
  }

  const absl::Status& status() const { return status_; }

 private:
  Json ConvertScalar(const YAML::Node& node) {
    if (!IsValidUtf8(node.Scalar())) return Fail(node, "text that is not UTF-8");
    const std::string& tag = node.Tag();
    if (tag == "?" || tag.empty()) return ResolvePlain(node.Scalar());
    if (tag == "!" || tag == "tag:yaml.org,2002:str" || tag == "tag:yaml.org,2002:binary") {
      return node.Scalar();
    }
    if (IsOneOf(tag, {"tag:yaml.org,2002:int", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:float",
                      "tag:yaml.org,2002:null"})) {
      return ResolvePlain(node.Scalar());
    }
    return Fail(node, StrCat("unknown tag ", tag));
  }

  Json ConvertSequence(const YAML::Node& node, size_t depth) {
    Json list = Json::array();
    for (const YAML::Node& item : node) list.push_back(Convert(item, depth + 1));
    return list;
  }

  Json ConvertMap(const YAML::Node& node, size_t depth) {
    Json map = Json::object();
    Json merged = Json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return Fail(entry.first, "a key must be text");
      const std::string& key = entry.first.Scalar();
      if (!IsValidUtf8(key)) return Fail(entry.first, "a key that is not UTF-8");
      Json value = Convert(entry.second, depth + 1);
      if (key == "<<" && entry.first.Tag() == "?") {
        Merge(entry.second, std::move(value), merged);
      } else if (!map.emplace(key, std::move(value)).second) {
        return Fail(entry.first, StrCat("key \"", key, "\" stands twice"));
      }
    }
    for (auto& [key, value] : merged.items()) map.emplace(key, std::move(value));
    return map;
  }

  // Earlier maps win over later ones.
  void Merge(const YAML::Node& node, Json value, Json& merged) {
    if (value.is_object()) {
      for (auto& [key, item] : value.items()) merged.emplace(key, std::move(item));
    } else if (value.is_array()) {
      for (Json& item : value) {
        if (!item.is_object()) return (void)Fail(node, "<< needs maps");
        for (auto& [key, inner] : item.items()) merged.emplace(key, std::move(inner));
      }
    } else {
      Fail(node, "<< needs a map");
    }
  }

  Json Fail(const YAML::Node& node, std::string_view problem) {
    if (status_.ok()) {
      const int line = node.Mark().line;
      status_ = absl::InvalidArgumentError(
          StrCat("line ", first_line_ + static_cast<size_t>(line < 0 ? 0 : line), ": ", problem));
    }
    return nullptr;
  }

  const size_t first_line_;
  size_t values_ = 0;
  absl::Status status_;
};

// Throws where the library would go on for ever: at a token that it takes for a document of its own
// again and again.
class ProgressCheck final : public YAML::EventHandler {
 public:
  static void Run(const std::string& text) {
    std::istringstream in(text);
    YAML::Parser parser(in);
    ProgressCheck check;
    while (parser.HandleNextDocument(check)) {
    }
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos == last_) throw YAML::ParserException(mark, "unexpected character");
    last_ = mark.pos;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}

 private:
  int last_ = -1;
};

}  // namespace

absl::StatusOr<std::vector<Json>> ParseYaml(std::string_view text, size_t first_line) {
  try {
    std::vector<Json> documents;
    const std::string copy(text);
    ProgressCheck::Run(copy);
    for (const YAML::Node& node : YAML::LoadAll(copy)) {
      Converter converter(first_line);
      documents.push_back(converter.Convert(node, 0));
      if (!converter.status().ok()) return converter.status();
    }
    return documents;
  } catch (const YAML::Exception& error) {
    const int line = error.mark.line;
    return absl::InvalidArgumentError(
        StrCat("line ", first_line + static_cast<size_t>(line < 0 ? 0 : line), ": ", error.msg));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(StrCat("line ", first_line, ": ", error.what()));
  }
}

std::vector<YamlChunk> SplitYaml(std::string_view text) {
  std::vector<YamlChunk> chunks;
  size_t start = 0;
  size_t start_line = 1;
  size_t line = 1;
  for (size_t at = 0; at < text.size(); ++line) {
    const size_t newline = text.find('\n', at);
    const size_t next = newline == std::string_view::npos ? text.size() : newline + 1;
    const std::string_view content = text.substr(at, next - at);
    const bool marker = content.substr(0, 3) == "---" &&
                        (content.size() == 3 || content.find_first_of(" \t\r\n") == 3);
    if (marker && at > start) {
      chunks.push_back({text.substr(start, at - start), start_line});
      start = at;
      start_line = line;
    }
    at = next;
  }
  if (start < text.size()) chunks.push_back({text.substr(start), start_line});
  return chunks;
}

}  // namespace headgate::kube
