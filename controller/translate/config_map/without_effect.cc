#include "controller/translate/config_map/without_effect.h"

#include "controller/translate/annotations/values.h"

namespace headgate::translate {
namespace {

constexpr std::string_view kListeners =
    "where a data plane listens is said by its flags --http-listen and --https-listen";
constexpr std::string_view kNoGeoIp = "there are no GeoIP databases here";
constexpr std::string_view kNoFirewall = "there is no firewall here";
constexpr std::string_view kNoStatusPage =
    "there is no /nginx_status; the numbers are in /metrics on the port of --admin-listen";
constexpr std::string_view kNoTemplate =
    "there is no NGINX configuration that it could go into; options and annotations take its place";
constexpr std::string_view kNoSyslog = "logs go to standard output, or to the file of --access-log";
constexpr std::string_view kLogPath =
    "where the access log goes is said by the data plane's flag --access-log";

constexpr IneffectiveOption kOptions[] = {
    {"access-log-params", kLogPath},
    {"access-log-path", kLogPath},
    {"bind-address", kListeners},
    {"debug-connections", "what a program logs is said by its flag --log-level, for all clients"},
    {"default-type", "pages of our own are HTML, and the type of an endpoint's is its own affair"},
    {"disable-ipv6", kListeners},
    {"disable-ipv6-dns",
     "names are looked up in both families, and whichever address answers first is used"},
    {"enable-auth-access-log", "what is asked of the server of auth-url is not in the access log"},
    {"enable-ocsp",
     "a data plane asks nothing of certificate authorities, and public ones are ending OCSP; "
     "certificates with a short life do what stapling did"},
    {"enable-owasp-modsecurity-crs", kNoFirewall},
    {"enable-syslog", kNoSyslog},
    {"error-log-level", "what a program logs is said by its flag --log-level"},
    {"error-log-path", "what is not in the access log goes to standard error"},
    {"forwarded-for-proxy-protocol-header",
     "the address of a PROXY header is used as it is, without a field to carry it"},
    {"forwarded-host-header", "X-Forwarded-Host is the field that is looked at and kept"},
    {"geoip2-autoreload-in-minutes", kNoGeoIp},
    {"global-auth-snippet", kNoTemplate},
    {"grpc-buffer-size-kb", "heads of responses may have 64 KiB, whatever the protocol"},
    {"gzip-disable", "whether a client gets gzip is said by its Accept-Encoding alone"},
    {"http-access-log-path", kLogPath},
    {"http-snippet", kNoTemplate},
    {"location-snippet", kNoTemplate},
    {"main-snippet", kNoTemplate},
    {"max-worker-connections", "how many clients a data plane takes is said by --max-connections"},
    {"modsecurity-snippet", kNoFirewall},
    {"nginx-status-ipv4-whitelist", kNoStatusPage},
    {"nginx-status-ipv6-whitelist", kNoStatusPage},
    {"proxy-ssl-location-only", "proxy-ssl-* of an Ingress hold for its own paths in any case"},
    {"server-snippet", kNoTemplate},
    {"ssl-early-data", "a request in early data could be replayed, so none is taken"},
    {"stream-access-log-path", kLogPath},
    {"stream-snippet", kNoTemplate},
    {"syslog-host", kNoSyslog},
    {"syslog-port", kNoSyslog},
    {"use-geoip", kNoGeoIp},
    {"use-geoip2", kNoGeoIp},
    {"worker-processes", "how many workers a data plane has is said by its flag --workers"},
    {"worker-shutdown-timeout",
     "how long requests may take when a data plane stops is said by its flag --drain-timeout; a "
     "change of the configuration ends no connection"},
};

}  // namespace

std::span<const IneffectiveOption> IneffectiveOptions() { return kOptions; }

void ReportIneffective(OptionReader& reader) {
  for (const IneffectiveOption& option : kOptions) {
    const auto text = reader.Text(option.name);
    if (text && ParseBool(*text) != false) reader.NoEffect(option.name, option.why);
  }
}

}  // namespace headgate::translate
