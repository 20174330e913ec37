#include "dataplane/proxy/client_gate.h"

#include "dataplane/http/header_map.h"
#include "dataplane/proxy/local_reply.h"

namespace headgate::proxy {
namespace {

using Kind = GateDecision::Kind;
using Verdict = base::ClientIdentity::Verdict;
using tls::ClientAuthMode;

Kind JudgeCertificate(ClientAuthMode mode, Verdict verdict) {
  switch (verdict) {
    case Verdict::kNone:
      return mode == ClientAuthMode::kRequired ? Kind::kNoCertificate : Kind::kPass;
    case Verdict::kVerified: return Kind::kPass;
    case Verdict::kUnverified:
      return mode == ClientAuthMode::kOptionalNoCa ? Kind::kPass : Kind::kBadCertificate;
    case Verdict::kInvalid: break;
  }
  return Kind::kBadCertificate;
}

// The words are nginx's.
constexpr std::string_view kNoCertificatePage =
    "<html>\r\n<head><title>400 No required SSL certificate was sent</title></head>\r\n<body>\r\n"
    "<center><h1>400 Bad Request</h1></center>\r\n"
    "<center>No required SSL certificate was sent</center>\r\n</body>\r\n</html>\r\n";
constexpr std::string_view kBadCertificatePage =
    "<html>\r\n<head><title>400 The SSL certificate error</title></head>\r\n<body>\r\n"
    "<center><h1>400 Bad Request</h1></center>\r\n"
    "<center>The SSL certificate error</center>\r\n</body>\r\n</html>\r\n";
constexpr std::string_view kWrongSubjectPage = "client certificate unauthorized";

}  // namespace

GateDecision JudgeClient(bool has_rules, const tls::ClientAuth* rules,
                         const http::ConnectionInfo& connection) {
  if (has_rules && (rules == nullptr || rules->rules().mode == ClientAuthMode::kRefuse)) {
    return {Kind::kClosed, {}};
  }
  const bool asks = has_rules && rules->asks();
  const base::ClientIdentity* client = connection.client();
  const auto is_subject_wrong = [&] {
    if (!has_rules || rules->rules().match_subject == nullptr) return false;
    const std::string_view subject = client != nullptr ? client->subject_dn : std::string_view();
    return !rules->rules().match_subject->Finds(subject, /*when_in_doubt=*/false);
  };
  if (connection.tls) {
    const uint64_t expected = asks ? rules->fingerprint() : 0;
    if (expected != (client != nullptr ? client->rules : 0)) return {Kind::kMisdirected, {}};
    if (asks) {
      const Kind kind = JudgeCertificate(rules->rules().mode, client->verdict);
      const std::string& page = rules->rules().error_page;
      // A page of the host itself is asked for by the same client, to whom the rest of its rules
      // applies.
      if (kind != Kind::kPass && page.starts_with('/') && is_subject_wrong())
        return {Kind::kWrongSubject, {}};
      if (kind != Kind::kPass) return {kind, page};
    }
  }
  if (is_subject_wrong()) return {Kind::kWrongSubject, {}};
  return {};
}

uint16_t StatusOf(Kind kind) {
  switch (kind) {
    case Kind::kClosed:
    case Kind::kWrongSubject: return 403;
    case Kind::kMisdirected: return 421;
    case Kind::kNoCertificate:
    case Kind::kBadCertificate: return 400;
    case Kind::kPass: break;
  }
  return 200;
}

std::string_view PageOf(Kind kind) {
  switch (kind) {
    case Kind::kNoCertificate: return kNoCertificatePage;
    case Kind::kBadCertificate: return kBadCertificatePage;
    case Kind::kWrongSubject: return kWrongSubjectPage;
    default: return LocalPage(StatusOf(kind));
  }
}

bool IsOneOfClientFields(std::string_view name) {
  for (const std::string_view field :
       {kClientVerifyField, kClientSubjectField, kClientIssuerField, kClientCertificateField}) {
    if (http::LooksLike(name, field)) return true;
  }
  return false;
}

}  // namespace headgate::proxy
