package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"headgate.dev/headgate/e2e/harness"
)

const renewalAlert = "HeadgateSnapshotCertificateExpires"

// mounts does for the Secrets of both programs what a kubelet does: their content becomes files, some time after it was
// written, and not at the same time for both.
type mounts struct {
	mutex sync.Mutex
	held  map[string]map[string][]byte // by side
}

var mountedSecrets = map[string]string{"controller": "headgate-controller-tls", "dataplane": "headgate-dataplane-tls"}

func mountSecrets(t *testing.T, cluster *harness.Cluster, namespace, directory string, late map[string]time.Duration) *mounts {
	t.Helper()
	m := &mounts{held: map[string]map[string][]byte{}}
	ctx, stop := context.WithCancel(context.Background())
	var kubelets, first sync.WaitGroup
	for side, name := range mountedSecrets {
		first.Add(1)
		started := sync.OnceFunc(first.Done)
		kubelets.Go(func() {
			defer started()
			for ctx.Err() == nil {
				secret, err := cluster.Client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
				if err != nil {
					if ctx.Err() == nil {
						t.Error(err)
					}
					return
				}
				m.write(t, directory, side, secret.Data)
				started()
				select {
				case <-ctx.Done():
				case <-time.After(late[side]):
				}
			}
		})
	}
	t.Cleanup(func() { stop(); kubelets.Wait() })
	first.Wait()
	return m
}

func (m *mounts) write(t *testing.T, directory, side string, data map[string][]byte) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for key, file := range map[string]string{"ca.crt": side + "-ca.crt", "tls.crt": side + ".crt", "tls.key": side + ".key"} {
		if bytes.Equal(m.held[side][key], data[key]) {
			continue
		}
		if err := os.WriteFile(filepath.Join(directory, file), data[key], 0o600); err != nil {
			t.Error(err)
		}
	}
	m.held[side] = data
}

// certificate is what a side shows.
func (m *mounts) certificate(side string) string {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return string(m.held[side]["tls.crt"])
}

// dial does what a data plane with the files of this moment does, and tells whether both ends take each other.
func (m *mounts) dial(address string) error {
	m.mutex.Lock()
	files := m.held["dataplane"]
	m.mutex.Unlock()
	pair, err := tls.X509KeyPair(files["tls.crt"], files["tls.key"])
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(files["ca.crt"])
	conn, err := tls.Dial("tcp", address, &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, NextProtos: []string{"h2"}})
	if err != nil {
		return err
	}
	defer conn.Close()
	// Whether our own certificate was taken shows in what comes next.
	if err := conn.SetDeadline(time.Now().Add(answerSoon)); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}

// snapshotFlags are those that the chart gives the controller so that it renews the certificates, for a controller that
// is called by its address and certificates that do not last.
func snapshotFlags(t *testing.T, manifests []byte, lifetime string) (flags []string) {
	t.Helper()
	for _, argument := range argumentsIn(t, manifests, "headgate-controller") {
		switch name, _, _ := strings.Cut(argument, "="); name {
		case "--snapshot-secret", "--snapshot-client-secret":
			flags = append(flags, argument)
		case "--snapshot-names":
			flags = append(flags, argument+",127.0.0.1")
		case "--snapshot-certificate-lifetime":
			flags = append(flags, name+"="+lifetime)
		}
	}
	if len(flags) != 4 {
		t.Fatalf("the chart gives %q", flags)
	}
	return flags
}

func TestControllersRenewTheCertificatesOfBothProgramsUnseen(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	probe := newProbe(space)
	manifests := repository(t, "scripts/helm", "template", "headgate", "../helm/headgate", "--namespace=headgate",
		"--kube-version=1.36.0", "--set=controller.admissionWebhooks.enabled=false")
	access := harness.AccessIn(t, manifests)
	headgate := harness.NewHeadgate(t, cluster, harness.Options{MutualTLS: true, Access: access,
		ControllerArgs: snapshotFlags(t, manifests, "96s")})

	// As the chart makes them, with one authority. The controller's lacks names that it is to have; the data plane's soon
	// ends.
	authority, err := harness.NewAuthority("headgate-snapshots")
	if err != nil {
		t.Fatal(err)
	}
	for side, identity := range map[string]harness.Identity{
		"controller": {CommonName: "controller", Hosts: []string{"127.0.0.1"}},
		"dataplane":  {CommonName: "dataplane", Lifetime: 55 * time.Second},
	} {
		pair, err := authority.Issue(identity)
		if err != nil {
			t.Fatal(err)
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: mountedSecrets[side]}, Type: corev1.SecretTypeOpaque,
			Data: map[string][]byte{"ca.crt": authority.PEM, "tls.crt": pair.Certificate, "tls.key": pair.Key}}
		if _, err := cluster.Client.CoreV1().Secrets(access.Namespace).
			Create(context.Background(), secret, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	files := mountSecrets(t, cluster, access.Namespace, headgate.TLSDirectory(),
		map[string]time.Duration{"controller": 500 * time.Millisecond, "dataplane": 2 * time.Second})
	first := map[string]string{}
	for side := range mountedSecrets {
		first[side] = files.certificate(side)
	}

	headgate.StartController()
	headgate.StartDataPlane()
	headgate.AwaitReady(startSoon)
	const cutOff = "no connection to the controller"
	unheard := headgate.DataPlane.LogContains(cutOff) // it may have been up first
	dials := 0
	harness.WaitFor(t, 2*time.Minute, "both sides to show other certificates", func() error {
		if err := files.dial(headgate.Snapshot()); err != nil { // at any time
			t.Fatalf("after %d others a data plane that starts now is not served: %v", dials, err)
		}
		dials++
		for side, before := range first {
			if files.certificate(side) == before {
				return fmt.Errorf("the %s shows the first", side)
			}
		}
		return nil
	})
	if dials < 20 {
		t.Errorf("it was tried %d times only", dials)
	}
	probe.change()
	probe.await(headgate, answerSoon)
	if headgate.DataPlane.LogContains(cutOff) > unheard {
		t.Error("the data plane that ran was cut off")
	}

	// Both start anew with what the Secrets hold now.
	headgate.DataPlane.Kill()
	headgate.StartDataPlane()
	probe.change()
	probe.await(headgate, startSoon)
	headgate.Controller.Kill()
	headgate.StartController()
	probe.change()
	probe.await(headgate, startSoon)

	// All of them end too soon for Prometheus.
	prometheus := harness.StartPrometheus(t, headgate, alertsFile)
	harness.WaitFor(t, time.Minute, "the alert "+renewalAlert, func() error {
		raised, err := raisedBy(prometheus)
		if err == nil && !slices.Contains(raised, renewalAlert) {
			err = fmt.Errorf("%v are raised", raised)
		}
		return err
	})
	access.AssertExact(t, cluster, func(grant harness.Grant) bool {
		return grant.Resource == "secrets" && grant.Name != ""
	})
}
