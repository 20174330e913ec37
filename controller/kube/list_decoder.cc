#include "controller/kube/list_decoder.h"

#include "common/strings.h"

namespace headgate::kube {
namespace {

absl::Status Bad(std::string_view problem) { return absl::DataLossError(ToAbsl(problem)); }

}  // namespace

// A scanner that knows strings and nesting, no more: items are cut out by their brackets and parsed
// one by one, and what remains is parsed at the end, so that every byte but the commas between
// items meets a real parser.
absl::Status ListDecoder::Feed(std::string_view bytes) {
  for (const char c : bytes) {
    const bool in_item = in_items_ && (depth_ > 2 || (depth_ == 2 && c == '{'));
    std::string& target = in_item ? item_ : envelope_;
    if (in_string_) {
      target.push_back(c);
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
        if (depth_ == 1)
          last_string_ = envelope_.substr(string_start_, envelope_.size() - 1 - string_start_);
      }
    } else if (in_items_ && depth_ == 2 && c != '{' && c != ']') {
      const bool between = c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
      if (!between) return Bad("list: items must be objects");
    } else {
      target.push_back(c);
      switch (c) {
        case '"':
          in_string_ = true;
          if (depth_ == 1) string_start_ = envelope_.size();
          break;
        case '[':
          in_items_ = in_items_ || (depth_ == 1 && last_string_ == "items");
          ++depth_;
          break;
        case '{': ++depth_; break;
        case ']':
        case '}':
          if (depth_ == 0) return Bad("list: a closing bracket too many");
          --depth_;
          if (in_items_ && depth_ == 2) {
            if (const absl::Status status = TakeItem(); !status.ok()) return status;
          }
          if (depth_ == 1) in_items_ = false;
          break;
        default: break;
      }
    }
    if (item_.size() > kMaxItemBytes) return Bad("list: an item is too large");
    if (envelope_.size() > kMaxEnvelopeBytes) return Bad("list: its head is too large");
  }
  return absl::OkStatus();
}

absl::Status ListDecoder::TakeItem() {
  Decoded decoded = DecodeObjectText(type_, item_);
  if (type_.kind == Kind::kSecret) WipeMemory(item_.data(), item_.size());
  item_.clear();
  if (auto* object = std::get_if<Object>(&decoded)) {
    out_->objects.push_back(std::move(*object));
    return absl::OkStatus();
  }
  MalformedObject& malformed = std::get<MalformedObject>(decoded);
  // Text that is no JSON at all is not one bad object but a bad page.
  if (malformed.key.name.empty()) return Bad(StrCat("list: ", malformed.error));
  out_->malformed.push_back(std::move(malformed));
  return absl::OkStatus();
}

absl::Status ListDecoder::Finish() {
  if (depth_ != 0 || in_string_) return Bad("list: ends too early");
  const absl::StatusOr<Json> envelope = ParseJson(envelope_);
  if (!envelope.ok()) return Bad(StrCat("list: ", envelope.status().message()));
  FieldErrors errors;
  const FieldNode root(*envelope, errors);
  const FieldNode items = root.Get("items");
  static_cast<void>(items.size());  // checks the type; absent means none
  const FieldNode meta = root.Get("metadata");
  resource_version_ = meta.Get("resourceVersion").String();
  continue_token_ = meta.Get("continue").String();
  if (!errors.ok()) return Bad(StrCat("list: ", errors.first()));
  if (resource_version_.empty()) return Bad("list: metadata.resourceVersion: is required");
  return absl::OkStatus();
}

}  // namespace headgate::kube
