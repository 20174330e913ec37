package e2e

import (
	"testing"

	"headgate.dev/headgate/e2e/harness"
)

// The annotation that came before IngressClass.
const legacyClass = "kubernetes.io/ingress.class"

func TestOnlyIngressesOfOurClassAreServed(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	address := harness.Address(1)
	space.Create(space.Service("web"), space.Slice("web", address))
	foreign, late, unclassed := space.Name+"-foreign", space.Name+"-late", space.Host("unclassed")
	space.CreateClass(foreign, "example.com/another-controller", false)
	defer space.DeleteClass(foreign)

	ours := space.Ingress("ours", space.Host("ours"), "/", "web")
	theirs := space.Ingress("theirs", space.Host("theirs"), "/", "web")
	theirs.Spec.IngressClassName = &foreign
	early := space.Ingress("early", space.Host("early"), "/", "web")
	early.Spec.IngressClassName = &late
	none := space.Ingress("none", unclassed, "/", "web")
	none.Spec.IngressClassName = nil
	space.Create(theirs, early, none, ours)
	headgate.Await(space.Host("ours"), "/", 200, address)
	headgate.Await(space.Host("theirs"), "/", 404)
	headgate.Await(space.Host("early"), "/", 404)
	headgate.Await(unclassed, "/", 404)

	// A class may come after the Ingresses that name it, and go again.
	space.CreateClass(late, harness.ControllerClass, false)
	headgate.Await(space.Host("early"), "/", 200, address)
	space.DeleteClass(late)
	headgate.Await(space.Host("early"), "/", 404)

	// An Ingress may change hands.
	ours.Spec.IngressClassName = &foreign
	space.Update(ours)
	headgate.Await(space.Host("ours"), "/", 404)
	theirs.Spec.IngressClassName = &space.Class
	space.Update(theirs)
	headgate.Await(space.Host("theirs"), "/", 200, address)
	headgate.Await(space.Host("ours"), "/", 404)
}

func TestTheDefaultClassAdoptsNewIngresses(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	space.Create(space.Service("web"), space.Slice("web", harness.Address(1)))
	name := space.Name + "-default"
	space.CreateClass(name, harness.ControllerClass, true)
	defer space.DeleteClass(name)
	// The API server learns of the class a moment later; until then it gives new Ingresses none.
	ingress := space.Ingress("www", space.Host("www"), "/", "web")
	ingress.Spec.IngressClassName = nil
	harness.WaitFor(t, answerSoon, "the API server to fill in the default class", func() error {
		return space.CreateWithClass(ingress, name)
	})
	headgate.Await(space.Host("www"), "/", 200, harness.Address(1))
}

func TestTheLegacyAnnotationNamesTheClass(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster,
		harness.Options{ControllerArgs: []string{"--ingress-class=" + space.Class}})
	space.Create(space.Service("web"), space.Slice("web", harness.Address(1)))
	for name, class := range map[string]string{"ours": space.Class, "theirs": "another"} {
		ingress := space.Ingress(name, space.Host(name), "/", "web")
		ingress.Spec.IngressClassName = nil
		ingress.Annotations = map[string]string{legacyClass: class}
		space.Create(ingress)
	}
	headgate.Await(space.Host("ours"), "/", 200, harness.Address(1))
	headgate.Await(space.Host("theirs"), "/", 404)
}

func TestIngressesWithoutClassAreServedWhenAsked(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster,
		harness.Options{ControllerArgs: []string{"--watch-ingress-without-class"}})
	ingress := space.Ingress("www", space.Host("www"), "/", "web")
	ingress.Spec.IngressClassName = nil
	space.Create(space.Service("web"), space.Slice("web", harness.Address(1)), ingress)
	headgate.Await(space.Host("www"), "/", 200, harness.Address(1))
}

func TestAControllerOfAnotherClassServesItsOwn(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster,
		harness.Options{ControllerArgs: []string{"--controller-class=example.com/internal"}})
	internal := space.Name + "-internal"
	space.CreateClass(internal, "example.com/internal", false)
	defer space.DeleteClass(internal)
	theirs := space.Ingress("theirs", space.Host("theirs"), "/", "web") // the usual controller's
	ours := space.Ingress("ours", space.Host("ours"), "/", "web")
	ours.Spec.IngressClassName = &internal
	space.Create(space.Service("web"), space.Slice("web", harness.Address(1)), theirs, ours)
	headgate.Await(space.Host("ours"), "/", 200, harness.Address(1))
	headgate.Await(space.Host("theirs"), "/", 404)
}

func TestOneNamespaceIsWatchedWhenAsked(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space, other := cluster.NewSpace(t), cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster,
		harness.Options{ControllerArgs: []string{"--watch-namespace=" + space.Name}})
	for _, space := range []*harness.Space{other, space} {
		space.Create(space.Service("web"), space.Slice("web", harness.Address(1)),
			space.Ingress("www", space.Host("www"), "/", "web"))
	}
	headgate.Await(space.Host("www"), "/", 200, harness.Address(1))
	headgate.Await(other.Host("www"), "/", 404)
}
