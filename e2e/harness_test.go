package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"headgate.dev/headgate/e2e/harness"
)

// What the other tests stand on.

func TestBackendsAnswerAtTheirOwnAddress(t *testing.T) {
	harness.EchoAnywhere(t)
	for _, number := range []int{1, 255, 256, 70_000} {
		address := harness.Address(number)
		if harness.Number(address) != number {
			t.Fatalf("%s counts as %d, not %d", address, harness.Number(address), number)
		}
		conn, err := harness.Dial(net.JoinHostPort(address, "8080"), "")
		if err != nil {
			t.Fatal(err)
		}
		answer, err := conn.Get("a.example", "/x?y", false)
		if err != nil {
			t.Fatal(err)
		}
		echo, err := answer.Echo()
		if err != nil || answer.Backend != address || echo.Host != "a.example" || echo.Path != "/x?y" {
			t.Errorf("%s answered %+v %v", address, answer, err)
		}
		conn.Close()
	}
}

func TestABackendThatIsTakenAwayRefuses(t *testing.T) {
	backend := harness.StartBackend(t, harness.Address(1))
	address := net.JoinHostPort(backend.Address, "8080")
	conn, err := harness.Dial(address, "")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Get("a.example", "/", true); err != nil {
		t.Fatal(err)
	}
	backend.Close()
	if _, err := conn.Get("a.example", "/", true); err == nil {
		t.Error("a closed backend answered on an old connection")
	}
	if conn, err := harness.Dial(address, ""); err == nil {
		conn.Close()
		t.Error("a closed backend took a connection")
	}
}

func TestTheAPIServerTakesOurEndpoints(t *testing.T) {
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	space.Create(space.Service("web"), space.Slice("web", harness.Address(1), harness.Address(2)),
		space.Ingress("web", space.Host("web"), "/", "web"))
	slice, err := cluster.Client.DiscoveryV1().EndpointSlices(space.Name).
		Get(context.Background(), "web-1", metav1.GetOptions{})
	if err != nil || len(slice.Endpoints) != 2 {
		t.Errorf("%d endpoints, %v", len(slice.Endpoints), err)
	}
	if err := space.TryCreate(space.Slice("other", "127.0.0.1")); err == nil {
		t.Error("the API server took a loopback endpoint: the harness's network is needless")
	}
}

func TestTheAPIProxyFailsAsAsked(t *testing.T) {
	cluster := harness.SharedCluster(t)
	proxy := harness.NewAPIProxy(t, cluster)
	config := rest.CopyConfig(cluster.Config)
	config.Host = proxy.URL
	access := harness.ReadShippedAccess(t)
	if err := access.Apply(context.Background(), cluster); err != nil {
		t.Fatal(err)
	}
	token, err := access.Token(context.Background(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	config.TLSClientConfig.CertFile, config.TLSClientConfig.KeyFile = "", ""
	config.BearerToken = token
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	// client-go tries a 503 again by itself, so look at the raw answer of one try.
	list := func() error {
		return client.NetworkingV1().RESTClient().Get().Resource("ingresses").MaxRetries(0).
			Do(context.Background()).Error()
	}
	if err := list(); err != nil {
		t.Fatal(err)
	}

	proxy.Set(harness.Faults{ListFailures: 1})
	failed := 0
	for range 8 {
		if list() != nil {
			failed++
		}
	}
	if failed == 0 || proxy.Failed.Load() == 0 {
		t.Errorf("no list failed (%s)", proxy.Describe())
	}

	proxy.Set(harness.Faults{Away: true})
	if err := list(); err == nil {
		t.Error("an API server that is away answered")
	}

	proxy.Set(harness.Faults{})
	watch, err := client.NetworkingV1().Ingresses("").Watch(context.Background(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	proxy.Cut()
	// Events of what other tests have left may come first.
	for limit := time.After(10 * time.Second); ; {
		select {
		case <-limit:
			t.Fatal("a watch outlived the cut")
		case _, open := <-watch.ResultChan():
			if !open {
				return
			}
		}
	}
}

func TestCompactionMakesOldWatchesExpire(t *testing.T) {
	cluster := harness.OwnCluster(t)
	space := cluster.NewSpace(t)
	space.Create(space.Ingress("old", space.Host("old"), "/", "web"))
	list, err := cluster.Client.NetworkingV1().Ingresses("").List(context.Background(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	space.Create(space.Ingress("new", space.Host("new"), "/", "web"))
	cluster.Compact(t)
	cluster.KillAPIServer()
	if err := cluster.StartAPIServer(); err != nil {
		t.Fatal(err)
	}
	watch, err := cluster.Client.NetworkingV1().Ingresses("").Watch(context.Background(),
		metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Logf("refused outright: %v", err)
		return
	}
	defer watch.Stop()
	select {
	case event := <-watch.ResultChan():
		encoded, _ := json.Marshal(event.Object)
		if event.Type != "ERROR" {
			t.Errorf("%s %s, want an ERROR", event.Type, encoded)
		}
		if status, ok := event.Object.(*metav1.Status); !ok || status.Code != 410 {
			t.Errorf("%s, want code 410", encoded)
		}
	case <-time.After(20 * time.Second):
		t.Error(fmt.Errorf("no answer to a watch from %s", list.ResourceVersion))
	}
}
