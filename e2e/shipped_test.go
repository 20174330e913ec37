package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"headgate.dev/headgate/e2e/harness"
)

// shippedArguments are the arguments of the container in a Deployment of deploy/headgate.yaml.
func shippedArguments(t *testing.T, deployment string) []string {
	t.Helper()
	content, err := os.ReadFile("../deploy/headgate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return argumentsIn(t, content, deployment)
}

// argumentsIn are those in a Deployment of other manifests.
func argumentsIn(t *testing.T, manifests []byte, deployment string) []string {
	t.Helper()
	reader := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifests)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			t.Fatalf("there is no Deployment %s", deployment)
		}
		var object appsv1.Deployment
		if err == nil {
			err = yaml.Unmarshal(document, &object)
		}
		if err != nil {
			t.Fatal(err)
		}
		if object.Kind == "Deployment" && object.Name == deployment {
			return object.Spec.Template.Spec.Containers[0].Args
		}
	}
}

// TestTheShippedArgumentsWork runs both programs as their pods would be run, with mTLS between them. What
// a pod has from its cluster (files, DNS, the API server's address) is put in by hand.
func TestTheShippedArgumentsWork(t *testing.T) {
	cluster := harness.SharedCluster(t)
	directory := t.TempDir()
	for name, data := range secretsIn(t, repository(t, "deploy/certificates")) {
		side := strings.TrimSuffix(strings.TrimPrefix(name, "headgate-"), "-tls")
		if err := os.Mkdir(filepath.Join(directory, side), 0o700); err != nil {
			t.Fatal(err)
		}
		for file, content := range data {
			if err := os.WriteFile(filepath.Join(directory, side, file), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	access := harness.ReadShippedAccess(t)
	if err := access.Apply(context.Background(), cluster); err != nil {
		t.Fatal(err)
	}
	token, err := access.Token(context.Background(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := harness.Kubeconfig{Server: cluster.URL, Namespace: access.Namespace, CAFile: cluster.Config.CAFile, Token: token}
	if err := kubeconfig.Write(filepath.Join(directory, "kubeconfig")); err != nil {
		t.Fatal(err)
	}

	start := func(side string, extra []string, replacements ...string) *harness.Process {
		replacer := strings.NewReplacer(append(replacements,
			"/etc/headgate/tls", filepath.Join(directory, side),
			"/var/lib/headgate", filepath.Join(directory, "state"))...)
		var arguments []string
		for _, argument := range shippedArguments(t, "headgate-"+side) {
			arguments = append(arguments, replacer.Replace(argument))
		}
		process, err := harness.StartProcess(directory, "headgate-"+side,
			filepath.Join(harness.Programs(t), "headgate-"+side), append(arguments, extra...)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := process.Failure(); err != nil {
				t.Errorf("%v\n%s", err, process.Tail(20))
			}
			if process.Running() {
				process.Kill()
			}
		})
		return process
	}
	// Both pods use the same ports; here they share an address.
	start("controller", []string{"--kubeconfig=" + filepath.Join(directory, "kubeconfig")}, ":10254", ":10255", ":8443", ":8444")
	dataplane := start("dataplane", []string{"--controller-server-name=headgate-controller.headgate.svc"},
		"=headgate-controller.headgate.svc:", "=127.0.0.1:")

	harness.WaitFor(t, 30*time.Second, "the data plane's /readyz", func() error {
		if err := dataplane.Failure(); err != nil {
			t.Fatal(err)
		}
		response, err := http.Get("http://127.0.0.1:10254/readyz")
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	})
}
