package harness

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// startLimit bounds the start of a program. Kubernetes' are 100 MB each; on a busy machine that has dropped
// them from its page cache, reading them alone was seen to take 20 s.
const startLimit = 4 * time.Minute

// advertisedAddress is what the API server calls itself; loopback would be refused.
const advertisedAddress = "10.128.0.1"

// Cluster IPs come from serviceNetwork; the API server gives itself the first.
const serviceNetwork, apiServiceAddress = "10.96.0.0/16", "10.96.0.1"

// Cluster is a Kubernetes control plane: etcd, kube-apiserver and kube-controller-manager.
// Unless StartNode adds one there are no nodes; what a kubelet or a scheduler would write, tests write.
type Cluster struct {
	Client    *kubernetes.Clientset // as system:masters, without a rate limit
	Config    *rest.Config
	Authority *Authority
	URL       string // of the API server itself
	AuditLog  string // requests of ServiceAccounts, one JSON object a line

	directory string
	assets    string
	nodes     bool // they exist, and reach the API server by its Service
	ports     struct{ etcd, peer, secure int }
	etcd      *Process
	apiServer *Process
	manager   *Process
}

// ports hands out port numbers. The network namespace is ours alone and its ephemeral ports start
// at 32768, so counting up is free of collisions, which asking the kernel for port 0 is not.
var nextPort = 20000

// Port is a TCP port that nothing else in this run uses.
func Port() int {
	nextPort++
	return nextPort
}

var shared struct {
	cluster *Cluster
	err     error
}

// SharedCluster is the control plane that tests use unless they need one of their own. It ends with
// the test program.
func SharedCluster(t testing.TB) *Cluster {
	t.Helper()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = startCluster(&Cluster{directory: os.Getenv(insideVariable)})
	}
	if shared.err != nil {
		t.Fatalf("starting the control plane: %v", shared.err)
	}
	if err := shared.cluster.Healthy(); err != nil {
		t.Fatalf("the control plane: %v", err)
	}
	return shared.cluster
}

// OwnCluster is a control plane for one test.
func OwnCluster(t testing.TB) *Cluster {
	t.Helper()
	return ownCluster(t, &Cluster{directory: t.TempDir()})
}

func ownCluster(t testing.TB, cluster *Cluster) *Cluster {
	t.Helper()
	cluster, err := startCluster(cluster)
	if err != nil {
		t.Fatalf("starting a control plane: %v", err)
	}
	t.Cleanup(cluster.Stop)
	return cluster
}

// startCluster starts a control plane that keeps its files in its directory, and waits until it works.
func startCluster(cluster *Cluster) (*Cluster, error) {
	cluster.assets = os.Getenv("KUBEBUILDER_ASSETS")
	cluster.AuditLog = cluster.path("audit.log")
	cluster.ports.etcd, cluster.ports.peer, cluster.ports.secure = Port(), Port(), Port()
	cluster.URL = fmt.Sprintf("https://127.0.0.1:%d", cluster.ports.secure)
	steps := []func() error{
		cluster.writeFiles, cluster.startEtcd, cluster.StartAPIServer, cluster.startManager,
		cluster.waitForDefaults,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			cluster.Stop()
			return nil, err
		}
	}
	return cluster, nil
}

// Stop ends the control plane.
func (c *Cluster) Stop() {
	for _, process := range []*Process{c.manager, c.apiServer, c.etcd} {
		if process != nil && process.Running() {
			process.Kill()
		}
	}
}

// Healthy reports a program of the control plane that ended by itself.
func (c *Cluster) Healthy() error {
	for _, process := range []*Process{c.manager, c.apiServer, c.etcd} {
		if err := process.Failure(); err != nil {
			return err
		}
	}
	return nil
}

// auditPolicy records who asked for what, so that a test can compare what the controller is allowed
// with what it does.
const auditPolicy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted]
rules:
  - level: None
    userGroups: ["system:serviceaccounts:kube-system"]
  - level: Metadata
    userGroups: ["system:serviceaccounts"]
  - level: None
`

// AdminKubeconfig is the file with which a user may do everything.
func (c *Cluster) AdminKubeconfig() string { return c.path("admin.kubeconfig") }

func (c *Cluster) path(name string) string { return filepath.Join(c.directory, name) }

func (c *Cluster) writeFiles() error {
	authority, err := NewAuthority("headgate-e2e")
	if err != nil {
		return err
	}
	c.Authority = authority
	if err := os.WriteFile(c.path("ca.crt"), authority.PEM, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(c.path("audit.yaml"), []byte(auditPolicy), 0o644); err != nil {
		return err
	}
	identities := map[string]Identity{
		"apiserver": {CommonName: "kube-apiserver", Hosts: []string{
			"127.0.0.1", "localhost", advertisedAddress, apiServiceAddress, "kubernetes.default.svc"}},
		"admin":           {CommonName: "admin", Organizations: []string{"system:masters"}},
		"manager":         {CommonName: "system:kube-controller-manager"},
		"serviceaccounts": {CommonName: "service-accounts"},
	}
	for name, identity := range identities {
		pair, err := authority.Issue(identity)
		if err != nil {
			return err
		}
		if err := pair.Write(c.path(name)); err != nil {
			return err
		}
	}
	c.Config = &rest.Config{
		Host:  c.URL,
		QPS:   -1, // no client-side limit
		Burst: -1,
		TLSClientConfig: rest.TLSClientConfig{
			CAFile: c.path("ca.crt"), CertFile: c.path("admin.crt"), KeyFile: c.path("admin.key"),
		},
	}
	for _, user := range []string{"admin", "manager"} {
		kubeconfig := Kubeconfig{Server: c.URL, CAFile: c.path("ca.crt"),
			CertFile: c.path(user + ".crt"), KeyFile: c.path(user + ".key")}
		if err := kubeconfig.Write(c.path(user + ".kubeconfig")); err != nil {
			return err
		}
	}
	c.Client, err = kubernetes.NewForConfig(c.Config)
	return err
}

func (c *Cluster) startEtcd() (err error) {
	client := fmt.Sprintf("http://127.0.0.1:%d", c.ports.etcd)
	peer := fmt.Sprintf("http://127.0.0.1:%d", c.ports.peer)
	c.etcd, err = StartProcess(c.directory, "etcd", filepath.Join(c.assets, "etcd"),
		"--name=e2e", "--data-dir="+c.path("etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peer, "--initial-advertise-peer-urls="+peer,
		"--initial-cluster=e2e="+peer)
	return err
}

// StartAPIServer starts kube-apiserver and waits until it is ready.
func (c *Cluster) StartAPIServer() (err error) {
	bind, authorization := "127.0.0.1", "RBAC"
	if c.nodes {
		bind, authorization = "0.0.0.0", "Node,RBAC"
	}
	c.apiServer, err = StartProcess(c.directory, "kube-apiserver", filepath.Join(c.assets, "kube-apiserver"),
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", c.ports.etcd),
		"--etcd-compaction-interval=0", // tests compact when they mean to
		"--bind-address="+bind, fmt.Sprintf("--secure-port=%d", c.ports.secure),
		"--advertise-address="+advertisedAddress,
		"--tls-cert-file="+c.path("apiserver.crt"), "--tls-private-key-file="+c.path("apiserver.key"),
		"--client-ca-file="+c.path("ca.crt"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.path("serviceaccounts.crt"),
		"--service-account-signing-key-file="+c.path("serviceaccounts.key"),
		"--service-cluster-ip-range="+serviceNetwork,
		"--authorization-mode="+authorization,
		"--audit-policy-file="+c.path("audit.yaml"), "--audit-log-path="+c.AuditLog,
		"--shutdown-delay-duration=0s")
	if err != nil {
		return err
	}
	return Until(context.Background(), startLimit, 50*time.Millisecond, func() error {
		if err := c.apiServer.Failure(); err != nil {
			return err
		}
		return c.Client.Discovery().RESTClient().Get().AbsPath("/readyz").
			Timeout(5 * time.Second).Do(context.Background()).Error()
	})
}

// KillAPIServer ends kube-apiserver at once, with all its connections; etcd keeps the data.
func (c *Cluster) KillAPIServer() { c.apiServer.Kill() }

func (c *Cluster) startManager() (err error) {
	controllers := "*"
	if !c.nodes {
		// Nodes here have no kubelet: nothing renews their leases.
		controllers += ",-node-lifecycle-controller,-pod-garbage-collector-controller"
	}
	c.manager, err = StartProcess(c.directory, "kube-controller-manager",
		filepath.Join(c.assets, "kube-controller-manager"),
		"--kubeconfig="+c.path("manager.kubeconfig"), "--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", Port()), "--leader-elect=false",
		"--root-ca-file="+c.path("ca.crt"),
		"--service-account-private-key-file="+c.path("serviceaccounts.key"),
		"--use-service-account-credentials=true", "--controllers="+controllers)
	return err
}

func (c *Cluster) waitForDefaults() error {
	ctx := context.Background()
	return Until(ctx, 60*time.Second, 50*time.Millisecond, func() error {
		if err := c.Healthy(); err != nil {
			return err
		}
		_, err := c.Client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// Compact makes etcd forget every revision but the newest, so that a watch from an older
// resourceVersion can only be answered with 410.
func (c *Cluster) Compact(t testing.TB) {
	t.Helper()
	var status struct {
		Header struct {
			Revision int64 `json:"revision,string"`
		} `json:"header"`
	}
	c.etcdCall(t, "maintenance/status", struct{}{}, &status)
	c.etcdCall(t, "kv/compaction",
		map[string]any{"revision": status.Header.Revision, "physical": true}, nil)
}

func (c *Cluster) etcdCall(t testing.TB, method string, request, reply any) {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/v3/%s", c.ports.etcd, method)
	response, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("etcd %s: %s %s %v", method, response.Status, content, err)
	}
	if reply != nil {
		if err := json.Unmarshal(content, reply); err != nil {
			t.Fatal(err)
		}
	}
}

// trust is a TLS client configuration that trusts the cluster's authority.
func trust(pool *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
