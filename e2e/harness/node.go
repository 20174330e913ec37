package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// NodeAddress is that of the node. Pods have addresses outside BackendNetwork, which is local here.
const (
	NodeAddress = "172.30.0.2"
	nodeName    = "node"
	podNetwork  = "10.64.0.0/16"
)

// nodeVariable names the directory with the programs of a node: what scripts/node-binaries prints.
const nodeVariable = "HEADGATE_NODE_BIN"

// WorkloadImage is made of e2e/cluster/workload. containerd makes the sandboxes of pods from it: without arguments the
// program waits for its end.
const WorkloadImage = "localhost/headgate-e2e/workload:e2e"

// containerdSocket and other paths are the defaults; the folders are our own (see arrangeFolders).
const containerdSocket = "/run/containerd/containerd.sock"

// Node is a Kubernetes node in the namespaces of the harness: scheduler, kubelet, containerd with runc and the bridge
// plugin of CNI, kube-proxy, and CoreDNS. Its pods are real. At most one in a run.
type Node struct {
	cluster   *Cluster
	programs  string
	directory string
	cgroup    string
	processes []*Process
}

// MainOnNode is Main for tests that need a node. Where there is none they skip themselves, in StartNode.
func MainOnNode(m *testing.M) {
	if os.Getenv(nodeVariable) == "" {
		os.Exit(m.Run())
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "e2e: a node needs root: it mounts, and makes cgroups")
		os.Exit(1)
	}
	Main(m)
}

// StartNode starts a control plane and a node, and waits until the node is ready. images are archives as `docker save`
// makes them; one of them holds WorkloadImage.
func StartNode(t testing.TB, images ...string) (*Cluster, *Node) {
	t.Helper()
	if os.Getenv(nodeVariable) == "" {
		t.Skip("needs a Kubernetes node: make e2e-cluster")
	}
	// Not the test's own folder, which is removed while containers may still have mounts in it.
	directory := os.Getenv(insideVariable)
	cluster := ownCluster(t, &Cluster{directory: directory, nodes: true})
	node := &Node{cluster: cluster, programs: os.Getenv(nodeVariable),
		directory: filepath.Join(directory, "node"), cgroup: filepath.Base(directory)}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(node.Diagnose())
		}
		node.stop()
	})
	for _, step := range []func() error{
		node.arrangeFolders, node.arrangeSysctls, node.arrangeNetwork, node.arrangeCgroups, node.writeFiles,
		node.startContainerd, func() error { return node.load(images) }, node.startKubernetes, node.awaitReady,
	} {
		if err := step(); err != nil {
			t.Fatalf("starting a node: %v", err)
		}
	}
	return cluster, node
}

// Healthy reports a program of the cluster that ended by itself.
func (n *Node) Healthy() error {
	for _, process := range n.processes {
		if err := process.Failure(); err != nil {
			return err
		}
	}
	return n.cluster.Healthy()
}

// Logs is what the containers of a pod wrote; the kubelet keeps that for as long as there is the pod.
func (n *Node) Logs(namespace, pod string) string {
	var logs strings.Builder
	files, _ := filepath.Glob(filepath.Join("/var/log/pods", namespace+"_"+pod+"_*", "*", "*.log"))
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			content = []byte(err.Error())
		}
		fmt.Fprintf(&logs, "%s:\n%s", file, content)
	}
	return logs.String()
}

// Diagnose is the end of each program's log.
func (n *Node) Diagnose() string {
	var ends strings.Builder
	for _, process := range n.processes {
		fmt.Fprintf(&ends, "---- %s:\n%s\n", process.Name, process.Tail(15))
	}
	return ends.String()
}

// stop ends the programs; containers end with the PID namespace.
func (n *Node) stop() {
	for _, process := range n.processes {
		if process.Running() {
			process.Kill()
		}
	}
}

func (n *Node) path(name string) string { return filepath.Join(n.directory, name) }

func (n *Node) start(name string, arguments ...string) error {
	process, err := StartProcess(n.directory, name, filepath.Join(n.programs, name), arguments...)
	if err == nil {
		n.processes = append(n.processes, process)
	}
	return err
}

// writeFiles gives each program its configuration and its identity.
func (n *Node) writeFiles() error {
	identities := map[string]Identity{
		"kubelet":        {CommonName: "system:node:" + nodeName, Organizations: []string{"system:nodes"}},
		"kube-proxy":     {CommonName: "system:kube-proxy"},
		"kube-scheduler": {CommonName: "system:kube-scheduler"},
	}
	for name, identity := range identities {
		pair, err := n.cluster.Authority.Issue(identity)
		if err != nil {
			return err
		}
		if err := pair.Write(n.path(name)); err != nil {
			return err
		}
		kubeconfig := Kubeconfig{Server: n.cluster.URL, CAFile: n.cluster.path("ca.crt"),
			CertFile: n.path(name + ".crt"), KeyFile: n.path(name + ".key")}
		if err := kubeconfig.Write(n.path(name + ".kubeconfig")); err != nil {
			return err
		}
	}
	for name, content := range map[string]string{
		"containerd.toml": n.containerdConfig(), "kubelet.yaml": n.kubeletConfig(), "Corefile": n.dnsConfig(),
		"cni/pods.conflist": n.networkConfig(), "resolv.conf": "nameserver " + NodeAddress + "\n",
	} {
		if err := os.MkdirAll(filepath.Dir(n.path(name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(n.path(name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) startContainerd() error {
	// It looks for its shim beside itself, and for runc on the path.
	if err := n.start("containerd", "--config="+n.path("containerd.toml")); err != nil {
		return err
	}
	return Until(context.Background(), startLimit, 50*time.Millisecond, func() error {
		if err := n.Healthy(); err != nil {
			return err
		}
		return n.run("ctr", "version")
	})
}

// load makes images known to the kubelet, which asks no registry for them.
func (n *Node) load(archives []string) error {
	for _, archive := range archives {
		if err := n.run("ctr", "--namespace=k8s.io", "images", "import", "--local", archive); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) startKubernetes() error {
	kubeconfig := func(name string) string { return "--kubeconfig=" + n.path(name+".kubeconfig") }
	return errors.Join(
		n.start("coredns", "-conf="+n.path("Corefile")),
		n.start("kube-scheduler", kubeconfig("kube-scheduler"), "--leader-elect=false", "--bind-address=127.0.0.1",
			fmt.Sprintf("--secure-port=%d", Port())),
		n.start("kubelet", kubeconfig("kubelet"), "--config="+n.path("kubelet.yaml"), "--hostname-override="+nodeName,
			"--node-ip="+NodeAddress),
		n.start("kube-proxy", kubeconfig("kube-proxy"), "--hostname-override="+nodeName, "--proxy-mode=iptables",
			"--cluster-cidr="+podNetwork, "--metrics-bind-address="+loopback(), "--healthz-bind-address="+loopback(),
			// The kernel's table of connections is the machine's: left as it is.
			"--conntrack-max-per-core=0", "--conntrack-min=0", "--conntrack-tcp-timeout-established=0",
			"--conntrack-tcp-timeout-close-wait=0"))
}

func (n *Node) awaitReady() error {
	ctx := context.Background()
	return Until(ctx, startLimit, 100*time.Millisecond, func() error {
		if err := n.Healthy(); err != nil {
			return err
		}
		node, err := n.cluster.Client.CoreV1().Nodes().Get(ctx, nodeName, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("the node is not ready: %+v", node.Status.Conditions)
	})
}
