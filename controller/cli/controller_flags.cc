#include "controller/cli/controller_flags.h"

#include <optional>
#include <string_view>

#include "common/strings.h"
#include "controller/translate/annotations/values.h"

namespace headgate::cli {

void DeclareControllerFlags(ControllerFlags& options, FlagSet& flags) {
  flags.Group("As the controller will be started");
  flags.AddString("configmap", &options.configmap, "NS/NAME",
                  "ConfigMap with options for all Ingresses.");
  flags.AddString("default-backend-service", &options.default_backend_service, "NS/NAME",
                  "Service for requests which match no rule.");
  flags.AddString("default-ssl-certificate", &options.default_ssl_certificate, "NS/NAME",
                  "Secret with the certificate for hosts that have none of their own.");
  flags.AddBool("enable-ssl-passthrough", &options.enable_ssl_passthrough,
                "Honour the annotation ssl-passthrough.");
  flags.AddString("annotations-prefix", &options.annotations_prefix, "NAME",
                  "What the names of ingress-nginx's annotations begin with.");
  flags.AddBool("disable-catch-all", &options.disable_catch_all,
                "Leave out Ingresses with a default backend.");
}

absl::StatusOr<translate::Options> ToTranslateOptions(const ControllerFlags& options) {
  translate::Options out;
  const struct {
    std::string_view flag;
    const std::string& text;
    std::optional<kube::ObjectKey>& target;
  } rows[] = {
      {"configmap", options.configmap, out.config_map},
      {"default-backend-service", options.default_backend_service, out.default_backend},
      {"default-ssl-certificate", options.default_ssl_certificate, out.default_certificate}};
  for (const auto& row : rows) {
    if (row.text.empty()) continue;
    row.target = translate::ParseReference(row.text);
    if (!row.target)
      return absl::InvalidArgumentError(StrCat("--", row.flag, "=", row.text, ": must be NS/NAME"));
  }
  out.ssl_passthrough = options.enable_ssl_passthrough;
  out.annotation_prefix = options.annotations_prefix + "/";
  out.catch_all = !options.disable_catch_all;
  // Nothing is served, so no key is needed: any text stands for the certificate that a controller
  // makes.
  out.fallback_certificate = {"none", SecretBytes("none")};
  out.settings.mutable_buffering()->set_request(true);
  return out;
}

}  // namespace headgate::cli
