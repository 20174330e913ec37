#include "controller/kube/json.h"

#include "absl/time/time.h"
#include "common/strings.h"

namespace headgate::kube {
namespace {

// Whether a key can be written after a dot; if not, it is written as [key].
bool IsPlainKey(std::string_view key) {
  for (const char c : key) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!plain) return false;
  }
  return !key.empty();
}

}  // namespace

absl::StatusOr<Json> ParseJson(std::string_view text) {
  Json document = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!document.is_discarded()) return document;
  // The parser tells the place only by exception; a second, rare run with a handler finds it.
  struct PlaceFinder : nlohmann::json_sax<Json> {
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(size_t) override { return true; }
    bool key(string_t&) override { return true; }
    bool end_object() override { return true; }
    bool start_array(size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(size_t position, const std::string&, const Json::exception&) override {
      place = position;
      return false;
    }
    size_t place = 0;
  };
  PlaceFinder finder;
  Json::sax_parse(text.begin(), text.end(), &finder);
  return absl::InvalidArgumentError(StrCat("not JSON at byte ", finder.place, " of ", text.size()));
}

FieldNode::FieldNode(const Json* value, const FieldNode* parent, std::string_view key, size_t index)
    : value_(value != nullptr && value->is_null() ? nullptr : value),
      errors_(parent->errors_),
      parent_(parent),
      key_(key),
      index_(index) {}

FieldNode FieldNode::Get(std::string_view key) const& {
  const Json* child = nullptr;
  if (CheckType(Json::value_t::object, "an object")) {
    const auto it = value_->find(key);
    if (it != value_->end()) child = &*it;
  }
  return FieldNode(child, this, key, kNoIndex);
}

FieldNode FieldNode::At(size_t index) const& {
  return FieldNode(&(*value_)[index], this, {}, index);
}

size_t FieldNode::size() const {
  return CheckType(Json::value_t::array, "a list") ? value_->size() : 0;
}

std::string_view FieldNode::View() const {
  if (!CheckType(Json::value_t::string, "a string")) return {};
  return value_->get_ref<const std::string&>();
}

bool FieldNode::Bool(bool absent) const {
  return CheckType(Json::value_t::boolean, "true or false") ? value_->get<bool>() : absent;
}

int64_t FieldNode::Int(int64_t min, int64_t max, int64_t absent) const {
  if (!present()) return absent;
  int64_t number = 0;
  bool fits = false;
  if (value_->is_number_unsigned()) {
    const uint64_t value = value_->get<uint64_t>();
    fits = value <= static_cast<uint64_t>(INT64_MAX);
    number = static_cast<int64_t>(value);
  } else if (value_->is_number_integer()) {
    fits = true;
    number = value_->get<int64_t>();
  }
  if (!fits || number < min || number > max) {
    Fail(StrCat("must be a whole number from ", min, " to ", max));
    return absent;
  }
  return number;
}

int64_t FieldNode::Timestamp() const {
  const std::string_view text = View();
  if (text.empty()) return 0;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, ToAbsl(text), &time, &error)) {
    Fail("must be a time such as 2026-01-31T12:00:00Z");
    return 0;
  }
  return absl::ToUnixSeconds(time);
}

bool FieldNode::CheckType(Json::value_t type, std::string_view name) const {
  if (!present()) return false;
  if (value_->type() == type) return true;
  Fail(StrCat("must be ", name, ", not ", value_->type_name()));
  return false;
}

bool FieldNode::Require() const {
  const bool given =
      present() && !(value_->is_string() && value_->get_ref<const std::string&>().empty());
  if (!given) Fail("is required");
  return given;
}

void FieldNode::Fail(std::string_view problem) const {
  if (!errors_->ok()) return;
  std::string error;
  AppendPath(error);
  StrAppend(&error, error.empty() ? "" : ": ", problem);
  errors_->Add(std::move(error));
}

void FieldNode::AppendPath(std::string& out) const {
  if (parent_ == nullptr) return;
  parent_->AppendPath(out);
  if (index_ != kNoIndex) {
    StrAppend(&out, "[", index_, "]");
  } else if (IsPlainKey(key_)) {
    StrAppend(&out, out.empty() ? "" : ".", key_);
  } else {
    StrAppend(&out, "[", key_, "]");
  }
}

}  // namespace headgate::kube
