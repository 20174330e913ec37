package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"headgate.dev/headgate/e2e/harness"
)

// plugin runs kubectl-headgate, as kubectl does, and returns what it prints and its exit code.
func plugin(t testing.TB, arguments ...string) (string, int) {
	t.Helper()
	output, err := exec.Command(filepath.Join(harness.Programs(t), "kubectl-headgate"), arguments...).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(output), exit.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(output), 0
}

// pluginRows is the same for a command that prints a table.
func pluginRows(t testing.TB, arguments ...string) (rows []map[string]any) {
	t.Helper()
	output, code := plugin(t, append(arguments, "--output=json")...)
	if code != 0 {
		t.Fatalf("%v: exit code %d: %s", arguments, code, output)
	}
	if err := json.Unmarshal([]byte(output), &rows); err != nil {
		t.Fatalf("%v: %v in %s", arguments, err, output)
	}
	return rows
}

func TestThePluginWaitsForAnIngressAndShowsWhatIsServed(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	site, err := harness.NewAuthority("site")
	if err != nil {
		t.Fatal(err)
	}
	host := space.Host("shop")
	pair, err := site.Issue(harness.Identity{CommonName: host, Hosts: []string{host}})
	if err != nil {
		t.Fatal(err)
	}
	address := harness.Address(1)
	ingress := space.Ingress("shop", host, "/cart", "web")
	ingress.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: "shop-tls"}}
	space.Create(space.Service("web"), space.Slice("web", address), space.Secret("shop-tls", pair), ingress)

	wait := []string{"wait", "ingress/shop", "-n", space.Name, "--kubeconfig=" + cluster.AdminKubeconfig(),
		"--controller=" + headgate.ControllerAdmin(), "--timeout=30s"}
	// Not once later: what is waited for is in effect when the command ends.
	if output, code := plugin(t, wait...); code != 0 || !strings.Contains(output, "every data plane (1)") {
		t.Fatalf("exit code %d: %s", code, output)
	}
	once := func(status int) {
		t.Helper()
		if answer, err := headgate.Get(host, "/cart"); err != nil || answer.Status != status {
			t.Errorf("%d %v, not %d", answer.Status, err, status)
		}
	}
	once(308)
	// A data plane that does not answer is waited for.
	if err := syscall.Kill(headgate.DataPlane.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ingress.Annotations = map[string]string{"nginx.ingress.kubernetes.io/ssl-redirect": "false"}
	space.Update(ingress)
	if output, code := plugin(t, append(wait, "--timeout=5s")...); code != 1 || !strings.Contains(output, "1 of 1 data planes") {
		t.Errorf("exit code %d: %s", code, output)
	}
	if err := syscall.Kill(headgate.DataPlane.PID(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if output, code := plugin(t, wait...); code != 0 {
		t.Fatalf("exit code %d: %s", code, output)
	}
	once(200)

	admin := "--admin=" + headgate.DataPlaneAdmin()
	routes := pluginRows(t, "routes", admin, "--host="+host)
	if len(routes) != 2 || routes[1]["ingress"] != space.Name+"/shop" || routes[1]["rule"] != "/cart" { // beside 404 for the rest
		t.Errorf("routes: %v", routes)
	}
	backends := pluginRows(t, "backends", admin, "-n", space.Name)
	if len(backends) != 1 || backends[0]["endpoint"] != fmt.Sprintf("%s:%d", address, harness.BackendPort) || backends[0]["state"] != "ready" {
		t.Errorf("backends: %v", backends)
	}
	certificates := pluginRows(t, "certs", admin, "--host="+host)
	if len(certificates) != 1 || certificates[0]["secret"] != space.Name+"/shop-tls" {
		t.Errorf("certs: %v", certificates)
	}

	// Nobody serves it: the time is up. And what there is not cannot be waited for.
	elsewhere := space.Ingress("elsewhere", space.Host("elsewhere"), "/", "web")
	class := "another-class"
	elsewhere.Spec.IngressClassName = &class
	space.Create(elsewhere)
	wait[1], wait[len(wait)-1] = "ingress/elsewhere", "--timeout=100ms"
	if output, code := plugin(t, wait...); code != 1 || !strings.Contains(output, "no Ingress") {
		t.Errorf("exit code %d: %s", code, output)
	}
	wait[1] = "ingress/gone"
	if output, code := plugin(t, wait...); code != 2 || !strings.HasPrefix(output, "kubectl headgate wait: there is no Ingress") {
		t.Errorf("exit code %d: %s", code, output)
	}
}
