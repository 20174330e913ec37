package cluster

import (
	"context"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"headgate.dev/headgate/e2e/harness"
)

// inventory names everything that the API server holds, but for Events, which end by themselves, and what the node keeps.
func inventory(t testing.TB, cluster *harness.Cluster) (names []string) {
	t.Helper()
	lists, err := discovery.ServerPreferredResources(cluster.Client.Discovery())
	if err != nil {
		t.Fatal(err)
	}
	config := *cluster.Config
	config.WarningHandler = rest.NoWarnings{} // some kinds are deprecated
	client, err := dynamic.NewForConfig(&config)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		group, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || resource.Name == "events" || strings.Contains(resource.Name, "/") {
				continue
			}
			objects, err := client.Resource(group.WithResource(resource.Name)).
				List(context.Background(), metav1.ListOptions{})
			if err != nil {
				t.Fatalf("listing %s: %v", resource.Name, err)
			}
			for _, object := range objects.Items {
				if object.GetNamespace() == corev1.NamespaceNodeLease {
					continue
				}
				names = append(names, resource.Name+" "+object.GetNamespace()+"/"+object.GetName())
			}
		}
	}
	slices.Sort(names)
	return names
}

// without is what is in names and not in others.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}
