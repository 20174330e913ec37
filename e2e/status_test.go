package e2e

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
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

// controllerSlice says which pods of the controllers' Deployment there are, and which of them are being deleted.
func controllerSlice(t *testing.T, cluster *harness.Cluster, namespace string, terminating map[string]bool) {
	t.Helper()
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "controllers-1", Labels: map[string]string{discoveryv1.LabelServiceName: "controllers"}},
		AddressType: discoveryv1.AddressTypeIPv4,
	}
	for _, pod := range slices.Sorted(maps.Keys(terminating)) {
		going, ready := terminating[pod], !terminating[pod]
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses:  []string{harness.Address(len(slice.Endpoints) + 1)},
			Conditions: discoveryv1.EndpointConditions{Ready: &ready, Serving: &ready, Terminating: &going},
			TargetRef:  &corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: pod}})
	}
	endpoints := cluster.Client.DiscoveryV1().EndpointSlices(namespace)
	_, err := endpoints.Update(context.Background(), slice, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = endpoints.Create(context.Background(), slice, metav1.CreateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheLastControllerOfADeploymentTakesTheAddressesWithIt(t *testing.T) {
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	space.Create(space.Service("web"), space.Ingress("ours", space.Host("ours"), "/", "web"))
	access := harness.ReadShippedAccess(t)
	if err := access.Apply(context.Background(), cluster); err != nil {
		t.Fatal(err)
	}
	controllerSlice(t, cluster, access.Namespace, map[string]bool{"a": false, "b": false})
	controllers := map[string]*harness.Headgate{}
	for _, pod := range []string{"a", "b"} {
		t.Setenv("POD_NAME", pod)
		t.Setenv("POD_NAMESPACE", access.Namespace)
		controllers[pod] = candidate(t, cluster, "--publish-status-address=192.0.2.9")
		if pod == "a" {
			awaitLead(t, controllers[pod], answerSoon)
		}
	}
	awaitAddresses(t, cluster, space, "ours", answerSoon, "192.0.2.9")

	// A leader that is not the last leaves them.
	controllerSlice(t, cluster, access.Namespace, map[string]bool{"a": true, "b": false})
	if err := controllers["a"].Controller.Terminate(answerSoon); err != nil {
		t.Error(err)
	}
	awaitLead(t, controllers["b"], answerSoon)
	if got := addressesOf(t, cluster, space, "ours"); !reflect.DeepEqual(got, []string{"192.0.2.9"}) {
		t.Errorf("the first of two took the addresses: %v", got)
	}
	controllerSlice(t, cluster, access.Namespace, map[string]bool{"b": true})
	if err := controllers["b"].Controller.Terminate(answerSoon); err != nil {
		t.Error(err)
	}
	awaitAddresses(t, cluster, space, "ours", answerSoon)
}
