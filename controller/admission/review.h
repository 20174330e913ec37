// admission.k8s.io/v1 AdmissionReview: the question of an API server, and our answer.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "controller/admission/judge.h"
#include "controller/kube/objects.h"

namespace headgate::admission {

struct Answer {
  int status = 200;  // of HTTP
  std::string body;  // JSON when the status is 200, else a line of text
};

// What would become of the Ingress.
using Judgement = std::function<Verdict(kube::Ingress candidate)>;

// Anybody may send anything: what is no review of an Ingress in this version is 400. Deletions are
// allowed unasked.
Answer Review(std::string_view body, const Judgement& judge);

}  // namespace headgate::admission
