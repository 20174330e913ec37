package e2e

import (
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"headgate.dev/headgate/e2e/harness"
)

type checkReport struct {
	Worst     string
	Ingresses []struct {
		Name     string
		Verdict  string
		Findings []struct{ Field, Reason string }
	}
}

// check runs headgate check against the cluster and returns its report and exit code.
func check(t testing.TB, cluster *harness.Cluster, arguments ...string) (report checkReport, code int) {
	t.Helper()
	arguments = append([]string{"check", "--kubeconfig=" + cluster.AdminKubeconfig(), "--output=json"}, arguments...)
	output, err := exec.Command(filepath.Join(harness.Programs(t), "headgate"), arguments...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(output, &report); err != nil {
		t.Fatalf("exit code %d: %v in %s", code, err, output)
	}
	return report, code
}

func TestCheckSaysWhatTheControllerWillDo(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	address := harness.Address(1)
	space.Create(space.Service("web"), space.Slice("web", address))
	works := space.Ingress("works", space.Host("works"), "/", "web")
	differs := space.Ingress("differs", space.Host("differs"), "/", "web")
	differs.Annotations = map[string]string{"nginx.ingress.kubernetes.io/no-such-thing": "1"}
	problem := space.Ingress("problem", space.Host("problem"), "/", "gone")
	refused := space.Ingress("refused", space.Host("refused"), "/", "web")
	refused.Annotations = map[string]string{"nginx.ingress.kubernetes.io/permanent-redirect": "no {url}"}
	space.Create(works, differs, problem, refused)

	report, code := check(t, cluster, "--namespace="+space.Name)
	if code != 1 || report.Worst != "refused" || len(report.Ingresses) != 4 {
		t.Fatalf("exit code %d, %+v", code, report)
	}
	for _, ingress := range report.Ingresses {
		if ingress.Verdict != ingress.Name {
			t.Errorf("%s: %+v", ingress.Name, ingress)
		}
	}

	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	headgate.Await(space.Host("works"), "/", 200, address)
	headgate.Await(space.Host("differs"), "/", 200, address)
	headgate.Await(space.Host("problem"), "/", 503)
	headgate.Await(space.Host("refused"), "/", 404)
}
