package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"headgate.dev/headgate/e2e/harness"
)

// eventsOf lists what was told about an Ingress.
func eventsOf(t testing.TB, cluster *harness.Cluster, space *harness.Space, ingress string) []corev1.Event {
	t.Helper()
	events, err := cluster.Client.CoreV1().Events(space.Name).List(context.Background(),
		metav1.ListOptions{FieldSelector: "involvedObject.kind=Ingress,involvedObject.name=" + ingress})
	if err != nil {
		t.Fatal(err)
	}
	return events.Items
}

// awaitEvent waits for one with this reason and a part of its message.
func awaitEvent(t testing.TB, cluster *harness.Cluster, space *harness.Space, ingress, reason, part string) corev1.Event {
	t.Helper()
	var found corev1.Event
	harness.WaitFor(t, answerSoon, fmt.Sprintf("an Event %s about %s", reason, ingress), func() error {
		var others []string
		for _, event := range eventsOf(t, cluster, space, ingress) {
			if event.Reason == reason && strings.Contains(event.Message, part) {
				found = event
				return nil
			}
			others = append(others, event.Reason+": "+event.Message)
		}
		return fmt.Errorf("there are %q", others)
	})
	return found
}

func TestEventsSayWhatBecameOfAnIngress(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	space.Create(space.Service("web"), space.Slice("web", harness.Address(1)),
		space.Ingress("before", space.Host("before"), "/", "web"))
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	awaitLead(t, headgate, answerSoon)

	good := space.Ingress("good", space.Host("good"), "/", "web")
	space.Create(good)
	applied := awaitEvent(t, cluster, space, "good", "Applied", "connected to a controller (1), version ")
	created, err := cluster.Client.NetworkingV1().Ingresses(space.Name).Get(context.Background(), "good", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if applied.Type != corev1.EventTypeNormal || applied.InvolvedObject.UID != created.UID ||
		applied.InvolvedObject.APIVersion != "networking.k8s.io/v1" {
		t.Errorf("the Event is %+v", applied)
	}
	// It speaks of what is served, not of what is intended.
	if answer, err := headgate.Get(space.Host("good"), "/"); err != nil || answer.Status != 200 {
		t.Errorf("applied, and yet %d, %v", answer.Status, err)
	}

	bad := space.Ingress("bad", space.Host("bad"), "/", "web")
	bad.Annotations = map[string]string{"nginx.ingress.kubernetes.io/permanent-redirect": "no address"}
	unknown := space.Ingress("unknown", space.Host("unknown"), "/", "web")
	unknown.Annotations = map[string]string{"nginx.ingress.kubernetes.io/no-such-thing": "x"}
	space.Create(bad, unknown, secured(space.Ingress("secured", space.Host("secured"), "/", "web"), "missing"),
		space.Ingress("after", space.Host("before"), "/", "web")) // the younger, also within one second
	if event := awaitEvent(t, cluster, space, "bad", "Rejected", "permanent-redirect"); event.Type != corev1.EventTypeWarning {
		t.Errorf("a rejection is %s", event.Type)
	}
	awaitEvent(t, cluster, space, "unknown", "UnknownAnnotation", "no-such-thing")
	awaitEvent(t, cluster, space, "secured", "SecretMissing", "missing")
	conflict := awaitEvent(t, cluster, space, "after", "Conflict", "before")
	for _, event := range eventsOf(t, cluster, space, "bad") {
		if event.Reason == "Applied" {
			t.Error("what is rejected is applied")
		}
	}
	if events := eventsOf(t, cluster, space, "before"); len(events) != 0 {
		t.Errorf("an Ingress that was there before has Events: %q", events[0].Message)
	}

	// A controller that comes after goes on with the same Events. They have times in seconds.
	harness.WaitFor(t, answerSoon, "the next second", func() error {
		if time.Now().Unix() <= conflict.FirstTimestamp.Unix() {
			return errors.New("it is the same")
		}
		return nil
	})
	if err := headgate.Controller.Terminate(answerSoon); err != nil {
		t.Error(err)
	}
	headgate.StartController()
	harness.WaitFor(t, startSoon, "the Event to be told again", func() error {
		conflicts := 0
		again := false
		for _, event := range eventsOf(t, cluster, space, "after") {
			if event.Reason == "Conflict" {
				conflicts++
				again = event.LastTimestamp.After(event.FirstTimestamp.Time)
			}
		}
		if conflicts != 1 || !again {
			return fmt.Errorf("%d Events about the conflict, told again: %v", conflicts, again)
		}
		return nil
	})
}

// TestWhatDataPlanesSayIsToldWhicheverControllerTheyHave has a data plane at a controller that does not lead.
func TestWhatDataPlanesSayIsToldWhicheverControllerTheyHave(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	space.Create(space.Service("web"), space.Slice("web", harness.Address(1)))
	leader := candidate(t, cluster)
	awaitLead(t, leader, answerSoon)
	follower := harness.StartHeadgate(t, cluster, harness.Options{})
	space.Create(space.Ingress("good", space.Host("good"), "/", "web"))
	awaitEvent(t, cluster, space, "good", "Applied", "connected to a controller (1), version ")
	if leads(follower) || !leads(leader) {
		t.Error("the lead has changed hands")
	}
	awaitHealthEvent(t, cluster, space)
}
