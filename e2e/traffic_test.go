package e2e

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"headgate.dev/headgate/e2e/harness"
)

func TestTrafficFollowsTheIngress(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	first, second := harness.Address(1), harness.Address(2)
	space.Create(space.Service("first"), space.Slice("first", first),
		space.Service("second"), space.Slice("second", second))
	host := space.Host("www")
	headgate.Await(host, "/", 404)

	ingress := space.Ingress("www", host, "/", "first")
	space.Create(ingress)
	headgate.Await(host, "/any", 200, first)

	ingress.Spec.Rules[0].HTTP.Paths[0].Backend = harness.Backs("second")
	space.Update(ingress)
	headgate.Await(host, "/any", 200, second)

	ingress.Spec.Rules[0].HTTP.Paths[0].Path = "/app"
	space.Update(ingress)
	headgate.Await(host, "/any", 404)
	headgate.Await(host, "/app/x", 200, second)

	more := space.Ingress("more", host, "/app/deep", "first")
	space.Create(more)
	headgate.Await(host, "/app/deep/x", 200, first)
	headgate.Await(host, "/app/x", 200, second)

	ingress.Spec.Rules[0].Host = space.Host("renamed")
	space.Update(ingress)
	headgate.Await(host, "/app/x", 404)
	headgate.Await(space.Host("renamed"), "/app/x", 200, second)

	space.Delete(ingress)
	headgate.Await(space.Host("renamed"), "/app/x", 404)
	headgate.Await(host, "/app/deep/x", 200, first)
	space.Delete(more)
	headgate.Await(host, "/app/deep/x", 404)
}

func TestTheBackendSeesTheClientsRequest(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	host := space.Host("www")
	space.Create(space.Service("web"), space.Slice("web", harness.Address(1)), space.Ingress("www", host, "/", "web"))
	headgate.Await(host, "/", 200)
	answer, err := headgate.Get(host, "/a%20b?q=1")
	if err != nil {
		t.Fatal(err)
	}
	echo, err := answer.Echo()
	if err != nil {
		t.Fatal(err)
	}
	if echo.Host != host || echo.Path != "/a%20b?q=1" || echo.Header.Get("X-Forwarded-For") != "127.0.0.1" ||
		echo.Header.Get("X-Forwarded-Proto") != "http" || echo.Header.Get("X-Forwarded-Host") != host ||
		echo.Header.Get("X-Request-Id") == "" {
		t.Errorf("the backend saw %+v", echo)
	}
}

func TestTrafficFollowsTheService(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	host, address := space.Host("www"), harness.Address(1)
	space.Create(space.Ingress("www", host, "/", "web"), space.Slice("web", address))
	headgate.Await(host, "/", 503)

	service := space.Service("web")
	space.Create(service)
	headgate.Await(host, "/", 200, address)

	// The Ingress names port 80; a Service that has it no more leads nowhere.
	service.Spec.Ports[0].Port = 81
	space.Update(service)
	headgate.Await(host, "/", 503)

	byName := space.Ingress("by-name", space.Host("by-name"), "/", "web")
	byName.Spec.Rules[0].HTTP.Paths[0].Backend.Service.Port = networkingv1.ServiceBackendPort{Name: "http"}
	space.Create(byName)
	headgate.Await(space.Host("by-name"), "/", 200, address)

	service.Spec.Ports[0].Port = 80
	space.Update(service)
	headgate.Await(host, "/", 200, address)

	space.Delete(service)
	headgate.Await(host, "/", 503)
}

func TestTrafficFollowsTheEndpointSlices(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	host := space.Host("www")
	first, second, third := harness.Address(1), harness.Address(2), harness.Address(3)
	space.Create(space.Service("web"), space.Ingress("www", host, "/", "web"))
	headgate.Await(host, "/", 503)

	slice := space.Slice("web", first)
	space.Create(slice)
	headgate.Await(host, "/", 200, first)

	space.Update(space.Slice("web", second))
	headgate.Await(host, "/", 200, second)

	// A Service's endpoints are those of all its slices.
	another := space.Slice("web", third)
	another.Name = "web-2"
	space.Create(another)
	headgate.Await(host, "/", 200, second)
	headgate.Await(host, "/", 200, third)

	// An endpoint that is not ready gets nothing while others are.
	unready := space.Slice("web", second)
	no := false
	unready.Endpoints[0].Conditions.Ready = &no
	space.Update(unready)
	headgate.Await(host, "/", 200, third)
	assertOnly(t, headgate, host, third)

	space.Update(space.Slice("web"))
	space.Delete(another)
	headgate.Await(host, "/", 503)

	space.Update(space.Slice("web", first))
	headgate.Await(host, "/", 200, first)
	space.Delete(slice)
	headgate.Await(host, "/", 503)
}

// assertOnly waits until 50 answers in a row come from one backend.
func assertOnly(t *testing.T, headgate *harness.Headgate, host, backend string) {
	t.Helper()
	harness.WaitFor(t, answerSoon, "only "+backend+" to answer", func() error {
		for range 50 {
			answer, err := headgate.Get(host, "/")
			if err != nil {
				return err
			}
			if err := answer.Expect(200, backend); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestTrafficFollowsTheSecret(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	host := space.Host("www")
	ingress := secured(space.Ingress("www", host, "/", "web"), "tls")
	space.Create(space.Service("web"), space.Slice("web", harness.Address(1)), ingress)
	harness.WaitFor(t, answerSoon, "any certificate at all", func() error {
		_, err := headgate.Serial(host)
		return err
	})

	secret := space.Secret("tls", certificate(t, 1001, host))
	space.Create(secret)
	headgate.AwaitSerial(host, 1001)

	// A connection that stands keeps standing when the certificate changes under it.
	conn, err := harness.Dial(headgate.HTTPS, host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if answer, err := conn.Get(host, "/", false); err != nil || answer.Status != 200 {
		t.Fatalf("over TLS: %d %v", answer.Status, err)
	}
	space.Update(space.Secret("tls", certificate(t, 1002, host)))
	headgate.AwaitSerial(host, 1002)
	if answer, err := conn.Get(host, "/", false); err != nil || answer.Status != 200 {
		t.Errorf("on the connection from before the change: %d %v", answer.Status, err)
	}

	// A wildcard serves its sub-domains, one label deep, and an own certificate goes first.
	wild := secured(space.Ingress("wild", "*."+space.Host("wild"), "/", "web"), "wild")
	space.Create(wild, space.Secret("wild", certificate(t, 1003, "*."+space.Host("wild"))))
	headgate.AwaitSerial("a."+space.Host("wild"), 1003)
	headgate.AwaitSerial(host, 1002)
	if serial, err := headgate.Serial("a.b." + space.Host("wild")); err != nil || serial == 1003 {
		t.Errorf("two labels under a wildcard: certificate %d %v", serial, err)
	}

	// Without its Secret the host is served with the fallback certificate, not refused.
	space.Delete(secret)
	harness.WaitFor(t, answerSoon, "the fallback certificate", func() error {
		serial, err := headgate.Serial(host)
		if err == nil && (serial == 1002 || serial == 1003) {
			err = fmt.Errorf("certificate %d", serial)
		}
		return err
	})
	space.Create(space.Secret("tls", certificate(t, 1004, host)))
	headgate.AwaitSerial(host, 1004)
}

const nodeName = "imaginary"

// A rolling update as the real EndpointSlice controller tells it: pods become ready, terminate and go.
func TestARollingUpdateLosesNoRequest(t *testing.T) {
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	host := space.Host("www")
	service := space.Service("web")
	service.Spec.ClusterIP = ""
	service.Spec.Selector = map[string]string{"app": "web"}
	service.Spec.Ports[0].TargetPort = intstr.FromInt32(harness.BackendPort)
	space.Create(service, space.Ingress("www", host, "/", "web"))

	// The EndpointSlice controller leaves out pods whose node it does not know.
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName}}
	nodes := cluster.Client.CoreV1().Nodes()
	if _, err := nodes.Create(context.Background(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	defer nodes.Delete(context.Background(), nodeName, metav1.DeleteOptions{})

	const replicas = 3
	var pods []*pod
	for number := range replicas {
		pods = append(pods, startPod(t, cluster, space, number+1))
	}
	for _, pod := range pods {
		headgate.Await(host, "/", 200, pod.backend.Address)
	}
	load := harness.StartLoad(t, harness.LoadOptions{Address: headgate.HTTP, Connections: 16, Pause: pace},
		func(conn *harness.Conn, _, _ int) error {
			answer, err := conn.Get(host, "/", true)
			if err != nil {
				return err
			}
			return answer.Expect(200)
		})
	for step := range full(6, 30) {
		fresh := startPod(t, cluster, space, replicas+1+step)
		headgate.Await(host, "/", 200, fresh.backend.Address)
		pods[0].terminate(t, cluster, load)
		pods = append(pods[1:], fresh)
	}
	load.StopClean(t)
}

type pod struct {
	object  *corev1.Pod
	backend *harness.Backend
}

// startPod does what a scheduler and a kubelet would: a pod on a node, running and ready.
func startPod(t *testing.T, cluster *harness.Cluster, space *harness.Space, number int) *pod {
	t.Helper()
	backend := harness.StartBackend(t, harness.Address(number))
	ctx := context.Background()
	pods := cluster.Client.CoreV1().Pods(space.Name)
	object := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("web-%d", number), Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{
			NodeName:   nodeName,
			Containers: []corev1.Container{{Name: "web", Image: "example.com/web"}},
		},
	}
	object, err := pods.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	object.Status = corev1.PodStatus{
		Phase:      corev1.PodRunning,
		PodIP:      backend.Address,
		PodIPs:     []corev1.PodIP{{IP: backend.Address}},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}},
	}
	if object, err = pods.UpdateStatus(ctx, object, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	return &pod{object, backend}
}

// terminate deletes the pod, lets its server go on until traffic has left it, and ends it.
func (p *pod) terminate(t *testing.T, cluster *harness.Cluster, load *harness.Load) {
	t.Helper()
	ctx := context.Background()
	pods := cluster.Client.CoreV1().Pods(p.object.Namespace)
	if err := pods.Delete(ctx, p.object.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	harness.WaitFor(t, answerSoon, "traffic to leave "+p.object.Name, func() error {
		before := p.backend.Requests()
		load.AwaitRequests(t, 200)
		if after := p.backend.Requests(); after != before {
			return fmt.Errorf("%d more requests", after-before)
		}
		return nil
	})
	p.backend.Close()
	now := int64(0)
	if err := pods.Delete(ctx, p.object.Name, metav1.DeleteOptions{GracePeriodSeconds: &now}); err != nil {
		t.Fatal(err)
	}
}

// Endpoints of a Service that is on its way out, while nothing else is ready, still get the traffic.
func TestTerminatingEndpointsServeWhenNothingElseIsLeft(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	host, first, second := space.Host("www"), harness.Address(1), harness.Address(2)
	slice := space.Slice("web", first)
	yes, no := true, false
	slice.Endpoints[0].Conditions = discoveryv1.EndpointConditions{Ready: &no, Serving: &yes, Terminating: &yes}
	space.Create(space.Service("web"), slice, space.Ingress("www", host, "/", "web"))
	headgate.Await(host, "/", 200, first)

	ready := space.Slice("web", second)
	ready.Endpoints = append(ready.Endpoints, slice.Endpoints[0])
	space.Update(ready)
	headgate.Await(host, "/", 200, second)
	assertOnly(t, headgate, host, second)
}

// Where EndpointSlices are not to be used, the older Endpoints say where a Service is; slices then count for nothing.
func TestEndpointsInsteadOfSlices(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.OwnCluster(t) // access to Endpoints is not what deploy/ ships
	space := cluster.NewSpace(t)
	one, two, misleading := harness.Address(1), harness.Address(2), harness.Address(3)
	space.Create(space.Service("web"), space.Slice("web", misleading), space.Endpoints("web", one),
		space.Ingress("www", space.Host("www"), "/", "web"))
	headgate := harness.NewHeadgate(t, cluster, harness.Options{ControllerArgs: []string{"--endpoints-api=endpoints"}})
	harness.ReadShippedAccess(t).AlsoRead(t, cluster, "", "endpoints")
	headgate.StartController()
	headgate.StartDataPlane()
	headgate.AwaitReady(startSoon)
	headgate.Await(space.Host("www"), "/", 200, one)

	space.Update(space.Endpoints("web", two))
	headgate.Await(space.Host("www"), "/", 200, two)
	space.Update(space.Endpoints("web"))
	headgate.Await(space.Host("www"), "/", 503)
}
