#include "controller/translate/dh_parameters.h"

#include <utility>

#include "common/dh_parameters.h"
#include "common/strings.h"

namespace headgate::translate {
namespace {

constexpr std::string_view kKey = "dhparam.pem";

// Takes what the Secret, which is not null, holds into `out`; on failure says why it cannot be
// used.
std::string Take(std::shared_ptr<const kube::Secret> secret, DhParameters& out) {
  const SecretBytes* pem = secret->Find(kKey);
  if (pem == nullptr) return StrCat("it has no ", kKey);
  const auto parsed = ParseDhParameters(pem->Reveal());
  if (!parsed.ok()) return StrCat("data[", kKey, "]: ", ToStd(parsed.status().message()));
  out.pem = WriteDhParameters(parsed->get());
  out.secret = std::move(secret);
  return {};
}

}  // namespace

DhParameters ChooseDhParameters(const kube::ObjectKey& key, SecretView newest,
                                std::shared_ptr<const kube::Secret> last_good,
                                const Options& options) {
  DhParameters out;
  if (key.name.empty()) return out;
  const bool exists = newest.secret != nullptr;
  const std::string problem =
      exists ? Take(std::move(newest.secret), out) : StrCat("it ", newest.Absence());
  if (problem.empty()) return out;
  if (exists && last_good != nullptr) Take(std::move(last_good), out);
  out.diagnostics.push_back({kube::Kind::kConfigMap, *options.config_map, "data.ssl-dh-param",
                             exists ? Reason::kInvalidOption : newest.AbsenceReason(),
                             Severity::kWarning,
                             StrCat("Secret ", key.ToString(), ": ", problem,
                                    out.secret != nullptr ? "; its last good form stays in use"
                                                          : "; DHE ciphers are not used")});
  return out;
}

}  // namespace headgate::translate
