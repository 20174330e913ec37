package e2e

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"headgate.dev/headgate/e2e/harness"
)

// What the conformance suite of the Ingress API (kubernetes-sigs/ingress-controller-conformance) asks of a
// controller: its 25 scenarios, but for the status of Ingresses. As there, redirects are followed.
func TestConformance(t *testing.T) {
	harness.EchoAnywhere(t)
	cluster := harness.SharedCluster(t)
	space := cluster.NewSpace(t)
	headgate := harness.StartHeadgate(t, cluster, harness.Options{})
	c := &conformance{space: space, headgate: headgate, client: clientOf(headgate), backends: map[string]string{}}
	t.Run("DefaultBackend", c.defaultBackend)
	t.Run("LoadBalancing", c.loadBalancing)
	t.Run("HostRules", c.hostRules)
	t.Run("PathRules", c.pathRules)
	t.Run("IngressClass", c.ingressClass)
}

type conformance struct {
	space    *harness.Space
	headgate *harness.Headgate
	client   *http.Client
	backends map[string]string // service: its address
}

// clientOf leads every host to the data plane, by the scheme of the URL.
func clientOf(headgate *harness.Headgate) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			target := headgate.HTTP
			if strings.HasSuffix(address, ":443") {
				target = headgate.HTTPS
			}
			return new(net.Dialer).DialContext(ctx, network, target)
		},
	}}
}

// service makes a Service with one endpoint of its own, so that answers tell which Service gave them.
func (c *conformance) service(name string) networkingv1.IngressBackend {
	if c.backends[name] == "" {
		c.backends[name] = harness.Address(100 + len(c.backends))
		c.space.Create(c.space.Service(name), c.space.Slice(name, c.backends[name]))
	}
	return harness.Backs(name)
}

// rule is a host with paths, each "TYPE PATH SERVICE".
func (c *conformance) rule(host string, paths ...string) networkingv1.IngressRule {
	http := &networkingv1.HTTPIngressRuleValue{}
	for _, text := range paths {
		words := strings.Fields(text)
		kind := networkingv1.PathType(words[0])
		http.Paths = append(http.Paths, networkingv1.HTTPIngressPath{Path: words[1], PathType: &kind, Backend: c.service(words[2])})
	}
	return networkingv1.IngressRule{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: http}}
}

func (c *conformance) ask(method, url string) (*http.Response, error) {
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := c.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response, err
}

// await waits until a request is answered by the service; without one, by 404.
func (c *conformance) await(t *testing.T, method, url, service string) {
	t.Helper()
	harness.WaitFor(t, answerSoon, fmt.Sprintf("%s %s to be answered by %q", method, url, service), func() error {
		response, err := c.ask(method, url)
		if err != nil {
			return err
		}
		answer := harness.AnswerOf(response)
		if service == "" {
			return answer.Expect(http.StatusNotFound)
		}
		return answer.Expect(http.StatusOK, c.backends[service])
	})
}

func (c *conformance) defaultBackend(t *testing.T) {
	backend := c.service("single")
	ingress := c.space.Ingress("default-backend", "", "/", "single")
	ingress.Spec.Rules, ingress.Spec.DefaultBackend = nil, &backend
	c.space.Create(ingress)
	for _, request := range []string{"GET my-host/", "GET my-host/sub-path", "POST some-host/", "PUT 192.0.2.1/resource",
		"DELETE some-host/resource", "PATCH my-host/resource"} {
		method, rest, _ := strings.Cut(request, " ")
		c.await(t, method, "http://"+rest, "single")
		response, err := c.ask(method, "http://"+rest)
		if err != nil {
			t.Fatal(err)
		}
		if response.Proto != "HTTP/1.1" || response.Header.Get("Content-Type") == "" || response.Header.Get("Date") == "" ||
			response.ContentLength <= 0 {
			t.Errorf("%s: %s with %v", request, response.Proto, response.Header)
		}
	}
	c.space.Delete(ingress)
	c.await(t, "GET", "http://my-host/", "")
}

func (c *conformance) loadBalancing(t *testing.T) {
	const replicas = 10
	addresses := make([]string, replicas)
	for i := range addresses {
		addresses[i] = harness.Address(1 + i)
	}
	backend := harness.Backs("many")
	ingress := c.space.Ingress("load-balancing", "", "/", "many")
	ingress.Spec.Rules, ingress.Spec.DefaultBackend = nil, &backend
	c.space.Create(c.space.Service("many"), c.space.Slice("many", addresses...), ingress)
	c.headgate.Await("load-balancing", "/", 200, addresses...)
	seen := map[string]bool{}
	for range 100 {
		answer, err := c.headgate.Get("load-balancing", "/")
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Expect(200, addresses...); err != nil {
			t.Fatal(err)
		}
		seen[answer.Backend] = true
	}
	if len(seen) != replicas {
		t.Errorf("100 requests reached %d of %d endpoints", len(seen), replicas)
	}
	c.space.Delete(ingress)
	c.await(t, "GET", "http://load-balancing/", "")
}

func (c *conformance) hostRules(t *testing.T) {
	exact, domain := c.space.Host("foo.bar"), c.space.Host("foo")
	ingress := c.space.Ingress("host-rules", exact, "/", "foo-bar-com")
	ingress.Spec.Rules = []networkingv1.IngressRule{
		c.rule("*."+domain, "Prefix / wildcard-foo-com"), c.rule(exact, "Prefix / foo-bar-com")}
	ingress.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{exact}, SecretName: "conformance-tls"}}
	c.space.Create(c.space.Secret("conformance-tls", certificate(t, 25, exact)), ingress)

	c.await(t, "GET", "https://"+exact+"/", "foo-bar-com")
	response, err := c.ask("GET", "https://"+exact+"/")
	if err != nil {
		t.Fatal(err)
	}
	if err := response.TLS.PeerCertificates[0].VerifyHostname(exact); err != nil {
		t.Error(err)
	}
	c.await(t, "GET", "http://"+exact+"/", "foo-bar-com") // by way of HTTPS
	c.await(t, "GET", "http://"+c.space.Host("subdomain.bar")+"/", "")
	c.await(t, "GET", "http://bar."+domain+"/", "wildcard-foo-com")
	c.await(t, "GET", "http://baz.bar."+domain+"/", "")
	c.await(t, "GET", "http://"+domain+"/", "")
}

func (c *conformance) pathRules(t *testing.T) {
	exact, prefix, mixed, slash := c.space.Host("exact"), c.space.Host("prefix"), c.space.Host("mixed"), c.space.Host("slash")
	ingress := c.space.Ingress("path-rules", exact, "/foo", "foo-exact")
	ingress.Spec.Rules = []networkingv1.IngressRule{
		c.rule(exact, "Exact /foo foo-exact"),
		c.rule(prefix, "Prefix /foo foo-prefix", "Prefix /aaa/bbb aaa-slash-bbb-prefix", "Prefix /aaa aaa-prefix"),
		c.rule(mixed, "Prefix /foo foo-prefix", "Exact /foo foo-exact"),
		c.rule(slash, "Prefix /aaa/bbb/ aaa-slash-bbb-slash-prefix", "Exact /foo/ foo-slash-exact"),
	}
	c.space.Create(ingress)
	for _, scenario := range []struct{ url, service string }{
		{exact + "/foo", "foo-exact"},
		{exact + "/foo/", ""},
		{exact + "/FOO", ""},
		{exact + "/bar", ""},
		{prefix + "/foo", "foo-prefix"},
		{prefix + "/foo/", "foo-prefix"},
		{prefix + "/FOO", ""},
		{prefix + "/aaa/bbb", "aaa-slash-bbb-prefix"},
		{prefix + "/aaa/bbb/", "aaa-slash-bbb-prefix"},
		{prefix + "/aaa/bbb/ccc", "aaa-slash-bbb-prefix"},
		{prefix + "/aaa/ccc", "aaa-prefix"},
		{prefix + "/aaaccc", ""},
		{mixed + "/foo", "foo-exact"},
		{slash + "/aaa/bbb", "aaa-slash-bbb-slash-prefix"}, // by way of 301
		{slash + "/aaa/bbb/", "aaa-slash-bbb-slash-prefix"},
		{slash + "/foo", ""},
	} {
		c.await(t, "GET", "http://"+scenario.url, scenario.service)
	}
}

func (c *conformance) ingressClass(t *testing.T) {
	host, invalid := c.space.Host("class"), "some-invalid-class-name"
	ingress := c.space.Ingress("ingress-class", host, "/", "foo-prefix")
	ingress.Spec.IngressClassName = &invalid
	later := c.space.Ingress("later", c.space.Host("later"), "/", "foo-prefix")
	c.space.Create(ingress, later)
	c.await(t, "GET", "http://"+c.space.Host("later")+"/", "foo-prefix") // whatever came before is known now
	c.await(t, "GET", "http://"+host+"/", "")
}
