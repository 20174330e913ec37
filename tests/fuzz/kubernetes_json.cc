// Everything that reads what an API server or a manifest file says. The first byte chooses the
// reader, the second the kind of object; the rest is the input.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/check.h"
#include "controller/kube/list_decoder.h"
#include "controller/kube/manifest_set.h"
#include "controller/kube/watch_decoder.h"

namespace headgate::kube {
namespace {

const ResourceType& TypeFor(uint8_t choice) {
  const size_t index = choice % (kKindCount + 1);
  return index == kKindCount ? EndpointsResourceType() : ResourceTypeOf(static_cast<Kind>(index));
}

struct ListOutcome {
  bool good = false;
  Replacement out;
};

ListOutcome DecodeList(const ResourceType& type, std::string_view text, size_t cut) {
  ListOutcome outcome;
  ListDecoder decoder(type, &outcome.out);
  outcome.good = decoder.Feed(text.substr(0, cut)).ok() && decoder.Feed(text.substr(cut)).ok() &&
                 decoder.Finish().ok();
  return outcome;
}

// A list means the same however its bytes arrive.
void FuzzList(const ResourceType& type, std::string_view text) {
  const ListOutcome whole = DecodeList(type, text, text.size());
  const ListOutcome cut = DecodeList(type, text, text.size() / 2);
  HEADGATE_CHECK(whole.good == cut.good);
  HEADGATE_CHECK(whole.out.objects == cut.out.objects);
  HEADGATE_CHECK(whole.out.malformed.size() == cut.out.malformed.size());
}

void FuzzWatch(const ResourceType& type, std::string_view text) {
  std::vector<WatchEvent> whole;
  std::vector<WatchEvent> cut;
  WatchDecoder whole_decoder(type);
  WatchDecoder cut_decoder(type);
  const bool whole_good = whole_decoder.Feed(text, &whole).ok();
  const bool cut_good = cut_decoder.Feed(text.substr(0, text.size() / 2), &cut).ok() &&
                        cut_decoder.Feed(text.substr(text.size() / 2), &cut).ok();
  HEADGATE_CHECK(whole_good == cut_good);
  HEADGATE_CHECK(whole.size() == cut.size());
}

// A second look at the same content changes nothing.
void FuzzManifest(std::string_view name, std::string_view text) {
  ManifestSet set;
  set.Load(std::string(name), text);
  static_cast<void>(set.TakeChanges());
  set.Load(std::string(name), text);
  HEADGATE_CHECK(set.TakeChanges().empty());
}

}  // namespace
}  // namespace headgate::kube

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using headgate::kube::TypeFor;
  if (size < 2) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto& type = TypeFor(data[1]);
  switch (data[0] % 5) {
    case 0: static_cast<void>(headgate::kube::DecodeObjectText(type, text)); break;
    case 1: headgate::kube::FuzzList(type, text); break;
    case 2: headgate::kube::FuzzWatch(type, text); break;
    case 3: headgate::kube::FuzzManifest("a.yaml", text); break;
    case 4: headgate::kube::FuzzManifest("a.json", text); break;
  }
  return 0;
}
