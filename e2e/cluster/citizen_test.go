package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"headgate.dev/headgate/e2e/harness"
)

// What the controller does for a cluster beside configuring data planes, done from its pods with what the chart grants.

// awaitStatus waits until the status of each Ingress has these addresses alone.
func awaitStatus(t testing.TB, cluster *harness.Cluster, addresses ...string) {
	t.Helper()
	await(t, "the status of Ingresses", func() error {
		list, err := cluster.Client.NetworkingV1().Ingresses(metav1.NamespaceDefault).
			List(context.Background(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, ingress := range list.Items {
			var written []string
			for _, address := range ingress.Status.LoadBalancer.Ingress {
				written = append(written, address.IP)
			}
			if !slices.Equal(written, addresses) {
				return fmt.Errorf("%s: %q", ingress.Name, written)
			}
		}
		return nil
	})
}

// awaitRefusal waits until the API server, which asks the webhook through its Service, refuses a host that is taken.
func awaitRefusal(t testing.TB, cluster *harness.Cluster, host string) {
	t.Helper()
	ingresses := cluster.Client.NetworkingV1().Ingresses(metav1.NamespaceDefault)
	await(t, "an Ingress to be refused", func() error {
		err := createIngress(cluster, ingress("late", host, "http", nil))
		if err == nil {
			return errors.Join(errors.New("it was taken"),
				ingresses.Delete(context.Background(), "late", metav1.DeleteOptions{}))
		}
		if !strings.Contains(err.Error(), "admission webhook") || apierrors.IsInternalError(err) {
			t.Fatal(err)
		}
		t.Log(err)
		return nil
	})
}

// awaitLeader waits until the Lease is held by one of these pods.
func (r *release) awaitLeader(pods []string) {
	r.t.Helper()
	await(r.t, "a leader", func() error {
		lease, err := r.cluster.Client.CoordinationV1().Leases(r.namespace).
			Get(context.Background(), r.fullname()+"-controller-leader", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if holder := lease.Spec.HolderIdentity; holder == nil || !slices.Contains(pods, *holder) {
			return fmt.Errorf("held by %v", holder)
		}
		return nil
	})
}

// checkAccess fails the test if the controller was denied anything.
func (r *release) checkAccess() {
	r.t.Helper()
	access := &harness.ShippedAccess{Namespace: r.namespace, Account: r.fullname() + "-controller"}
	requests := access.Requests(r.t, r.cluster)
	for _, request := range requests {
		if request.Status == http.StatusForbidden || request.Status == http.StatusUnauthorized {
			r.t.Errorf("the controller may not %s: %d %s", request.Grant, request.Status, request.URI)
		}
	}
	if len(requests) == 0 {
		r.t.Error("the controller asked the API server for nothing")
	}
}
