#include "dataplane/config/ticket_key_reader.h"

#include <map>
#include <string_view>
#include <vector>

#include "common/hash.h"

namespace headgate::config {
namespace {

constexpr std::string_view kSealing = "current";

}  // namespace

void TicketKeyReader::SetName(std::string name) {
  if (name == name_) return;
  name_ = std::move(name);
  dirty_ = true;
}

std::shared_ptr<const tls::TicketKeys> TicketKeyReader::Keys() {
  const bool seen = std::exchange(secrets_seen_, secrets_.version()) == secrets_.version();
  if (seen && !std::exchange(dirty_, false)) return keys_;
  dirty_ = false;
  std::string_view sealing;
  std::map<std::string_view, std::string_view> others;
  if (const SecretIndex::Data* data = secrets_.Find(name_)) {
    for (const auto& [key, value] : *data) {
      if (key == kSealing) {
        sealing = value.Reveal();
      } else {
        others[key] = value.Reveal();
      }
    }
  }
  std::string text(sealing);
  std::vector<std::string_view> opening;
  for (const auto& [key, value] : others) {
    text += value;
    opening.push_back(value);
  }
  const uint64_t content = ContentHash(text);
  WipeMemory(text.data(), text.size());
  if (std::exchange(content_, content) == content) return keys_;
  auto made = tls::TicketKeys::Make(sealing, opening);
  keys_ = made.ok() ? *std::move(made) : nullptr;
  return keys_;
}

}  // namespace headgate::config
