package e2e

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"headgate.dev/headgate/e2e/harness"
)

// balancer is a Service of type LoadBalancer whose addresses the test gives.
type balancer struct {
	t       testing.TB
	cluster *harness.Cluster
	space   *harness.Space
}

func newBalancer(t testing.TB, cluster *harness.Cluster, space *harness.Space) *balancer {
	t.Helper()
	service := space.Service("front")
	service.Spec.ClusterIP = ""
	service.Spec.Type = corev1.ServiceTypeLoadBalancer
	space.Create(service)
	return &balancer{t, cluster, space}
}

func (b *balancer) flag() string { return "--publish-service=" + b.space.Name + "/front" }

// give writes the status as a cloud's controller would.
func (b *balancer) give(addresses ...corev1.LoadBalancerIngress) {
	b.t.Helper()
	services := b.cluster.Client.CoreV1().Services(b.space.Name)
	service, err := services.Get(context.Background(), "front", metav1.GetOptions{})
	if err == nil {
		service.Status.LoadBalancer.Ingress = addresses
		_, err = services.UpdateStatus(context.Background(), service, metav1.UpdateOptions{})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func ip(address string) corev1.LoadBalancerIngress { return corev1.LoadBalancerIngress{IP: address} }

func addressesOf(t testing.TB, cluster *harness.Cluster, space *harness.Space, name string) []string {
	t.Helper()
	ingress, err := cluster.Client.NetworkingV1().Ingresses(space.Name).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	addresses := []string{}
	for _, entry := range ingress.Status.LoadBalancer.Ingress {
		addresses = append(addresses, entry.IP+entry.Hostname)
	}
	return addresses
}

func awaitAddresses(t testing.TB, cluster *harness.Cluster, space *harness.Space, name string, limit time.Duration, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	harness.WaitFor(t, limit, fmt.Sprintf("the status of %s to be %v", name, want), func() error {
		if got := addressesOf(t, cluster, space, name); !reflect.DeepEqual(got, want) {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
}

func TestIngressesSayWhereTheyAreServed(t *testing.T) {
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	front := newBalancer(t, cluster, space)
	front.give(ip("192.0.2.1"), corev1.LoadBalancerIngress{Hostname: "lb.example.com"})
	foreign := space.Name + "-foreign"
	space.CreateClass(foreign, "example.com/another-controller", false)
	defer space.DeleteClass(foreign)
	theirs := space.Ingress("theirs", space.Host("theirs"), "/", "web")
	theirs.Spec.IngressClassName = &foreign
	ours := space.Ingress("ours", space.Host("ours"), "/", "web")
	space.Create(space.Service("web"), theirs, ours)

	first := candidate(t, cluster, front.flag(), "--status-update-interval=5")
	awaitAddresses(t, cluster, space, "ours", answerSoon, "192.0.2.1", "lb.example.com")

	// What comes later is written at once; so are other addresses.
	space.Create(space.Ingress("later", space.Host("later"), "/", "web"))
	awaitAddresses(t, cluster, space, "later", answerSoon, "192.0.2.1", "lb.example.com")
	front.give(ip("192.0.2.2"))
	awaitAddresses(t, cluster, space, "ours", answerSoon, "192.0.2.2")
	awaitAddresses(t, cluster, space, "later", answerSoon, "192.0.2.2")

	// What another program writes is put right with the next interval.
	ingresses := cluster.Client.NetworkingV1().Ingresses(space.Name)
	disturbed, err := ingresses.Get(context.Background(), "ours", metav1.GetOptions{})
	if err == nil {
		disturbed.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{IP: "198.51.100.1"}}
		_, err = ingresses.UpdateStatus(context.Background(), disturbed, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	awaitAddresses(t, cluster, space, "ours", answerSoon, "192.0.2.2")

	// A new leader goes on where the old one ended.
	second := candidate(t, cluster, front.flag())
	killed := time.Now()
	first.Controller.Kill()
	front.give(ip("192.0.2.3"))
	awaitAddresses(t, cluster, space, "ours", 20*time.Second, "192.0.2.3")
	t.Logf("the new leader had written %s after the old one's end", time.Since(killed))

	// The last one takes the addresses with it.
	if err := second.Controller.Terminate(answerSoon); err != nil {
		t.Error(err)
	}
	awaitAddresses(t, cluster, space, "ours", answerSoon)
	awaitAddresses(t, cluster, space, "later", answerSoon)
	if got := addressesOf(t, cluster, space, "theirs"); len(got) != 0 {
		t.Errorf("an Ingress that is not ours got %v", got)
	}
	for _, request := range harness.ReadShippedAccess(t).Requests(t, cluster) {
		if request.Status == 403 {
			t.Errorf("refused: %s %s", request.Grant, request.URI)
		}
	}
}
