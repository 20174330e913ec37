package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"headgate.dev/headgate/e2e/harness"
)

// A directory of YAML as the source. What an API server would never let through comes from there.

// manifests is such a directory, with an IngressClass.
type manifests struct {
	t    testing.TB
	path string
}

func newManifests(t testing.TB) *manifests {
	t.Helper()
	m := &manifests{t, t.TempDir()}
	m.write("class.yaml", `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: headgate}
spec: {controller: headgate.dev/ingress-controller}
`)
	return m
}

// write puts a file there as a whole, as a careful tool does.
func (m *manifests) write(name, content string) {
	m.t.Helper()
	whole := filepath.Join(m.path, name)
	if err := os.WriteFile(whole+".tmp", []byte(content), 0o600); err != nil {
		m.t.Fatal(err)
	}
	if err := os.Rename(whole+".tmp", whole); err != nil {
		m.t.Fatal(err)
	}
}

// ingress is the text of an Ingress for NAME.test with all its paths to a Service of the same name.
func ingress(name string) string {
	return fmt.Sprintf(`
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: %[1]s, namespace: files}
spec:
  ingressClassName: headgate
  rules:
  - host: %[1]s.test
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: %[1]s, port: {number: %[2]d}}}}
`, name, harness.BackendPort)
}

// service is the text of a Service and its one endpoint.
func service(name, address string) string {
	return fmt.Sprintf(`
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: files}
spec: {ports: [{name: http, port: %[3]d}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s-1, namespace: files, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports: [{name: http, port: %[3]d}]
endpoints: [{addresses: [%[2]s], conditions: {ready: true}}]
`, name, address, harness.BackendPort)
}

// external is the text of a Service that is another name.
func external(name, target string) string {
	return fmt.Sprintf(`
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: files}
spec: {type: ExternalName, externalName: %[2]s, ports: [{port: %[3]d}]}
`, name, target, harness.BackendPort)
}

func TestABrokenFileKeepsTheObjectsItHad(t *testing.T) {
	harness.EchoAnywhere(t)
	files := newManifests(t)
	one, two, three := harness.Address(1), harness.Address(2), harness.Address(3)
	files.write("a.yaml", ingress("a")+service("a", one))
	files.write("b.yaml", ingress("b")+service("b", one))
	headgate := harness.StartHeadgate(t, nil, harness.Options{Manifests: files.path})
	headgate.Await("a.test", "/", 200, one)

	for what, broken := range map[string]string{
		"no YAML at all":          "{]: broken\n",
		"a cut document":          ingress("a")[:200] + "\n  : [",
		"another type of a field": ingress("a") + "---\napiVersion: v1\nkind: Service\nmetadata: [a, b]\n",
	} {
		files.write("a.yaml", broken)
		// What comes after it is served, so it has been seen.
		next := two
		if answer, err := headgate.Get("b.test", "/"); err == nil && answer.Backend == two {
			next = three
		}
		files.write("b.yaml", ingress("b")+service("b", next))
		headgate.Await("b.test", "/", 200, next)
		headgate.Await("a.test", "/", 200, one)
		if headgate.Controller.LogContains("a.yaml") == 0 {
			t.Errorf("after %s: the log does not name the file; its last lines:\n%s", what, headgate.Controller.Tail(5))
		}
	}

	files.write("a.yaml", ingress("a")+service("a", two))
	headgate.Await("a.test", "/", 200, two)
}

// A file may lead to this host's own names; a data plane follows only if it is told to. So it refuses what its
// controller accepts.
func TestARefusedResourceKeepsItsLastGoodForm(t *testing.T) {
	harness.EchoAnywhere(t)
	files := newManifests(t)
	files.write("a.yaml", ingress("a")+external("a", harness.Address(1)))
	files.write("b.yaml", ingress("b")+service("b", harness.Address(1)))
	headgate := harness.StartHeadgate(t, nil, harness.Options{Manifests: files.path})
	headgate.Await("a.test", "/", 200, harness.Address(1))
	headgate.Await("b.test", "/", 200, harness.Address(1))

	files.write("a.yaml", ingress("a")+external("a", "localhost"))
	harness.WaitFor(t, answerSoon, "the refusal in the controller's metrics", func() error {
		metrics := headgate.ControllerMetrics()
		if harness.Metric(metrics, "headgate_snapshot_refused", `namespace="files"`, `name="a"`) != 1 {
			return fmt.Errorf("none names the Service in:\n%s", metrics)
		}
		return nil
	})
	for _, process := range []*harness.Process{headgate.Controller, headgate.DataPlane} {
		if process.LogContains("refused", "cluster/files/a/") == 0 {
			t.Errorf("%s does not say so; its last lines:\n%s", process.Name, process.Tail(5))
		}
	}
	// The neighbour follows, and what was refused stays as it was.
	files.write("b.yaml", ingress("b")+service("b", harness.Address(2)))
	headgate.Await("b.test", "/", 200, harness.Address(2))
	headgate.Await("a.test", "/", 200, harness.Address(1))

	files.write("a.yaml", ingress("a")+service("a", harness.Address(3)))
	headgate.Await("a.test", "/", 200, harness.Address(3))
	if refused := harness.Metric(headgate.ControllerMetrics(), "headgate_snapshot_refused"); refused != 0 {
		t.Errorf("%v still count as refused", refused)
	}
}
