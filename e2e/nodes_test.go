package e2e

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"headgate.dev/headgate/e2e/harness"
)

// nodePod makes a pod with the labels that the chart gives data planes, on a node.
func nodePod(t *testing.T, cluster *harness.Cluster, namespace, node string) {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "dataplane-" + node, Labels: map[string]string{"app.kubernetes.io/name": "headgate",
			"app.kubernetes.io/instance": "headgate", "app.kubernetes.io/component": "dataplane"}},
		Spec: corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Name: "dataplane", Image: "headgate"}}},
	}
	if _, err := cluster.Client.CoreV1().Pods(namespace).Create(context.Background(), pod, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// markReady writes what the kubelet would.
func markReady(t *testing.T, cluster *harness.Cluster, namespace, node string) {
	t.Helper()
	pods := cluster.Client.CoreV1().Pods(namespace)
	if err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		pod, err := pods.Get(context.Background(), "dataplane-"+node, metav1.GetOptions{})
		if err == nil {
			pod.Status.Phase = corev1.PodRunning
			pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
			_, err = pods.UpdateStatus(context.Background(), pod, metav1.UpdateOptions{})
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// With the rights that the chart gives for it, and no others.
func TestIngressesSayTheAddressesOfTheDataPlanesNodes(t *testing.T) {
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	access := harness.AccessIn(t, repository(t, "scripts/helm", "template", "headgate", "../helm/headgate", "--namespace=headgate",
		"--kube-version=1.36.0", "--set=dataplane.service.enabled=false,controller.publishNodes.enabled=true",
		"--show-only=templates/controller-rbac.yaml"))
	ctx, create := context.Background(), metav1.CreateOptions{}
	if err := access.Apply(ctx, cluster); err != nil {
		t.Fatal(err)
	}
	for name, addresses := range map[string][]corev1.NodeAddress{
		"one": {{Type: corev1.NodeInternalIP, Address: "10.0.0.1"}, {Type: corev1.NodeExternalIP, Address: "192.0.2.1"}},
		"two": {{Type: corev1.NodeInternalIP, Address: "10.0.0.2"}},
	} {
		nodes := cluster.Client.CoreV1().Nodes()
		if _, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}, create); err != nil {
			t.Fatal(err)
		}
		// Controllers write it too.
		if err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
			node, err := nodes.Get(ctx, name, metav1.GetOptions{})
			if err == nil {
				node.Status.Addresses = addresses
				_, err = nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{})
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		nodePod(t, cluster, access.Namespace, name)
	}
	markReady(t, cluster, access.Namespace, "one")
	space.Create(space.Service("web"), space.Ingress("ours", space.Host("ours"), "/", "web"))

	controller := candidate(t, cluster,
		"--publish-nodes-of=app.kubernetes.io/name=headgate,app.kubernetes.io/instance=headgate,app.kubernetes.io/component=dataplane")
	awaitAddresses(t, cluster, space, "ours", answerSoon, "192.0.2.1")
	markReady(t, cluster, access.Namespace, "two")
	awaitAddresses(t, cluster, space, "ours", 30*time.Second, "10.0.0.2", "192.0.2.1")

	if err := controller.Controller.Terminate(answerSoon); err != nil {
		t.Error(err)
	}
	awaitAddresses(t, cluster, space, "ours", answerSoon)
	access.AssertExact(t, cluster, func(grant harness.Grant) bool {
		return grant.Resource == "pods" || grant.Resource == "nodes"
	})
}
