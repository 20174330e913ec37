package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"headgate.dev/headgate/e2e/harness"
)

// The roles in deploy/ grant what the controller asks for: all of it, and nothing without which it would get the same.
// The API server's audit log is the witness.
func TestTheShippedRolesFitTheControllerExactly(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	front := newBalancer(t, cluster, space)
	front.give(ip("192.0.2.1"))
	webhook := fmt.Sprintf("127.0.0.1:%d", harness.Port())
	admissionOf(t, cluster, space, webhook)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{ThroughProxy: true,
		ControllerArgs: append(admissionFlags(t, webhook, "2160h"), front.flag())})
	harness.WaitFor(t, startSoon, "the webhook to be trusted", func() error {
		return space.TryCreate(space.Ingress("asked", space.Host("asked"), "/", "web"))
	})
	host := space.Host("www")
	ingress := secured(space.Ingress("www", host, "/", "web"), "tls")
	files := space.Ingress("files", space.Host("files"), "/", "")
	files.Spec.Rules[0].HTTP.Paths[0].Backend = harness.Serves("files")
	space.Create(space.ConfigMap("files", map[string]string{"index.html": "<p>hello"}), files)
	space.Create(space.Service("web"), space.Slice("web", harness.Address(1)),
		space.Secret("tls", certificate(t, 1001, host)), ingress)
	headgate.Await(host, "/", 200, harness.Address(1))
	headgate.AwaitSerial(host, 1001)
	headgate.Await(space.Host("files"), "/", 200)
	space.Update(space.ConfigMap("files", map[string]string{"index.html": "<p>hello", "next.html": "<p>seen"}))
	headgate.Await(space.Host("files"), "/next.html", 200)
	awaitHealthEvent(t, cluster, space)
	awaitAddresses(t, cluster, space, "www", answerSoon, "192.0.2.1")
	awaitRepeatedEvent(t, cluster, headgate, space)
	// A watch is audited when it ends.
	headgate.API.Cut()
	space.Update(space.Slice("web", harness.Address(2)))
	headgate.Await(host, "/", 200, harness.Address(2))
	if err := headgate.Controller.Terminate(answerSoon); err != nil { // it gives away the lead
		t.Error(err)
	}

	access := harness.ReadShippedAccess(t)
	for _, grant := range access.Grants() {
		if grant.Verb == "*" || grant.Resource == "*" || grant.Group == "*" {
			t.Errorf("%q is no exact grant", grant)
		}
	}
	access.AssertExact(t, cluster, func(harness.Grant) bool { return true })
	if headgate.Controller.LogContains("orbidden") > 0 {
		t.Errorf("the controller was refused something:\n%s", headgate.Controller.Tail(20))
	}
}

// awaitHealthEvent makes a Service whose endpoint answers probes with a status that is not expected, and waits for the
// Event that says so.
func awaitHealthEvent(t *testing.T, cluster *harness.Cluster, space *harness.Space) {
	t.Helper()
	sick := space.Service("sick")
	sick.Annotations = map[string]string{
		"headgate.dev/health-check":                   "http",
		"headgate.dev/health-check-expected-statuses": "418",
		"headgate.dev/health-check-interval":          "1s",
		"headgate.dev/health-check-fall":              "1",
	}
	space.Create(sick, space.Slice("sick", harness.Address(3)), space.Ingress("sick", space.Host("sick"), "/", "sick"))
	harness.WaitFor(t, startSoon, "an Event about the Service", func() error {
		events, err := cluster.Client.CoreV1().Events(space.Name).List(context.Background(),
			metav1.ListOptions{FieldSelector: "involvedObject.kind=Service,involvedObject.name=sick"})
		if err != nil {
			return err
		}
		for _, event := range events.Items {
			if strings.Contains(event.Message, "unhealthy") || strings.Contains(event.Reason, "nhealthy") {
				return nil
			}
		}
		return errors.New("there is none")
	})
}

// awaitRepeatedEvent makes the same thing happen to an Ingress twice, and waits for the one Event that counts it.
func awaitRepeatedEvent(t *testing.T, cluster *harness.Cluster, headgate *harness.Headgate, space *harness.Space) {
	t.Helper()
	odd := space.Ingress("odd", space.Host("odd"), "/", "web")
	space.Create(odd)
	for count := int32(1); count <= 2; count++ {
		odd.Annotations = map[string]string{"nginx.ingress.kubernetes.io/no-such-thing": "x"}
		space.Update(odd)
		harness.WaitFor(t, startSoon, "the Event to be counted", func() error {
			if event := awaitEvent(t, cluster, space, "odd", "UnknownAnnotation", ""); event.Count < count {
				return fmt.Errorf("it was seen %d times", event.Count)
			}
			return nil
		})
		odd.Annotations = nil
		space.Update(odd)
		harness.WaitFor(t, answerSoon, "the diagnostic to go", func() error {
			if left := harness.Metric(headgate.ControllerMetrics(), "headgate_diagnostics", `reason="UnknownAnnotation"`); left != 0 {
				return fmt.Errorf("there are %g", left)
			}
			return nil
		})
	}
}
