#include "controller/kube/manifest_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/strings.h"
#include "tests/unit/kube/recording_sink.h"

namespace headgate::kube {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string Service(const std::string& name, int port, const std::string& ns = "") {
  return StrCat("apiVersion: v1\nkind: Service\nmetadata:\n  name: ", name,
                ns.empty() ? "" : "\n  namespace: " + ns, "\nspec:\n  ports:\n  - port: ", port,
                "\n");
}

class ManifestSetTest : public ::testing::Test {
 protected:
  // Loads or removes, and gives what a sink would have been told.
  std::vector<std::string> Load(const std::string& file, const std::string& content) {
    set.Load(file, content);
    return Take();
  }
  std::vector<std::string> Take() {
    sink.OnChanges(set.TakeChanges());
    return sink.TakeLog();
  }
  std::vector<std::string> Problems() const {
    std::vector<std::string> texts;
    for (const ManifestProblem& problem : set.Problems()) texts.push_back(problem.ToString());
    return texts;
  }

  ManifestSet set;
  RecordingSink sink;
};

TEST_F(ManifestSetTest, DocumentsOfAFileBecomeObjects) {
  EXPECT_THAT(Load("a.yaml", Service("one", 80) + "---\n" + Service("two", 81, "shop")),
              ElementsAre("+Service default/one", "+Service shop/two"));
  EXPECT_THAT(Load("a.yaml", Service("one", 80) + "---\n" + Service("two", 82, "shop")),
              ElementsAre("+Service shop/two"));
  EXPECT_THAT(Load("a.yaml", Service("one", 80)), ElementsAre("-Service shop/two"));
  set.Remove("a.yaml");
  EXPECT_THAT(Take(), ElementsAre("-Service default/one"));
}

TEST_F(ManifestSetTest, TheSameContentAgainIsNoChange) {
  Load("a.yaml", Service("one", 80));
  EXPECT_THAT(Load("a.yaml", Service("one", 80)), IsEmpty());
  EXPECT_THAT(Load("a.yaml", "# comment\n---\n" + Service("one", 80)), IsEmpty());
}

TEST_F(ManifestSetTest, SyntheticFieldsAreStableAndFollowTheContent) {
  Load("a.yaml", Service("one", 80));
  const auto first = sink.Get<kube::Service>("default", "one").meta;
  EXPECT_EQ(first.uid.size(), 36u);
  EXPECT_THAT(first.resource_version, StartsWith("m"));
  EXPECT_EQ(first.creation_time, 0);
  Load("a.yaml", Service("one", 81));
  const auto second = sink.Get<kube::Service>("default", "one").meta;
  EXPECT_EQ(first.uid, second.uid);
  EXPECT_NE(first.resource_version, second.resource_version);
  ManifestSet other;
  other.Load("elsewhere.yaml", Service("one", 81));
  const std::vector<Change> changes = other.TakeChanges();
  EXPECT_EQ(MetaOf(std::get<Object>(changes.at(0))), second);
}

TEST_F(ManifestSetTest, ListsAreOpened) {
  EXPECT_THAT(Load("a.json", R"({"kind": "List", "apiVersion": "v1", "items": [
      {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "a"}},
      {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "n"}}]})"),
              ElementsAre("+Service default/a", "+Namespace n"));
  EXPECT_THAT(Load("b.yaml",
                   "kind: IngressList\napiVersion: networking.k8s.io/v1\nitems:\n"
                   "- metadata: {name: i}\n"),
              ElementsAre("+Ingress default/i"));
}

TEST_F(ManifestSetTest, ForeignKindsArePassedOverAndOldVersionsNamed) {
  EXPECT_THAT(Load("a.yaml", "kind: Deployment\napiVersion: apps/v1\nmetadata: {name: x}\n"),
              IsEmpty());
  EXPECT_THAT(Problems(), IsEmpty());
  Load("b.yaml", "kind: Ingress\napiVersion: extensions/v1beta1\nmetadata: {name: x}\n");
  EXPECT_THAT(Problems(),
              ElementsAre("b.yaml: document 1: Ingress: apiVersion extensions/v1beta1 is "
                          "not supported, use networking.k8s.io/v1"));
}

TEST_F(ManifestSetTest, AFileThatDoesNotParseKeepsItsObjects) {
  Load("a.yaml", Service("one", 80) + "---\n" + Service("two", 80));
  EXPECT_THAT(Load("a.yaml", Service("one", 80) + "---\nkind: [Serv"), IsEmpty());
  EXPECT_THAT(Problems(), ElementsAre(StartsWith("a.yaml: document 2: line ")));
  EXPECT_EQ(sink.size(), 2u);
  // Still kept when it is broken in another way.
  EXPECT_THAT(Load("a.yaml", "kind: Service"), IsEmpty());
  EXPECT_THAT(Load("a.yaml", ""), IsEmpty());
  EXPECT_THAT(Load("a.yaml", "just text"), IsEmpty());
  EXPECT_EQ(sink.size(), 2u);
  EXPECT_THAT(Load("a.yaml", Service("two", 80)), ElementsAre("-Service default/one"));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(ManifestSetTest, AMalformedObjectHarmsOnlyItself) {
  const std::string good =
      Service("one", 80) + "---\n" + Service("two", 80) + "---\n" + Service("three", 80);
  Load("a.yaml", good);
  EXPECT_THAT(Load("a.yaml", Service("one", 81) + "---\n" + Service("two", 99999)),
              ElementsAre("!Service default/two", "+Service default/one"));
  EXPECT_EQ(sink.last_error(),
            "a.yaml: document 2: Service two: spec.ports[0].port: must be a whole "
            "number from 1 to 65535");
  EXPECT_EQ(sink.Get<kube::Service>("default", "two").ports[0].port, 80);
  EXPECT_TRUE(
      sink.Has(Kind::kService, "default", "three"));  // no deletion while the file is not in order
  // The same error is not told twice; healing to the last good form is told.
  EXPECT_THAT(Load("a.yaml", Service("one", 81) + "---\n" + Service("two", 99999)), IsEmpty());
  EXPECT_THAT(Load("a.yaml", Service("one", 81) + "---\n" + Service("two", 80)),
              ElementsAre("+Service default/two", "-Service default/three"));
}

TEST_F(ManifestSetTest, AnObjectThatWasNeverGoodIsForgottenWithItsFile) {
  EXPECT_THAT(Load("a.yaml", Service("two", 0)), ElementsAre("!Service default/two"));
  set.Remove("a.yaml");
  EXPECT_THAT(Take(), ElementsAre("-Service default/two"));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(ManifestSetTest, TheFirstFileByNameWinsADuplicate) {
  EXPECT_THAT(Load("b.yaml", Service("one", 80)), ElementsAre("+Service default/one"));
  EXPECT_THAT(Load("a.yaml", Service("one", 81)), ElementsAre("+Service default/one"));
  EXPECT_EQ(sink.Get<kube::Service>("default", "one").ports[0].port, 81);
  EXPECT_THAT(Problems(),
              ElementsAre("b.yaml: document 1: Service default/one is already in a.yaml, "
                          "which counts"));
  set.Remove("a.yaml");
  EXPECT_THAT(Take(), ElementsAre("+Service default/one"));
  EXPECT_EQ(sink.Get<kube::Service>("default", "one").ports[0].port, 80);
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(ManifestSetTest, AnObjectThatMovesBetweenFilesIsNotDeleted) {
  Load("a.yaml", Service("one", 80) + "---\n" + Service("two", 80));
  set.Load("a.yaml", Service("one", 80));
  set.Load("b.yaml", Service("two", 80));
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(ManifestSetTest, AnUnreadableFileKeepsItsObjects) {
  Load("a.yaml", Service("one", 80));
  set.LoadFailed("a.yaml", "cannot open a.yaml: Permission denied");
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_THAT(Problems(), ElementsAre("a.yaml: cannot open a.yaml: Permission denied"));
  Load("a.yaml", Service("one", 80));
  EXPECT_THAT(Problems(), IsEmpty());
}

TEST_F(ManifestSetTest, ProblemsNameListItems) {
  Load("a.yaml",
       "kind: List\napiVersion: v1\nitems:\n- 5\n- {kind: Service}\n"
       "- {kind: Service, apiVersion: v1}\n");
  EXPECT_THAT(
      Problems(),
      ElementsAre("a.yaml: document 1: items[0]: must be an object, not number",
                  "a.yaml: document 1: items[1]: apiVersion: is required",
                  "a.yaml: document 1: items[2]: Service without a name: metadata: is required"));
}

TEST_F(ManifestSetTest, TheBeginningOfAFileTakesNothingAway) {
  const std::string content = Service("one", 80) + "---\n" + Service("two", 80);
  Load("a.yaml", content);
  for (size_t length = 0; length <= content.find("one"); ++length) {
    EXPECT_THAT(Load("a.yaml", content.substr(0, length)), IsEmpty()) << length;
    EXPECT_EQ(Problems().size(), 1u) << length;
  }
}

}  // namespace
}  // namespace headgate::kube
