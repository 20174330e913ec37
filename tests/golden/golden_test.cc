// Golden cases of translation: cases/NAME.in.yaml, Kubernetes YAML as users write it, against
// cases/NAME.snapshot.txtpb and cases/NAME.diagnostics.txt. Run the program with --update to write
// the expected files anew, and read the difference before committing it.
//
// Each case starts with the objects of prelude.yaml. Comments in a case set options:
//   # option: default-backend-service=NS/NAME   default-ssl-certificate=NS/NAME   configmap=NS/NAME
//   watch-ingress-without-class # option: ingress-class=NAME   ingress-class-by-name allow-loopback
//   days=N (days after today)   no-prelude   annotations-prefix=NAME   disable-catch-all
//   secrets=NS/NAME or NS/ (Secrets that are read; several may be said)
// In Secrets, {{chain:NAMES}} and {{key:NAMES}} stand for a certificate made for these names (comma
// separated); in the expected files the same placeholders, since the bytes differ from run to run.
// Hashes are left out for the same reason.
//
// Each case is translated again with its objects in other orders, fully and one object at a time;
// the result must be the same.
#include <arpa/inet.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "common/strings.h"
#include "controller/kube/manifest_set.h"
#include "controller/translate/translate.h"
#include "controller/translate/translator.h"
#include "proto/headgate/v1/discovery.pb.h"
#include "tests/support/certificates.h"

namespace headgate::translate {
namespace {

namespace fs = std::filesystem;
using google::protobuf::TextFormat;

constexpr const char* kFolder = "tests/golden/cases";
bool update_expected = false;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

kube::ObjectKey ToKey(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '/');
  return {parts.at(0), parts.at(1)};
}

// The settings of a case, from its comments.
struct CaseSetup {
  Options options;
  state::ClusterState::Options state;
  absl::Time now = absl::Now();
  bool prelude = true;

  void Set(const std::string& name, const std::string& value) {
    if (name == "default-backend-service") {
      options.default_backend = ToKey(value);
    } else if (name == "default-ssl-certificate") {
      options.default_certificate = ToKey(value);
    } else if (name == "configmap") {
      options.config_map = ToKey(value);
    } else if (name == "tcp-services-configmap") {
      options.tcp_services = ToKey(value);
    } else if (name == "udp-services-configmap") {
      options.udp_services = ToKey(value);
    } else if (name == "enable-ssl-passthrough") {
      options.ssl_passthrough = true;
    } else if (name == "annotations-prefix") {
      options.annotation_prefix = value + "/";
    } else if (name == "disable-catch-all") {
      options.catch_all = false;
    } else if (name == "allow-loopback") {
      options.allow_loopback_endpoints = true;
    } else if (name == "secrets") {
      state.secrets.push_back(ToKey(value));
    } else if (name == "watch-ingress-without-class") {
      state.relevance.watch_without_class = true;
    } else if (name == "ingress-class") {
      state.relevance.ingress_class = value;
    } else if (name == "ingress-class-by-name") {
      state.relevance.ingress_class_by_name = true;
    } else if (name == "no-prelude") {
      prelude = false;
    } else if (name == "days") {
      now += absl::Hours(24 * std::stoi(value));
    } else {
      ADD_FAILURE() << "unknown option " << name;
    }
  }
};

std::vector<std::string> Lines(const std::string& text) { return absl::StrSplit(text, '\n'); }
std::vector<std::string> Words(const std::string& text) {
  return absl::StrSplit(text, ' ', absl::SkipEmpty());
}

CaseSetup ReadSetup(const std::string& text) {
  CaseSetup setup;
  setup.options.fallback_certificate = {"<fallback chain>", SecretBytes("<fallback key>")};
  for (const std::string& line : Lines(text)) {
    constexpr std::string_view kMark = "# option: ";
    if (!line.starts_with(kMark)) continue;
    for (const std::string& option : Words(line.substr(kMark.size()))) {
      const size_t equals = option.find('=');
      setup.Set(option.substr(0, equals),
                equals == std::string::npos ? "" : option.substr(equals + 1));
    }
  }
  return setup;
}

// Certificates of a run, by their comma-separated names.
class CertificateStock {
 public:
  std::string FillIn(std::string text) {
    for (const std::string_view part : {"chain", "key"}) {
      const std::string mark = StrCat("{{", part, ":");
      for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark)) {
        const size_t end = text.find("}}", at);
        const std::string names = text.substr(at + mark.size(), end - at - mark.size());
        const auto& pair = Get(names);
        text.replace(at, end + 2 - at, absl::Base64Escape(part == "chain" ? pair.chain : pair.key));
      }
    }
    return text;
  }

  // "{{chain:NAMES}}" for a text that came from here, else the text.
  std::string Placeholder(const std::string& text) const {
    for (const auto& [names, pair] : pairs_) {
      if (pair.chain == text) return StrCat("{{chain:", names, "}}");
      if (pair.key == text) return StrCat("{{key:", names, "}}");
    }
    return text;
  }

 private:
  const headgate::testing::PemPair& Get(const std::string& names) {
    auto it = pairs_.find(names);
    if (it == pairs_.end()) {
      const std::vector<std::string> list = absl::StrSplit(names, ',');
      it = pairs_.emplace(names, headgate::testing::MakeCertificate(list)).first;
    }
    return it->second;
  }
  std::map<std::string, headgate::testing::PemPair> pairs_;
};

// Addresses as people write them.
class AddressPrinter : public TextFormat::FastFieldValuePrinter {
 public:
  void PrintBytes(const std::string& value,
                  TextFormat::BaseTextGenerator* generator) const override {
    char text[INET6_ADDRSTRLEN] = "invalid";
    inet_ntop(value.size() == 4 ? AF_INET : AF_INET6, value.data(), text, sizeof(text));
    generator->PrintString(text);
  }
};

std::string PrintResources(const Translation& translation, const CertificateStock& stock) {
  v1::Delta delta;
  for (const auto& resource : translation.resources) {
    EXPECT_NE(resource->hash(), 0u);
    v1::Resource& copy = *delta.add_upserts();
    copy = *resource;
    copy.clear_hash();
    if (copy.has_certificate()) {
      v1::Certificate& certificate = *copy.mutable_certificate();
      certificate.set_chain_pem(stock.Placeholder(certificate.chain_pem()));
      certificate.set_key_pem(stock.Placeholder(certificate.key_pem()));
    }
    if (copy.has_secret_data()) {
      for (v1::SecretEntry& entry : *copy.mutable_secret_data()->mutable_data()) {
        entry.set_value(stock.Placeholder(entry.value()));
      }
    }
  }
  TextFormat::Printer printer;
  printer.RegisterFieldValuePrinter(v1::Endpoint::descriptor()->FindFieldByName("address"),
                                    new AddressPrinter);
  std::string text;
  printer.PrintToString(delta, &text);
  return text;
}

bool IsTimestamp(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  return text.size() == kForm.size() &&
         std::equal(text.begin(), text.end(), kForm.begin(), [](char c, char form) {
           return form == '0' ? c >= '0' && c <= '9' : c == form;
         });
}

std::string PrintDiagnostics(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const auto& diagnostic : diagnostics) {
    EXPECT_FALSE(diagnostic.field.empty());
    EXPECT_FALSE(diagnostic.object.name.empty());
    std::string line = diagnostic.ToString();
    for (size_t i = 0; i + 20 <= line.size(); ++i) {
      if (IsTimestamp(std::string_view(line).substr(i, 20))) line.replace(i, 20, "<time>");
    }
    text += line + "\n";
  }
  return text;
}

std::vector<kube::Change> ReadChanges(const std::string& name, const CaseSetup& setup,
                                      const std::string& text) {
  kube::ManifestSet manifests;
  if (setup.prelude) manifests.Load("a.yaml", ReadFile(fs::path(kFolder) / "prelude.yaml"));
  manifests.Load("b.yaml", text);
  std::vector<kube::Change> changes = manifests.TakeChanges();
  // A case may contain a malformed object on purpose; anything else that is wrong is a mistake in
  // the case.
  const bool malformed = std::any_of(changes.begin(), changes.end(), [](const auto& change) {
    return std::holds_alternative<kube::MalformedObject>(change);
  });
  for (const auto& problem : manifests.Problems()) {
    EXPECT_TRUE(malformed) << name << ": " << problem.ToString();
  }
  return changes;
}

std::vector<std::string> FindCases() {
  std::vector<std::string> names;
  constexpr std::string_view kSuffix = ".in.yaml";
  std::error_code error;  // no folder: no cases, and gtest complains about that
  for (const auto& entry : fs::directory_iterator(kFolder, error)) {
    std::string name = entry.path().filename().string();
    if (!name.ends_with(kSuffix)) continue;
    names.push_back(name.substr(0, name.size() - kSuffix.size()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

class GoldenTest : public ::testing::TestWithParam<std::string> {
 protected:
  void Compare(const std::string& suffix, const std::string& actual) {
    const fs::path path = fs::path(kFolder) / (GetParam() + suffix);
    if (update_expected) {
      std::ofstream(path) << actual;
    } else {
      EXPECT_EQ(ReadFile(path), actual) << path << " is not what translation gives";
    }
  }

  CertificateStock stock_;
};

TEST_P(GoldenTest, GivesTheExpectedSnapshotInWhateverOrderObjectsCome) {
  const std::string text = stock_.FillIn(ReadFile(fs::path(kFolder) / (GetParam() + ".in.yaml")));
  const CaseSetup setup = ReadSetup(text);
  std::vector<kube::Change> changes = ReadChanges(GetParam(), setup, text);

  kube::Replacement no_config_maps;  // beside those that come
  no_config_maps.kind = kube::Kind::kConfigMap;
  state::ClusterState first(setup.state);
  first.Apply(no_config_maps);
  for (const kube::Change& change : changes) first.Apply(change);
  const Translation expected = Translate(first, {}, setup.options, setup.now);
  const std::string resources = PrintResources(expected, stock_);
  const std::string diagnostics = PrintDiagnostics(expected.diagnostics);
  Compare(".snapshot.txtpb", resources);
  Compare(".diagnostics.txt", diagnostics);

  std::mt19937 random(1);
  for (int i = 0; i < 5; ++i) {
    std::shuffle(changes.begin(), changes.end(), random);
    state::ClusterState state(setup.state);
    state.Apply(no_config_maps);
    Translator translator(setup.options);
    std::map<std::string, ResourcePtr> held;
    for (const kube::Change& change : changes) {
      state.Apply(change);
      const auto update = translator.Update(state, state.TakeChanges(), setup.now);
      for (const auto& resource : update.upserted) held[resource->name()] = resource;
      for (const auto& name : update.removed) held.erase(name);
    }
    const Translation full = Translate(state, {}, setup.options, setup.now);
    EXPECT_EQ(PrintResources(full, stock_), resources);
    EXPECT_EQ(PrintDiagnostics(full.diagnostics), diagnostics);
    Translation incremental;
    for (const auto& [name, resource] : held) incremental.resources.push_back(resource);
    EXPECT_EQ(PrintResources(incremental, stock_), resources);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenTest, ::testing::ValuesIn(FindCases()),
                         [](const auto& test_case) {
                           return absl::StrReplaceAll(test_case.param, {{"-", "_"}});
                         });

}  // namespace
}  // namespace headgate::translate

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--update") headgate::translate::update_expected = true;
  }
  return RUN_ALL_TESTS();
}
