// Why a request is answered as it is: which Ingress, rule and annotations decide, and what was
// passed over. Pure.
//
// Where a setting comes from is found by taking things away: the whole is translated again without
// each annotation of the Ingresses and the Service that have a say, and without each option of the
// ConfigMap. What then changes came from there, whatever the rules by which it came.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "controller/cli/data_plane.h"
#include "controller/cli/inputs.h"
#include "controller/cli/route_choice.h"
#include "controller/translate/options.h"

namespace headgate::cli {

struct ExplainedSetting {
  std::string name;   // a field of proto/headgate/v1/snapshot.proto: "read_timeout",
                      // "host.app_root", "upstream.protocol"
  std::string value;  // on one line
  std::vector<std::string>
      origins;  // what it would not be the same without; empty: the rule itself, or the default
};

struct ExplainedEndpoint {
  std::string address;  // "192.0.2.1:8080"
  std::string target;   // pod; may be empty
  bool draining = false;
  std::string unhealthy;  // what a data plane's probe says; empty: nothing, or nobody was asked
};

struct ExplainedCandidate {
  std::string match;
  std::string ingress;  // "ns/name"
  std::string why;
};

struct Explanation {
  std::string request;
  std::string answer;   // what becomes of it, in a sentence
  std::string host;     // pattern of the virtual host; empty: none fits
  std::string match;    // of the route; empty: none fits
  std::string ingress;  // "ns/name" of the Ingress that the route comes from
  std::string field;    // "spec.rules[0].http.paths[1]"; empty where no rule names the path
  std::string service;  // "ns/name", empty where no Service is asked
  std::string port;
  std::string canary;  // which share goes elsewhere; empty: none
  std::vector<ExplainedEndpoint> endpoints;
  std::vector<ExplainedSetting> settings;  // by name
  bool traced = false;                     // origins of settings have been looked for
  std::vector<std::string> decisive;       // without which another route would have the request
  std::vector<ExplainedCandidate> passed_over;
  std::vector<std::string> findings;  // of the Ingress and of others for its host
  std::string data_plane;  // whether a data plane has the same route; empty: none was asked
};

// `inputs.state` is changed and restored on the way.
Explanation Explain(Inputs& inputs, const translate::Options& options, const Request& request,
                    absl::Time now);

// From what a data plane says it serves: no origins of settings, and no findings.
Explanation ExplainDataPlane(const DataPlaneView& view, const Request& request);

// Adds what a data plane knows better: which endpoints are unhealthy, and whether it serves the
// same at all.
void AddDataPlane(const DataPlaneView& view, const Request& request, Explanation& explanation);

std::string RenderExplanation(const Explanation& explanation);
// One object with the names above; stable, for programs.
std::string RenderExplanationJson(const Explanation& explanation);

}  // namespace headgate::cli
