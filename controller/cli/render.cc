#include "controller/cli/render.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "common/strings.h"
#include "controller/kube/json.h"

namespace headgate::cli {
namespace {

using kube::Json;

constexpr std::array<std::string_view, kVerdictCount> kMeanings = {
    "works as it does now", "has a problem that it has today as well",
    "is served, with differences", "is refused"};

std::string Name(const ObjectReport& object) {
  return object.kind == kube::Kind::kIngress
             ? object.key.ToString()
             : StrCat(kube::KindName(object.kind), " ", object.key.ToString());
}

std::string Summary(const Report& report) {
  std::vector<std::string> parts;
  for (size_t i = 0; i < kVerdictCount; ++i) {
    if (report.counts[i] > 0) parts.push_back(StrCat(report.counts[i], " ", kMeanings[i]));
  }
  const size_t total = report.ingresses.size();
  if (total == 0) return "There is no Ingress in what was given.";
  return StrCat(total, total == 1 ? " Ingress: " : " Ingresses: ", absl::StrJoin(parts, "; "), ".");
}

// ---- terminal
// ----------------------------------------------------------------------------------------------------

constexpr std::string_view kGreen = "\x1b[32m", kYellow = "\x1b[33m", kRed = "\x1b[31m",
                           kCyan = "\x1b[36m";

std::string_view ColourOf(Verdict verdict) {
  constexpr std::array<std::string_view, kVerdictCount> kColours = {kGreen, kCyan, kYellow, kRed};
  return kColours[static_cast<size_t>(verdict)];
}

std::string Painted(Verdict verdict, std::string_view text, bool colour) {
  return colour ? StrCat(ColourOf(verdict), text, "\x1b[0m") : std::string(text);
}

std::string Padded(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string Hosts(const ObjectReport& object) {
  constexpr size_t kShown = 2;
  std::vector<std::string> shown(
      object.hosts.begin(),
      object.hosts.begin() + static_cast<ptrdiff_t>(std::min(kShown, object.hosts.size())));
  if (object.hosts.size() > kShown) shown.push_back(StrCat("+", object.hosts.size() - kShown));
  return absl::StrJoin(shown, " ");
}

void AppendFindings(const ObjectReport& object, bool colour, std::string& out) {
  for (const Finding& finding : object.findings) {
    const std::string_view word =
        finding.verdict == Verdict::kWorks ? "note" : VerdictName(finding.verdict);
    StrAppend(&out, "    ", Painted(finding.verdict, word, colour), "  ", finding.field, ": ",
              finding.message, "\n");
    if (!finding.advice.empty()) StrAppend(&out, "             → ", finding.advice, "\n");
  }
}

// ---- markup
// ------------------------------------------------------------------------------------------------------

std::string Html(std::string_view text) {
  return absl::StrReplaceAll(ToAbsl(text),
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

// Text in a cell of a table.
std::string Cell(std::string_view text) {
  return absl::StrReplaceAll(
      ToAbsl(text), {{"\\", "\\\\"}, {"|", "\\|"}, {"\n", " "}, {"<", "&lt;"}, {"`", "\\`"}});
}

Json ToJson(const ObjectReport& object) {
  Json out = {{"kind", kube::KindName(object.kind)},
              {"namespace", object.key.ns},
              {"name", object.key.name},
              {"verdict", VerdictName(object.verdict)}};
  if (object.kind == kube::Kind::kIngress) {
    out["class"] = object.class_name;
    out["hosts"] = object.hosts;
  }
  Json& findings = out["findings"] = Json::array();
  for (const Finding& finding : object.findings) {
    findings.push_back(
        {{"verdict", finding.verdict == Verdict::kWorks ? "note" : VerdictName(finding.verdict)},
         {"field", finding.field},
         {"reason", finding.reason},
         {"message", finding.message},
         {"advice", finding.advice}});
  }
  return out;
}

}  // namespace

std::string RenderTable(const Report& report, bool colour) {
  size_t name_width = 7, class_width = 5, host_width = 5;
  for (const ObjectReport& ingress : report.ingresses) {
    name_width = std::max(name_width, Name(ingress).size());
    class_width = std::max(class_width, ingress.class_name.size());
    host_width = std::max(host_width, Hosts(ingress).size());
  }
  std::string out;
  const auto row = [&](std::string name, std::string class_name, std::string hosts,
                       std::string verdict) {
    StrAppend(&out, Padded(std::move(name), name_width), "  ",
              Padded(std::move(class_name), class_width), "  ",
              Padded(std::move(hosts), host_width), "  ", verdict, "\n");
  };
  if (!report.ingresses.empty()) row("INGRESS", "CLASS", "HOSTS", "VERDICT");
  for (const ObjectReport& ingress : report.ingresses) {
    row(Name(ingress), ingress.class_name.empty() ? "-" : ingress.class_name, Hosts(ingress),
        Painted(ingress.verdict, VerdictName(ingress.verdict), colour));
    AppendFindings(ingress, colour, out);
  }
  for (const ObjectReport& object : report.others) {
    StrAppend(&out, "\n", Name(object), "\n");
    AppendFindings(object, colour, out);
  }
  if (!report.unreadable.empty()) StrAppend(&out, "\nCould not be read\n");
  for (const std::string& problem : report.unreadable) {
    StrAppend(&out, "    ", Painted(Verdict::kRefused, "refused", colour), "  ", problem, "\n");
  }
  if (!out.empty()) out.push_back('\n');
  for (const std::string& note : report.notes) StrAppend(&out, "Note: ", note, ".\n");
  StrAppend(&out, Summary(report), "\n");
  return out;
}

std::string RenderJson(const Report& report) {
  Json out = {{"ingresses", Json::array()},
              {"others", Json::array()},
              {"unreadable", report.unreadable},
              {"notes", report.notes},
              {"worst", VerdictName(report.worst)}};
  for (const ObjectReport& ingress : report.ingresses) out["ingresses"].push_back(ToJson(ingress));
  for (const ObjectReport& object : report.others) out["others"].push_back(ToJson(object));
  for (size_t i = 0; i < kVerdictCount; ++i) {
    out["counts"][std::string(VerdictName(static_cast<Verdict>(i)))] = report.counts[i];
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string RenderMarkdown(const Report& report) {
  std::string out = StrCat("# Headgate check\n\n", Summary(report), "\n\n");
  for (const std::string& note : report.notes) StrAppend(&out, "> ", note, "\n\n");
  if (!report.ingresses.empty())
    StrAppend(&out, "| Ingress | class | hosts | verdict |\n| --- | --- | --- | --- |\n");
  for (const ObjectReport& ingress : report.ingresses) {
    StrAppend(&out, "| ", Cell(Name(ingress)), " | ", Cell(ingress.class_name), " | ",
              Cell(absl::StrJoin(ingress.hosts, " ")), " | ", VerdictName(ingress.verdict), " |\n");
  }
  const auto details = [&](const ObjectReport& object) {
    if (object.findings.empty()) return;
    StrAppend(&out, "\n## ", Name(object),
              "\n\n| | field | what | what to do |\n| --- | --- | --- | --- |\n");
    for (const Finding& finding : object.findings) {
      StrAppend(&out, "| ",
                finding.verdict == Verdict::kWorks ? "note" : VerdictName(finding.verdict), " | ",
                Cell(finding.field), " | ", Cell(finding.message), " | ", Cell(finding.advice),
                " |\n");
    }
  };
  for (const ObjectReport& ingress : report.ingresses) details(ingress);
  for (const ObjectReport& object : report.others) details(object);
  if (!report.unreadable.empty()) StrAppend(&out, "\n## Could not be read\n\n");
  for (const std::string& problem : report.unreadable) StrAppend(&out, "- ", Cell(problem), "\n");
  return out;
}

std::string RenderHtml(const Report& report) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Headgate "
      "check</title>\n<style>\n"
      "body{font:15px system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em}\n"
      "table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.3em "
      ".6em;"
      "text-align:left;vertical-align:top}\n"
      ".works{color:#17692c}.problem{color:#0b5c8a}.differs{color:#8a5a00}.refused{color:#b3261e}\n"
      "</style>\n<h1>Headgate check</h1>\n";
  StrAppend(&out, "<p>", Html(Summary(report)), "</p>\n");
  for (const std::string& note : report.notes) StrAppend(&out, "<p><i>", Html(note), "</i></p>\n");
  StrAppend(&out, "<table><tr><th>Object<th>Class<th>Hosts<th>Verdict<th>Findings</tr>\n");
  const auto row = [&](const ObjectReport& object) {
    const std::string_view verdict = VerdictName(object.verdict);
    StrAppend(&out, "<tr><td>", Html(Name(object)), "<td>", Html(object.class_name), "<td>",
              Html(absl::StrJoin(object.hosts, " ")), "<td class=\"", verdict, "\">", verdict,
              "<td>");
    for (const Finding& finding : object.findings) {
      StrAppend(&out, "<div><b class=\"", VerdictName(finding.verdict), "\">", Html(finding.field),
                "</b>: ", Html(finding.message), finding.advice.empty() ? "" : " → ",
                Html(finding.advice), "</div>");
    }
    StrAppend(&out, "</tr>\n");
  };
  for (const ObjectReport& ingress : report.ingresses) row(ingress);
  for (const ObjectReport& object : report.others) row(object);
  StrAppend(&out, "</table>\n");
  if (!report.unreadable.empty()) StrAppend(&out, "<h2>Could not be read</h2>\n<ul>\n");
  for (const std::string& problem : report.unreadable) StrAppend(&out, "<li>", Html(problem), "\n");
  if (!report.unreadable.empty()) StrAppend(&out, "</ul>\n");
  StrAppend(&out, "</html>\n");
  return out;
}

}  // namespace headgate::cli
