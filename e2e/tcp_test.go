package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"headgate.dev/headgate/e2e/harness"
)

// greeter says a line to whoever connects, and then what it hears.
func greeter(t testing.TB, greeting string) *net.TCPAddr {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				fmt.Fprintln(conn, greeting)
				lines := bufio.NewScanner(conn)
				for lines.Scan() {
					fmt.Fprintln(conn, lines.Text())
				}
			}()
		}
	}()
	return listener.Addr().(*net.TCPAddr)
}

// talk connects, takes the greeting and has one line echoed.
func talk(port int) (string, error) {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	reader := bufio.NewReader(conn)
	greeting, err := reader.ReadString('\n')
	if err != nil {
		return "", err
	}
	fmt.Fprintln(conn, "and back")
	if line, err := reader.ReadString('\n'); err != nil || line != "and back\n" {
		return "", fmt.Errorf("echoed %q (%v)", line, err)
	}
	return greeting[:len(greeting)-1], nil
}

func freePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// tcpService is the text of a Service with port 5432, and its one endpoint.
func tcpService(name string, endpoint *net.TCPAddr) string {
	return fmt.Sprintf(`
---
apiVersion: v1
kind: Service
metadata: {name: %[1]s, namespace: files}
spec: {ports: [{name: sql, port: 5432}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: %[1]s-1, namespace: files, labels: {kubernetes.io/service-name: %[1]s}}
addressType: IPv4
ports: [{name: sql, port: %[2]d}]
endpoints: [{addresses: [%[3]s], conditions: {ready: true}}]
`, name, endpoint.Port, endpoint.IP)
}

func TestTCPServicesFollowTheirConfigMap(t *testing.T) {
	files := newManifests(t)
	files.write("services.yaml", tcpService("one", greeter(t, "I am one"))+tcpService("two", greeter(t, "I am two")))
	first, second := freePort(t), freePort(t)
	publish := func(entries string) {
		files.write("tcp.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tcp, namespace: files}\ndata:\n"+entries)
	}
	publish(fmt.Sprintf("  \"%d\": files/one:5432\n  \"1\": nonsense\n", first))
	headgate := harness.StartHeadgate(t, nil, harness.Options{
		Manifests:      files.path,
		ControllerArgs: []string{"--tcp-services-configmap=files/tcp"},
	})
	await := func(port int, greeting string) {
		t.Helper()
		err := harness.Until(context.Background(), 10*time.Second, 10*time.Millisecond, func() error {
			heard, err := talk(port)
			if err == nil && heard != greeting {
				err = fmt.Errorf("heard %q, not %q", heard, greeting)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	await(first, "I am one")
	if headgate.Controller.LogContains("data.1", "is not valid") == 0 {
		t.Errorf("the log does not name the broken entry; its last lines:\n%s", headgate.Controller.Tail(5))
	}

	open, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", first))
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	reader := bufio.NewReader(open)
	if greeting, err := reader.ReadString('\n'); err != nil || greeting != "I am one\n" {
		t.Fatalf("heard %q (%v)", greeting, err)
	}
	publish(fmt.Sprintf("  \"%d\": files/two:sql\n", second))
	await(second, "I am two")
	if heard, err := talk(first); err == nil {
		t.Errorf("the port that is gone says %q", heard)
	}
	fmt.Fprintln(open, "still here")
	if line, err := reader.ReadString('\n'); err != nil || line != "still here\n" {
		t.Errorf("a connection of the port that is gone echoed %q (%v)", line, err)
	}
	if n := harness.Metric(headgate.DataPlaneMetrics(), "headgate_tcp_connections_total", `service="files/two/sql"`); n < 1 {
		t.Errorf("%v connections are counted for the service", n)
	}
}
