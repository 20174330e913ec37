package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"headgate.dev/headgate/e2e/harness"
)

// startLimit bounds what waits for pods to start: a busy machine takes its time for each.
const startLimit = 4 * time.Minute

// await fails the test unless check returns nil in good time. It asks seldom: API server and traffic share the machine.
func await(t testing.TB, what string, check func() error) {
	t.Helper()
	if err := harness.Until(context.Background(), startLimit, 200*time.Millisecond, check); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}

// release is an installation of the chart.
type release struct {
	t         testing.TB
	cluster   *harness.Cluster
	node      *harness.Node
	name      string
	namespace string
	values    []string // what every command sets
}

// helm runs a command about the release.
func (r *release) helm(command string, arguments ...string) string {
	r.t.Helper()
	arguments = append([]string{command, r.name, "--kubeconfig=" + r.cluster.AdminKubeconfig(),
		"--namespace=" + r.namespace}, arguments...)
	started := time.Now()
	output, err := exec.Command("../../scripts/helm", arguments...).CombinedOutput()
	if err != nil {
		r.t.Fatalf("helm %s: %v\n%s\n%s", command, err, output, r.describe())
	}
	r.t.Logf("helm %s took %s", command, time.Since(started).Round(100*time.Millisecond))
	return string(output)
}

// apply installs the chart or upgrades to these values, and waits until all of it is ready.
func (r *release) apply(command string, values ...string) {
	r.t.Helper()
	arguments := []string{"../../helm/headgate", "--wait", "--timeout=" + startLimit.String()}
	for _, value := range append(r.values, values...) {
		arguments = append(arguments, "--set="+value)
	}
	r.helm(command, arguments...)
}

// makeNamespace is the operator's part, as is its end.
func (r *release) makeNamespace() {
	r.t.Helper()
	ctx := context.Background()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.namespace}}
	if _, err := r.cluster.Client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		r.t.Fatal(err)
	}
	await(r.t, "what every namespace has", func() error {
		_, account := r.cluster.Client.CoreV1().ServiceAccounts(r.namespace).Get(ctx, "default", metav1.GetOptions{})
		_, roots := r.cluster.Client.CoreV1().ConfigMaps(r.namespace).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return errors.Join(account, roots)
	})
}

// fullname is what the chart calls its objects.
func (r *release) fullname() string { return r.name + "-headgate" }

// describe says what became of the release's pods.
func (r *release) describe() string {
	var text strings.Builder
	pods, err := r.cluster.Client.CoreV1().Pods(r.namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	for _, pod := range pods.Items {
		logs := r.node.Logs(r.namespace, pod.Name)
		fmt.Fprintf(&text, "---- pod %s: %s\n%+v\n%s\n", pod.Name, pod.Status.Phase, pod.Status.ContainerStatuses,
			logs[max(0, len(logs)-4000):])
	}
	events, err := r.cluster.Client.CoreV1().Events(r.namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		return err.Error()
	}
	for _, event := range events.Items {
		if event.Type != corev1.EventTypeNormal {
			fmt.Fprintf(&text, "%s %s: %s\n", event.InvolvedObject.Name, event.Reason, event.Message)
		}
	}
	return text.String()
}

// pods are the names of the release's pods, also of those that are about to end.
func (r *release) pods() (names []string) {
	r.t.Helper()
	pods, err := r.cluster.Client.CoreV1().Pods(r.namespace).List(context.Background(), metav1.ListOptions{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, pod := range pods.Items {
		names = append(names, pod.Name)
	}
	return names
}

// restart is `kubectl rollout restart` of both programs.
func (r *release) restart() {
	r.t.Helper()
	for _, component := range []string{"controller", "dataplane"} {
		patch := fmt.Sprintf(`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":%q}}}}}`,
			time.Now().Format(time.RFC3339))
		_, err := r.cluster.Client.AppsV1().Deployments(r.namespace).Patch(context.Background(),
			r.fullname()+"-"+component, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
		if err != nil {
			r.t.Fatal(err)
		}
	}
}

// awaitReplaced waits until both programs run in new pods alone, and none of the former is left.
func (r *release) awaitReplaced(former []string) {
	r.t.Helper()
	started := time.Now()
	await(r.t, "the former pods to go", func() error {
		if err := r.node.Healthy(); err != nil {
			r.t.Fatal(err)
		}
		for _, component := range []string{"controller", "dataplane"} {
			deployment, err := r.cluster.Client.AppsV1().Deployments(r.namespace).
				Get(context.Background(), r.fullname()+"-"+component, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if !complete(deployment) {
				return fmt.Errorf("%s: %+v", component, deployment.Status)
			}
		}
		for _, name := range r.pods() {
			for _, gone := range former {
				if name == gone {
					return fmt.Errorf("pod %s is still there", name)
				}
			}
		}
		return nil
	})
	r.t.Logf("%d pods replaced in %s", len(former), time.Since(started).Round(100*time.Millisecond))
}

func complete(deployment *appsv1.Deployment) bool {
	status, wanted := deployment.Status, *deployment.Spec.Replicas
	return status.ObservedGeneration == deployment.Generation && status.Replicas == wanted &&
		status.UpdatedReplicas == wanted && status.AvailableReplicas == wanted
}

// giveAddresses does what a cloud does: a Service of type LoadBalancer that has no address gets this one.
func giveAddresses(ctx context.Context, client kubernetes.Interface, address string) {
	for ctx.Err() == nil {
		services, err := client.CoreV1().Services("").List(ctx, metav1.ListOptions{})
		for i := 0; err == nil && i < len(services.Items); i++ {
			service := services.Items[i]
			if service.Spec.Type != corev1.ServiceTypeLoadBalancer || len(service.Status.LoadBalancer.Ingress) > 0 {
				continue
			}
			service.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{IP: address}}
			client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, &service, metav1.UpdateOptions{})
		}
		select {
		case <-ctx.Done():
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// images are the archives in the folder that scripts/e2e-cluster has filled.
func images(t testing.TB) []string {
	t.Helper()
	archives, err := filepath.Glob(filepath.Join(os.Getenv("HEADGATE_NODE_IMAGES"), "*.tar"))
	if err != nil {
		t.Fatal(err)
	}
	return archives
}
