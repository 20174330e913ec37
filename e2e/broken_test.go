package e2e

import (
	"fmt"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"headgate.dev/headgate/e2e/harness"
)

// A broken object harms itself alone, keeps its last good form, and is named with its field in the
// controller's log and metrics.

func TestABrokenSecretKeepsItsLastGoodCertificate(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	probe, host := newProbe(space), space.Host("www")
	ingress := secured(space.Ingress("www", host, "/", "probe"), "site-tls")
	good := certificate(t, 1001, host)
	space.Create(space.Secret("site-tls", good), ingress)
	headgate.AwaitSerial(host, 1001)

	other := certificate(t, 1002, host)
	for what, broken := range map[string]harness.KeyPair{
		"garbage":             {Certificate: []byte("not a certificate"), Key: []byte("not a key")},
		"the key of another":  {Certificate: good.Certificate, Key: other.Key},
		"a cut certificate":   {Certificate: good.Certificate[:len(good.Certificate)/2], Key: good.Key},
		"nothing in the data": {},
	} {
		space.Update(space.Secret("site-tls", broken))
		// What comes after it is served, so it has been seen.
		probe.change()
		probe.await(headgate, answerSoon)
		if serial, err := headgate.Serial(host); err != nil || serial != 1001 {
			t.Errorf("after %s: certificate %d %v", what, serial, err)
		}
		headgate.Await(host, "/", 200, probe.address())
	}
	awaitReport(t, headgate, space.Name+"/site-tls", "data[tls.")

	space.Update(space.Secret("site-tls", other))
	headgate.AwaitSerial(host, 1002)
}

func TestABrokenIngressKeepsItsLastGoodForm(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	probe := newProbe(space)
	ingress := space.Ingress("www", space.Host("www"), "/", "probe")
	space.Create(ingress)
	headgate.Await(space.Host("www"), "/", 200)

	const annotation = "nginx.ingress.kubernetes.io/permanent-redirect"
	ingress.Annotations = map[string]string{annotation: "no URL at all"}
	ingress.Spec.Rules[0].Host = space.Host("moved")
	space.Update(ingress)
	probe.change()
	probe.await(headgate, answerSoon)
	headgate.Await(space.Host("www"), "/", 200, probe.address())
	headgate.Await(space.Host("moved"), "/", 404)
	awaitReport(t, headgate, space.Name+"/www", annotation)

	// One that never had a good form is not there; its neighbours are.
	never := space.Ingress("never", space.Host("never"), "/", "probe")
	never.Annotations = ingress.Annotations
	space.Create(never, space.Ingress("neighbour", space.Host("neighbour"), "/", "probe"))
	headgate.Await(space.Host("neighbour"), "/", 200, probe.address())
	headgate.Await(space.Host("never"), "/", 404)

	ingress.Annotations = nil
	space.Update(ingress)
	headgate.Await(space.Host("moved"), "/", 200, probe.address())
	headgate.Await(space.Host("www"), "/", 404)
}

func TestABrokenSettingFallsBackToItsDefault(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	probe := newProbe(space)
	const annotation = "nginx.ingress.kubernetes.io/proxy-read-timeout"
	ingress := space.Ingress("www", space.Host("www"), "/", "probe")
	ingress.Annotations = map[string]string{annotation: "a while"}
	space.Create(ingress)
	headgate.Await(space.Host("www"), "/", 200, probe.address())
	awaitReport(t, headgate, space.Name+"/www", annotation)
}

// awaitReport waits until a line of the controller's log and a series of its metrics name object and
// field (the beginning of it).
func awaitReport(t *testing.T, headgate *harness.Headgate, object, field string) {
	t.Helper()
	harness.WaitFor(t, answerSoon, "a log line about "+object, func() error {
		if headgate.Controller.LogContains(object, field) == 0 {
			return fmt.Errorf("none names %s and %s; the last lines:\n%s", object, field, headgate.Controller.Tail(5))
		}
		return nil
	})
	harness.WaitFor(t, answerSoon, "a metric about diagnostics", func() error {
		metrics := headgate.ControllerMetrics()
		if harness.Metric(metrics, "headgate_diagnostics") == 0 {
			return fmt.Errorf("none counted in:\n%s", metrics)
		}
		space, name, _ := strings.Cut(object, "/")
		if harness.Metric(metrics, "headgate_object_diagnostics", fmt.Sprintf("namespace=%q", space),
			fmt.Sprintf("name=%q", name), `field="`+field) == 0 {
			return fmt.Errorf("none names %s and %s in:\n%s", object, field, metrics)
		}
		return nil
	})
}

// secured adds TLS for the Ingress's host and keeps plain HTTP answering, which would by default be
// sent to HTTPS.
func secured(ingress *networkingv1.Ingress, secret string) *networkingv1.Ingress {
	ingress.Spec.TLS = []networkingv1.IngressTLS{{
		Hosts: []string{ingress.Spec.Rules[0].Host}, SecretName: secret}}
	ingress.Annotations = map[string]string{"nginx.ingress.kubernetes.io/ssl-redirect": "false"}
	return ingress
}
